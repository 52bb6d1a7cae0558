"""One export or deployment: how far it is, what it made, and what the gate found."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual import work
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Static

from engine.errors import EngineUnavailableError
from engine.language import mark, tr
from engine.text import visible
from screens.base import DeckScreen, back_binding
from screens.dialogs import ConfirmDialog
from screens.following_jobs import followed
from screens.format import one_line
from screens.job_words import (
    difference_lines,
    ended_words,
    failure_lines,
    gate_lines,
    job_sign,
    kind_words,
    made_lines,
    refused,
    share_words,
    stage_words,
)
from screens.layers import ask
from screens.widgets.facts import Facts
from screens.widgets.findings import TONES

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from engine.jobs.types import Job
    from screens.messages import EngineStatusChanged
    from screens.session import Session

_PERCENT = 6
_LEAVE = mark("It goes on when you leave this screen. Jobs, in the palette (^p), finds it again.")


class JobScreen(DeckScreen[None]):
    """Follows one job; it goes on when the screen is left."""

    CSS_PATH = "job.tcss"
    AUTO_FOCUS = "#body"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "cancel", "Cancel", id="job.cancel",
                tooltip="Cancel the job; what is half written is removed"),
        Binding("f", "force", "Make it anyway", id="job.force",
                tooltip="Make it although it speaks otherwise than the adapter"),
        Binding("y", "copy_path", "Copy path", id="job.copy",
                tooltip="Copy the path of what was made"),
        Binding("d", "forget", "Forget", id="job.forget",
                tooltip="Take the ended job off the list; what it made stays"),
        Binding("j", "scroll(1)", "Down", show=False, id="job.down", tooltip="Scroll down"),
        Binding("k", "scroll(-1)", "Up", show=False, id="job.up", tooltip="Scroll up"),
        back_binding(),
    ]  # fmt: skip

    body = query_one("#body", VerticalScroll)

    def __init__(self, session: Session, job: Job) -> None:
        super().__init__(session)
        self.job = job

    def heading(self) -> str:
        """Name what is made of what."""
        return one_line(self.job.title)

    def compose_body(self) -> ComposeResult:
        """Lay out state, result, refusal and the gate's table."""
        with VerticalScroll(id="body"):
            yield Static(id="state", markup=False)
            yield Static(id="failure", markup=False)
            yield Facts(id="made")
            yield Static(id="table", markup=False)
            yield Facts(id="problems")

    def on_mount(self) -> None:
        """Show the job as it is, and follow it."""
        titles = {
            "state": kind_words(self.job),
            "failure": tr("Why"),
            "made": tr("What was made"),
            "table": tr("Does it speak like the adapter?"),
            "problems": tr("Where it differs first"),
        }
        for part, title in titles.items():
            self.query_one(f"#{part}").border_title = title
        self._show()
        self._follow()

    def on_resize(self, _: events.Resize) -> None:
        """Draw for the new width."""
        self.call_after_refresh(self._show)

    # What happens

    @work(group="follow", exclusive=True, exit_on_error=False)
    async def _follow(self) -> None:
        """Show what becomes of the job, until it has ended; a lost engine is waited for."""
        if self.job.ended:
            return
        try:
            async for job in followed(self.session.client, self.job.id):
                self.job = job
                self._show()
        except EngineUnavailableError:
            return  # the app reconnects, and on_engine_status_changed follows on
        self.refresh_bindings()

    def on_engine_status_changed(self, message: EngineStatusChanged) -> None:
        """Follow on where the engine was away."""
        super().on_engine_status_changed(message)
        if self.session.status.state == "ready":
            self._follow()

    def _show(self) -> None:
        """Show the job; a part without words is hidden."""
        job = self.job
        width = max(self.body.scrollable_content_region.width - 4, 1)
        gate = job.exported.gate if job.exported else ()
        self._put("state", self._state(width))
        self._put("failure", failure_lines(job))
        self.query_one("#made", Facts).put(made_lines(job))
        self._put("table", gate_lines(gate, width) if gate else [])
        self.query_one("#problems", Facts).put(difference_lines(gate))

    def _put(self, part: str, lines: list[Content]) -> None:
        """Show a part's lines."""
        area = self.query_one(f"#{part}", Static)
        area.update(Content("\n").join(lines))
        area.display = bool(lines)

    def _state(self, width: int) -> list[Content]:
        """Say what the job does, with its bar, and when it began or ended."""
        job = self.job
        sign = job_sign(job)
        left = Content.assemble((sign.shown, f"bold {TONES[sign.tone]}"))
        if not job.ended:
            left = left.append(f" · {stage_words(job)}")
        right = ended_words(job, self.session.now())
        room = max(width - cell_len(right) - 1, 0)
        first = Content.assemble(
            left.truncate(room, ellipsis=True, pad=True), (f" {right}", "$muted")
        )
        if job.ended:
            return [first]
        return [first, self._bar(width), Content(), Content.styled(tr(_LEAVE), "$muted")]

    def _bar(self, width: int) -> Content:
        """Draw how far the job is; where that is not known, an empty bar."""
        room = max(width - _PERCENT, 0)
        filled = round((self.job.progress or 0) * room)
        share = share_words(self.job).rjust(_PERCENT)
        return Content.assemble(
            ("━" * filled, TONES["run"]), ("─" * (room - filled), "$faint"), share
        )

    # What the user does

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Offer what the job's state allows."""
        made = self.job.exported
        return {
            "cancel": not self.job.ended,
            "force": refused(self.job) and self.job.request is not None,
            "copy_path": bool(made and (made.path or made.ollama_name)),
            "forget": self.job.ended,
        }.get(action, True)

    @work(group="action", exclusive=True, exit_on_error=False)
    async def action_cancel(self) -> None:
        """Cancel the job, once the user has confirmed it."""
        if await ask(self, cancel_question(self.job)):
            await self.session.client.cancel_job(self.job.id)

    @work(group="action", exclusive=True, exit_on_error=False)
    async def action_force(self) -> None:
        """Make what the gate refused, once the user has confirmed it."""
        question = ConfirmDialog(
            tr("Make it anyway?"),
            tr("'{title}' speaks otherwise than the adapter that was trained. It is made once more"
               " and kept whatever the gate finds.", title=self.job.title),
            yes=tr("Make it anyway"), no=tr("Let it be"),
        )  # fmt: skip
        if await ask(self, question):
            self.app.switch_screen(JobScreen(self.session, await self._forced()))

    async def _forced(self) -> Job:
        """Have the same done once more, whatever the gate finds."""
        from engine.results.export.types import ExportRequest

        request, client = self.job.request, self.session.client
        assert request is not None  # noqa: S101 - the key is not offered otherwise
        if isinstance(request, ExportRequest):
            return await client.export(request.model_copy(update={"force": True}))
        return await client.deploy(request.model_copy(update={"force": True}))

    def action_copy_path(self) -> None:
        """Copy the path, or the name at Ollama, through the terminal."""
        if (made := self.job.exported) is not None:
            words = made.ollama_name or made.path
            self.app.copy_to_clipboard(words)
            self.notify(visible(words), title=tr("Copied"), markup=False)

    @work(group="action", exclusive=True, exit_on_error=False)
    async def action_forget(self) -> None:
        """Take the ended job off the list."""
        await self.session.client.forget_job(self.job.id)
        self.dismiss(None)

    def action_scroll(self, by: int) -> None:
        """Scroll."""
        self.body.scroll_relative(y=by, animate=False)

    def action_back(self) -> None:
        """Go back; the job goes on."""
        self.dismiss(None)


def cancel_question(job: Job) -> ConfirmDialog:
    """Ask whether a job is to be cancelled."""
    return ConfirmDialog(
        tr("Cancel the export?") if job.kind == "export" else tr("Cancel the deployment?"),
        tr("'{title}' ends, and what is half written is removed.", title=job.title),
        yes=tr("Cancel it"), no=tr("Let it go on"),
    )  # fmt: skip
