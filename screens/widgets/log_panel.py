"""A task's log with the line in which one types what to search for."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Input

from engine.language import tr
from screens.widgets.task_log import TaskLog

if TYPE_CHECKING:
    from textual.app import ComposeResult


class LogPanel(Vertical):
    """The line shows only while it is typed in; what it found stays marked until Escape."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "end_search", "End search", key_display="esc", show=False,
                id="log.end_search", tooltip="End the search in the log"),
    ]  # fmt: skip

    DEFAULT_CSS = """
    LogPanel {
        & > TaskLog { height: 1fr; }
        & > Input { display: none; height: 1; border: none; padding: 0 1; }
        & > Input.-open { display: block; }
    }
    """

    log_lines = query_one(TaskLog)
    field = query_one(Input)

    def compose(self) -> ComposeResult:
        """Put the line below the log."""
        yield TaskLog(id="log")
        yield Input(placeholder=tr("Search the log"), id="search", compact=True)

    def begin_search(self) -> None:
        """Let the user type what to search for."""
        self.field.add_class("-open")
        self.screen.set_focus(self.field)
        self.field.call_after_refresh(self.field.scroll_visible, animate=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search while it is typed."""
        event.stop()
        self.log_lines.search(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go back to the log, with the matches marked."""
        event.stop()
        self._close()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """End a search only while there is one; else Escape leaves the screen."""
        return action != "end_search" or self.log_lines.searching or self.field.has_class("-open")

    def action_end_search(self) -> None:
        """End the search: nothing is marked, and the log follows again."""
        self.field.value = ""
        self.log_lines.search("")
        self.log_lines.follow()
        self._close()

    def _close(self) -> None:
        """Put the line away; the focus goes first, so that the log has it."""
        self.screen.set_focus(self.log_lines)
        self.field.remove_class("-open")
