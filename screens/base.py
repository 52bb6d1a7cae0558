"""What every full screen has: header, footer, the session, and one place for failures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.screen import ScreenResultType
from textual.worker import Worker, WorkerState

from engine.language import tr
from screens.layers import Layer
from screens.widgets.header import DeckHeader
from screens.widgets.keys_line import KeysLine

if TYPE_CHECKING:
    from textual.app import App, ComposeResult
    from textual.widget import Widget

    from screens.messages import EngineStatusChanged, TasksChanged
    from screens.session import Session


def show_failure(app: App[Any], error: BaseException) -> None:
    """Show a failure as a dialog; the same one is not shown twice at a time."""
    from screens.dialogs import ErrorDialog, as_shown

    shown = as_shown(error)
    if any(
        isinstance(screen, ErrorDialog) and screen.error.args == shown.args
        for screen in app.screen_stack
    ):
        return
    app.push_screen(ErrorDialog(error))


class ShowsFailures:
    """For the app and every screen: a worker that fails becomes a dialog."""

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Show what a failed worker raised."""
        error = event.worker.error
        if event.state is WorkerState.ERROR and error is not None:
            app = event.worker.node.app
            app.log.error(repr(error))
            show_failure(app, error)


class DeckScreen(ShowsFailures, Layer[ScreenResultType]):
    """A full screen of the dashboard."""

    HEADING: ClassVar[str] = ""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._behind = False

    def compose(self) -> ComposeResult:
        """Put header and footer around the screen's own parts."""
        yield DeckHeader(self.session, self.heading())
        yield from self.compose_body()
        yield KeysLine()

    def compose_body(self) -> ComposeResult:
        """Give the screen's own parts."""
        raise NotImplementedError

    @property
    def unsaved(self) -> bool:
        """Tell whether closing the screen now would lose what the user wrote."""
        return False

    def heading(self) -> str:
        """Say where one is."""
        return tr(self.HEADING)

    def tell(self, message: TasksChanged) -> None:
        """Send the screen a message, unless it lies under another one, and catches up later.

        For each message to a screen beneath, Textual draws the one above it anew.
        """
        if self.is_active:
            self.post_message(message)
        else:
            self._behind = True

    def on_tasks_changed(self, message: TasksChanged) -> None:
        """Show what changed; under another screen, drawing would draw that one anew."""
        if self.is_active:
            self.show_tasks(message)
        else:
            self._behind = True

    def on_screen_resume(self) -> None:
        """Catch up with what changed meanwhile."""
        if self._behind:
            self._behind = False
            self.show_tasks(None)

    def show_tasks(self, message: TasksChanged | None) -> None:  # noqa: ARG002
        """Show the tasks that a message names, or all of them."""
        self.query_one(DeckHeader).look()

    def on_engine_status_changed(self, _: EngineStatusChanged) -> None:
        """Show the engine's state in the header."""
        self.query_one(DeckHeader).refresh()

    def focus_if(self, widget: Widget) -> None:
        """Move the focus at once, so that a key typed right after it goes there."""
        if widget.focusable:
            self.set_focus(widget)


def back_binding(action: str = "back") -> BindingType:
    """Give the keys that lead back to the screen before."""
    return Binding("escape,q", action, "Back", key_display="esc", id="screen.back",
                   tooltip="Back to the screen before")  # fmt: skip
