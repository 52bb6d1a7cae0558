"""All exports and deployments: what runs, what was made, what failed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.getters import query_one

from engine.language import mark, tr
from screens.base import DeckScreen, back_binding
from screens.job import JobScreen, cancel_question
from screens.layers import ask, open_above
from screens.widgets.job_list import JobList
from screens.widgets.line_list import LineList

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from engine.jobs.types import Job
    from screens.messages import EngineStatusChanged
    from screens.session import Session

POLL_SECONDS = 0.5


class JobsScreen(DeckScreen[None]):
    """Lists the jobs; a running one is asked after twice a second."""

    HEADING = mark("Jobs")
    CSS_PATH = "jobs.tcss"
    AUTO_FOCUS = "JobList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "cancel", "Cancel", id="jobs.cancel",
                tooltip="Cancel the job under the cursor"),
        Binding("d", "forget", "Forget", id="jobs.forget",
                tooltip="Take the ended job off the list; what it made stays"),
        back_binding(),
    ]  # fmt: skip

    table = query_one(JobList)

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.job: Job | None = None
        """The job under the cursor."""

    def compose_body(self) -> ComposeResult:
        """Lay out the list."""
        jobs = JobList(self.session, id="jobs")
        jobs.border_title = tr("Exports and deployments")
        yield jobs

    def on_screen_resume(self) -> None:
        """Ask for the jobs; again, where one was cancelled or made meanwhile."""
        super().on_screen_resume()
        self.call_after_refresh(self._list)

    def on_engine_status_changed(self, message: EngineStatusChanged) -> None:
        """Ask again once the engine is there."""
        super().on_engine_status_changed(message)
        self._list()

    @work(group="list", exclusive=True, exit_on_error=False)
    async def _list(self) -> None:
        """Show the jobs, and go on while any runs."""
        while self.session.status.state == "ready":
            jobs = await self.session.client.jobs()
            jobs.sort(key=lambda job: (job.ended, -job.created_at))
            self.table.show({job.id: job for job in jobs})
            self._moved()
            if all(job.ended for job in jobs):
                return
            await asyncio.sleep(POLL_SECONDS)

    @on(LineList.Chosen, "#jobs")
    def _chosen(self) -> None:
        """Open the job."""
        if self.job is not None:
            open_above(self, JobScreen(self.session, self.job))

    @on(LineList.Highlighted, "#jobs")
    def _moved(self) -> None:
        """Let the footer follow what the job under the cursor allows; drawing it is dear."""
        known, self.job = self.job, self.table.items.get(self.table.cursor or "")
        if (known and known.ended) != (self.job and self.job.ended):
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Offer what the job's state allows."""
        if action not in ("cancel", "forget"):
            return True
        return self.job is not None and self.job.ended == (action == "forget")

    @work(group="action", exclusive=True, exit_on_error=False)
    async def action_cancel(self) -> None:
        """Cancel the job under the cursor, once the user has confirmed it."""
        if (job := self.job) is None:
            return
        if await ask(self, cancel_question(job)):
            await self.session.client.cancel_job(job.id)
            self._list()

    @work(group="action", exclusive=True, exit_on_error=False)
    async def action_forget(self) -> None:
        """Take the ended job under the cursor off the list."""
        if (job := self.job) is not None:
            await self.session.client.forget_job(job.id)
            self._list()

    def action_back(self) -> None:
        """Go back; the jobs go on."""
        self.dismiss(None)
