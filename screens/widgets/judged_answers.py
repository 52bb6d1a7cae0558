"""The judged answers of a report, one question at a time, base beside adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from engine.language import mark, tr
from engine.text import visible
from screens.format import Sign
from screens.widgets.findings import TONES

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from engine.results.report.types import JudgedAnswer

_NOTHING = mark("(nothing)")
_EXACT = Sign("✓", mark("exact"), "good")
_NOT_EXACT = Sign("✗", mark("not exact"), "dim")


class JudgedAnswers(Vertical):
    """One question with its answers; the others are a key away."""

    DEFAULT_CSS = """
    JudgedAnswers {
        height: auto;
        & Horizontal { height: auto; }
        & Static { width: 1fr; height: auto; }
        & .question { text-style: bold; }
        & .reference { color: $muted; margin-bottom: 1; }
        & .side { width: 1fr; height: auto; margin-right: 2; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._answers: tuple[JudgedAnswer, ...] = ()
        self._place = 0

    def compose(self) -> ComposeResult:
        """Lay out question, reference and both answers."""
        yield Static(markup=False, classes="question")
        yield Static(markup=False, classes="reference")
        with Horizontal():
            for side in ("base", "adapter"):
                with Vertical(classes="side"):
                    yield Static(id=f"{side}-label", markup=False)
                    yield Static(id=f"{side}-answer", markup=False)

    def put(self, answers: tuple[JudgedAnswer, ...]) -> None:
        """Show the first of these."""
        self._answers, self._place = answers, 0
        self._show()

    def page(self, by: int) -> None:
        """Show the next one, or the one before; the ends are next to each other."""
        if self._answers:
            self._place = (self._place + by) % len(self._answers)
            self._show()

    def _show(self) -> None:
        """Show the question whose turn it is."""
        self.display = bool(self._answers)
        if not self._answers:
            return
        answer = self._answers[self._place]
        self.border_title = tr(
            "Answers  {place} of {of}", place=self._place + 1, of=len(self._answers)
        )
        self._put(".question", Content(visible(answer.question)))
        reference = visible(answer.reference)
        told = tr("in the dataset: {answer}", answer=reference) if reference else ""
        self._put(".reference", Content(told))
        self._put("#base-label", _label(mark("base"), answer.base_chrf, answer.base_exact, answer))
        self._put("#base-answer", Content(visible(answer.base) or tr(_NOTHING)))
        label = _label(mark("adapter"), answer.adapter_chrf, answer.adapter_exact, answer)
        if not answer.ended:
            label = Content.assemble(label, (f"  ▲ {tr('does not end')}", TONES["warn"]))
        self._put("#adapter-label", label)
        self._put("#adapter-answer", Content(visible(answer.adapter) or tr(_NOTHING)))

    def _put(self, part: str, words: Content) -> None:
        """Show a part's words."""
        self.query_one(part, Static).update(words)


def _label(name: str, chrf: float, exact: bool, answer: JudgedAnswer) -> Content:
    """Name a side, with how like the reference its answer is."""
    style = f"bold {TONES['run']}" if name == "adapter" else TONES["dim"]
    label = Content.assemble((tr(name), style), (f"  chrF {chrf:.0f}", TONES["dim"]))
    if not answer.short:
        return label
    sign = _EXACT if exact else _NOT_EXACT
    return Content.assemble(label, (f"  {sign.shown}", TONES[sign.tone]))
