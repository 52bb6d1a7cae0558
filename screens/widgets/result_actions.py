"""What can be done with a finished adapter: its report, its export, its deployment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.binding import Binding, BindingType
from textual.widget import Widget

from screens.base import ShowsFailures
from screens.layers import open_above

if TYPE_CHECKING:
    from engine.jobs.types import Job
    from screens.results_dialogs import ResultDialog
    from screens.session import Session


class Finished(NamedTuple):
    """A finished adapter, as the actions need it."""

    source: str
    """The task's id; for an adapter of others its folder."""
    name: str
    task_id: str
    """Empty for an adapter of others."""


class ResultActions(ShowsFailures, Widget):
    """Keys and actions for the adapter that a screen has before it.

    To be named after the class that a screen otherwise is, so that it keeps its look.
    """

    session: Session

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "report", "Report", id="result.report",
                tooltip="What the training was worth, base beside adapter"),
        Binding("x", "export", "Export", id="result.export",
                tooltip="Export the adapter: as it is, merged, or as a GGUF file"),
        Binding("o", "deploy", "Ollama", id="result.deploy",
                tooltip="Deploy the adapter to Ollama"),
    ]  # fmt: skip

    @property
    def adapter(self) -> Finished | None:
        """The adapter that the actions are for."""
        raise NotImplementedError

    def action_report(self) -> None:
        """Open the report of the adapter's task."""
        from screens.report import ReportScreen

        if (adapter := self.adapter) is not None:
            open_above(self, ReportScreen(self.session, adapter.task_id))

    def action_export(self) -> None:
        """Ask how to export the adapter, and start that."""
        from screens.results_dialogs import ExportDialog

        if (adapter := self.adapter) is not None:
            folder, start = str(self.session.home.exports), self.session.client.export
            self._ask(ExportDialog(adapter.source, adapter.name, folder, start))

    def action_deploy(self) -> None:
        """Ask how to deploy the adapter, and start that."""
        from engine.results.ollama.host import VARIABLE
        from screens.results_dialogs import DeployDialog

        if (adapter := self.adapter) is not None:
            host, start = os.environ.get(VARIABLE, ""), self.session.client.deploy
            self._ask(DeployDialog(adapter.source, adapter.name, host, start))

    def _ask(self, dialog: ResultDialog) -> None:
        """Ask, and show the job that was started."""
        open_above(self, dialog, self.show_job)

    def show_job(self, job: Job | None) -> None:
        """Show a job; it goes on when its screen is left."""
        from screens.job import JobScreen

        if job is not None:
            open_above(self, JobScreen(self.session, job))
