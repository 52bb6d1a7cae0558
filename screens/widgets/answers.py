"""The same question answered by the base model and by the adapter, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from engine.language import tr
from engine.text import visible

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from engine.tasks.events import AnswersCompared, SampleAnswered


class Comparison(Vertical):
    """One question and its answers."""

    DEFAULT_CSS = """
    Comparison {
        height: auto;
        & Horizontal { height: auto; }
        & Static { width: 1fr; height: auto; }
        & .question { text-style: bold; }
        & .label { color: $muted; }
        & .label.-adapter { color: $text-primary; text-style: bold; }
        & .side { width: 1fr; height: auto; margin-right: 2; }
        & .reference { color: $muted; }
    }
    """

    def __init__(self, event: AnswersCompared) -> None:
        super().__init__()
        self._event = event

    def compose(self) -> ComposeResult:
        """Lay out question and answers."""
        yield Static(visible(self._event.question), markup=False, classes="question")
        with Horizontal():
            with Vertical(classes="side"):
                yield Static(tr("base"), classes="label")
                yield Static(visible(self._event.base_answer) or tr("(nothing)"), markup=False)
            with Vertical(classes="side"):
                yield Static(tr("adapter"), classes="label -adapter")
                yield Static(visible(self._event.adapter_answer) or tr("(nothing)"), markup=False)
        if self._event.reference:
            words = tr("in the dataset: {answer}", answer=visible(self._event.reference))
            yield Static(words, markup=False, classes="reference")


class Answers(VerticalScroll):
    """What the adapter answers: to one question as it learns, then beside its base."""

    DEFAULT_CSS = """
    Answers { display: none; height: auto; max-height: 14; }
    Answers.-filled { display: block; }
    Answers #sample { width: 1fr; height: auto; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._sample = Static(id="sample", markup=False)

    def compose(self) -> ComposeResult:
        """Hold the newest sample."""
        yield self._sample

    def sample(self, event: SampleAnswered) -> None:
        """Show what the adapter answers by now; what it answers at the end counts more."""
        if not self.query(Comparison):
            self.border_title = tr("What it answers at step {step}", step=f"{event.step:,}")
            question = (visible(event.question) + "\n", "bold")
            answer = visible(event.answer) or tr("(nothing)")
            self._sample.update(Content.assemble(question, answer))
            self.add_class("-filled")

    def add(self, event: AnswersCompared) -> None:
        """Show one more comparison."""
        self.border_title = tr("What the training changed")
        self._sample.display = False
        self.mount(Comparison(event))
        self.add_class("-filled")
