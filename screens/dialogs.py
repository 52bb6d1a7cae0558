"""Dialogs: a failure in words, and a question before something that cannot be undone."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, ClassVar, Literal

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ScreenResultType
from textual.widgets import Button, Static

from engine.errors import LoraDeckError
from engine.language import tr
from engine.text import visible
from screens.format import hint_words, one_line
from screens.layers import Dialog

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import ComposeResult


class ErrorDialog(Dialog[None]):
    """A failure: what went wrong, a sentence, and what to do next; its details on demand."""

    CSS_PATH = "dialogs.tcss"
    AUTO_FOCUS = "#close"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "details", "Details", id="error.details",
                tooltip="Show where it failed, or put that away"),
        Binding("escape,q", "dismiss(None)", "Close", id="error.close", tooltip="Close"),
    ]  # fmt: skip

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = as_shown(error)
        self._details = details_of(error)

    def compose(self) -> ComposeResult:
        """Lay the words out."""
        with Vertical(classes="dialog -error") as box:
            box.border_title = Content(f"✗ {one_line(self.error.title)}")
            yield Static(visible(self.error.message), markup=False)
            if self.error.hint:
                yield Static(hint_words(self.error.hint), markup=False, classes="hint")
            with Horizontal(classes="buttons"):
                if self._details:
                    yield Button(Content(f"{tr('Details')}  d"), id="details", compact=True)
                yield Button(tr("Close"), id="close", compact=True)
            if self._details:
                with VerticalScroll(id="trace"):
                    yield Static(visible(self._details), markup=False)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Close the dialog, or show more."""
        if event.button.id == "details":
            self.action_details()
        else:
            self.dismiss(None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Offer details where there are any."""
        return action != "details" or bool(self._details)

    def action_details(self) -> None:
        """Show the details, at their end, or put them away."""
        trace = self.query_one("#trace")
        trace.toggle_class("-shown")
        trace.scroll_end(animate=False)


class QuestionDialog(Dialog[ScreenResultType]):
    """A question with a safe answer, which comes first and has the focus, and ones that act.

    Args:
        answers: By the letter of each one's key, its words and what it answers with.
    """

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l", "app.focus_next", "Next answer", show=False, id="question.next",
                tooltip="Go to the next answer"),
        Binding("left,h", "app.focus_previous", "Answer before", show=False,
                id="question.previous", tooltip="Go to the answer before"),
    ]  # fmt: skip

    def __init__(
        self, title: str, question: str, answers: Mapping[str, tuple[str, ScreenResultType]]
    ) -> None:
        super().__init__()
        self._title, self._question, self._answers = title, question, answers

    def compose(self) -> ComposeResult:
        """Lay the question out."""
        with Vertical(classes="dialog") as box:
            box.border_title = Content(one_line(self._title))
            yield Static(visible(self._question), markup=False)
            with Horizontal(classes="buttons"):
                for place, (key, (words, _)) in enumerate(self._answers.items()):
                    label = Content(f"{words}  {key}")
                    variant: Literal["error", "default"] = "error" if place else "default"
                    yield Button(label, id=key, variant=variant, compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer."""
        _, answer = self._answers[event.button.id or ""]
        self.dismiss(answer)


class ConfirmDialog(QuestionDialog[bool]):
    """A question before something that cannot be undone."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "dismiss(True)", "Yes", id="confirm.yes", tooltip="Do it"),
        Binding("n,escape,q", "dismiss(False)", "No", id="confirm.no", tooltip="Leave it"),
    ]

    def __init__(self, title: str, question: str, *, yes: str, no: str) -> None:
        super().__init__(title, question, {"n": (no, False), "y": (yes, True)})


class CancelDialog(QuestionDialog[bool | None]):
    """Asks what becomes of a task's checkpoints; ``None`` where it is not to be cancelled."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "dismiss(True)", "Cancel, keep", id="cancel.keep",
                tooltip="Cancel, and keep the checkpoints"),
        Binding("d", "dismiss(False)", "Cancel, drop", id="cancel.drop",
                tooltip="Cancel, and drop the checkpoints"),
        Binding("n,escape,q", "dismiss(None)", "Let it be", id="cancel.no",
                tooltip="Do not cancel"),
    ]  # fmt: skip

    def __init__(self, name: str) -> None:
        super().__init__(
            tr("Cancel the training?"),
            tr(
                "'{name}' ends without an adapter. With its checkpoints kept it can be resumed"
                " later; once they are dropped, what it has learnt is lost.",
                name=name,
            ),
            {
                "n": (tr("Let it be"), None),
                "k": (tr("Cancel, keep"), True),
                "d": (tr("Cancel, drop"), False),
            },
        )


def details_of(error: BaseException) -> str:
    """Tell where a failure comes from; empty where its own words say all that is known."""
    if isinstance(error, LoraDeckError):
        error = error.__cause__ or error
    known = isinstance(error, LoraDeckError)
    return "" if known else "".join(traceback.format_exception(error)).strip()


def as_shown(error: BaseException) -> LoraDeckError:
    """Put a failure that has no words of its own into some; never a traceback."""
    if isinstance(error, LoraDeckError):
        return error
    return LoraDeckError(
        tr("Something went wrong"),
        f"{type(error).__name__}: {error}" if str(error) else type(error).__name__,
        tr("That is a fault of LoRADeck, not yours. Trainings go on; close this and try again."),
    )
