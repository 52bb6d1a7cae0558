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
    Answers Horizontal { height: auto; }
    Answers #sample, Answers #reference { width: 1fr; height: auto; margin-right: 2; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._question = Static(id="question", markup=False)
        self._sample = Static(id="sample", markup=False)
        self._reference = Static(id="reference", markup=False)
        self._samples: list[SampleAnswered] = []
        self._shown: int | None = None
        """Which sample; the newest where it is ``None``."""
        self._compared = False

    def compose(self) -> ComposeResult:
        """Hold a sample beside the dataset's answer."""
        yield self._question
        with Horizontal():
            yield self._sample
            yield self._reference

    @property
    def pages(self) -> bool:
        """Whether there are samples to page through."""
        return len(self._samples) + self._compared > 1

    def sample(self, event: SampleAnswered) -> None:
        """Take one more sample, and show it, unless the user looks at another one."""
        # A run that resumed earlier answers again
        self._samples = [one for one in self._samples if one.step < event.step]
        self._samples.append(event)
        if self._shown is None and not self._compared:
            self._draw()

    def add(self, event: AnswersCompared) -> None:
        """Show one more comparison; what it answers at the end counts more than samples."""
        self._compared = True
        self.mount(Comparison(event))
        self._draw()

    def page(self, by: int) -> None:
        """Show an earlier or a later sample; behind the last of them comes what it led to."""
        count = len(self._samples)
        last = count if self._compared else count - 1
        at = last if self._shown is None else self._shown
        at = max(0, min(at + by, last))
        self._shown = None if at == last else at
        self._draw()

    def _draw(self) -> None:
        """Show the sample that was paged to, or the newest, or the comparisons."""
        compared = self._compared and self._shown is None
        for part in (self._question, self._sample, self._reference):
            part.display = not compared
        for one in self.query(Comparison):
            one.display = compared
        if compared:
            self.border_title = tr("What the training changed")
        else:
            self._draw_sample(self._samples[-1 if self._shown is None else self._shown])
        self.border_subtitle = self._place() if self.pages else ""
        self.add_class("-filled")

    def _draw_sample(self, event: SampleAnswered) -> None:
        """Show a sample beside the answer that the dataset gives."""
        self.border_title = tr("What it answers at step {step}", step=f"{event.step:,}")
        self._question.update(Content.styled(visible(event.question), "bold"))
        self._sample.update(visible(event.answer) or tr("(nothing)"))
        reference = tr("in the dataset: {answer}", answer=visible(event.reference))
        self._reference.update(Content.styled(reference if event.reference else "", "$muted"))
        self._reference.display = bool(event.reference)

    def _place(self) -> str:
        """Say which of how many pages is shown."""
        count = len(self._samples) + self._compared
        place = count if self._shown is None else self._shown + 1
        return tr("{place} of {count}", place=place, count=count)
