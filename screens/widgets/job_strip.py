"""The newest export or deployment of a task, in a line of the task's screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work
from textual.content import Content
from textual.widget import Widget

from engine.errors import EngineUnavailableError
from engine.language import tr
from screens.base import ShowsFailures
from screens.following_jobs import followed
from screens.format import one_line
from screens.job_words import job_sign, share_words, stage_words
from screens.widgets.findings import TONES

if TYPE_CHECKING:
    from engine.jobs.types import Job
    from screens.session import Session

_BAR = 12


class JobStrip(ShowsFailures, Widget):
    """Follows a task's newest job; hidden where it has none."""

    DEFAULT_CSS = """
    JobStrip { display: none; height: 1; padding: 0 2; text-wrap: nowrap; }
    """

    def __init__(self, session: Session, task_id: str, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._session, self._task_id = session, task_id
        self.job: Job | None = None

    def render(self) -> Content:
        """Draw the job: what is made, how far it is, and the key that shows more."""
        if (job := self.job) is None:
            return Content()
        right = Content.assemble(
            *_progress(job), ("  v", "$accent"), (f" {tr('shows it')}", "$muted")
        )
        sign = job_sign(job)
        left = Content.assemble(
            (f"{sign.shown}  ", TONES[sign.tone]),
            one_line(job.title),
            (f"  {stage_words(job)}", "$muted"),
        )
        room = max(self.size.width - right.cell_length - 2, 0)
        return Content.assemble(left.truncate(room, ellipsis=True, pad=True), "  ", right)

    @work(group="job", exclusive=True, exit_on_error=False)
    async def look(self) -> None:
        """See which job is the newest, and follow it until it has ended."""
        if self._session.status.state != "ready":
            return
        client = self._session.client
        try:
            own = [job for job in await client.jobs() if job.task_id == self._task_id]
            self._put(max(own, key=lambda job: job.created_at, default=None))
            if self.job is not None and not self.job.ended:
                async for job in followed(client, self.job.id):
                    self._put(job)
        except EngineUnavailableError:
            return  # looked at again once it is back

    def _put(self, job: Job | None) -> None:
        """Show a job; the footer follows whether there is one."""
        known, self.job = self.job, job
        self.display = job is not None
        self.refresh()
        if (known is None) != (job is None):
            self.screen.refresh_bindings()


def _progress(job: Job) -> tuple[Content | tuple[str, str], ...]:
    """Draw how far a running job is, where that is known."""
    if job.ended or job.progress is None:
        return ()
    filled = round(job.progress * _BAR)
    return (
        ("━" * filled, TONES["run"]),
        ("─" * (_BAR - filled), "$faint"),
        Content(f" {share_words(job):>4}"),
    )
