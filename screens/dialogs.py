"""Dialogs: a failure in words, and a question before something that cannot be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from engine.errors import LoraDeckError
from engine.text import visible
from screens.format import one_line

if TYPE_CHECKING:
    from textual.app import ComposeResult


class ErrorDialog(ModalScreen[None]):
    """A failure: what went wrong, a sentence, and what to do next."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "Close", id="error.close", tooltip="Close"),
    ]

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = as_shown(error)

    def compose(self) -> ComposeResult:
        """Lay the words out."""
        with Vertical(classes="dialog -error") as box:
            box.border_title = Content(f" ✗ {one_line(self.error.title)} ")
            yield Static(visible(self.error.message), markup=False)
            if self.error.hint:
                yield Static(visible(self.error.hint), markup=False, classes="hint")
            with Horizontal(classes="buttons"):
                yield Button("Close", id="close", compact=True)

    def on_button_pressed(self) -> None:
        """Close the dialog."""
        self.dismiss(None)


class ConfirmDialog(ModalScreen[bool]):
    """A question with a safe answer, which has the focus, and one that acts."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "dismiss(True)", "Yes", id="confirm.yes", tooltip="Do it"),
        Binding("n,escape,q", "dismiss(False)", "No", id="confirm.no", tooltip="Leave it"),
        Binding("left,right,h,l", "app.focus_next", "Other answer", show=False,
                id="confirm.other", tooltip="Go to the other answer"),
    ]  # fmt: skip

    def __init__(self, title: str, question: str, *, yes: str, no: str) -> None:
        super().__init__()
        self._title, self._question, self._yes, self._no = title, question, yes, no

    def compose(self) -> ComposeResult:
        """Lay the question out."""
        with Vertical(classes="dialog") as box:
            box.border_title = Content(f" {one_line(self._title)} ")
            yield Static(visible(self._question), markup=False)
            with Horizontal(classes="buttons"):
                yield Button(Content(f"{self._no}  n"), id="no", compact=True)
                yield Button(Content(f"{self._yes}  y"), id="yes", variant="error", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer."""
        self.dismiss(event.button.id == "yes")


def as_shown(error: BaseException) -> LoraDeckError:
    """Put a failure that has no words of its own into some; never a traceback."""
    if isinstance(error, LoraDeckError):
        return error
    return LoraDeckError(
        "Something went wrong",
        f"{type(error).__name__}: {error}" if str(error) else type(error).__name__,
        "That is a fault of LoRADeck, not yours. Trainings go on; close this and try again.",
    )
