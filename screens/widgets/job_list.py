"""Exports and deployments as lines: state, what is made of what, how far, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType

from engine.language import tr
from screens.format import bar, fitted, one_line, two_sided
from screens.job_words import ended_words, job_sign, share_words, stage_words
from screens.widgets.line_list import LineList

if TYPE_CHECKING:
    from engine.jobs.types import Job
    from screens.session import Session

_STATE_WIDTH = 12
_INDENT = "  "
_BAR = 20


class JobList(LineList["Job"]):
    """All jobs that the engine knows, the newest first."""

    ASKS = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Open", key_display="enter", id="jobs.open",
                tooltip="Show the job, and what the gate found"),
    ]  # fmt: skip

    def __init__(self, session: Session, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(tr("Nothing exported yet. A completed task's screen has x for that, and o"
                            " for Ollama."), id=id)  # fmt: skip
        self._session = session

    def height_of(self, item: Job) -> int:  # noqa: ARG002
        """A line for what it is, one for what it does or made."""
        return 2

    def lines_of(self, item: Job, width: int) -> list[Text]:
        """Draw a job."""
        sign = job_sign(item)
        left = Text.assemble(
            (f"{fitted(sign.shown, _STATE_WIDTH)} ", self.tone(sign.tone)),
            (one_line(item.title), self.tone("plain" if item.ended else "strong")),
        )
        when = Text(ended_words(item, self._session.now()), self.tone("dim"))
        return [two_sided(left, when, width), self._second(item, width)]

    def _second(self, job: Job, width: int) -> Text:
        """Draw how far a job is, or what came of it."""
        words = Text(_INDENT + stage_words(job), self.tone("dim"))
        if job.ended or job.progress is None:
            return two_sided(words, Text(), width)
        drawn = bar(job.progress, _BAR, self.tone("run"), self.tone("rest"))
        return two_sided(words, drawn.append(f" {share_words(job):>4}"), width)
