"""A tour of five cards for whoever is new here; it is offered, and never in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.reactive import var
from textual.widgets import Static

from engine.language import mark, tr
from screens.layers import Dialog
from screens.widgets.keys_line import KeysLine

if TYPE_CHECKING:
    from textual.app import ComposeResult

CARDS: tuple[tuple[str, str], ...] = (
    (
        mark("What LoRADeck does"),
        mark(
            "It teaches a language model from your own examples. What is trained is a small"
            " adapter (LoRA); the model's own weights stay as they are. Nothing has to be set."
        ),
    ),
    (
        mark("Three steps"),
        mark(
            "A dataset (d), a base model (m) and a name, then start (s). A path pasted into the"
            " terminal chooses that dataset, whatever its format; samples and a demo model are"
            " there already."
        ),
    ),
    (
        mark("The plan"),
        mark(
            "Every parameter follows from your data, the model and this machine. p shows each of"
            " them with its reason, and what memory and disk the training needs; Enter sets a"
            " value yourself."
        ),
    ),
    (
        mark("Tasks go on without you"),
        mark(
            "Close LoRADeck or lose the link: trainings go on, and are there when you come back."
            " A finished one has a report of what it was worth, can be talked to (c) and exported"
            " (x)."
        ),
    ),
    (
        mark("Keys"),
        mark(
            "? lists the keys of the screen that you are on, ctrl+p finds every command and every"
            " task by its name, and the comma opens the settings: colours, language, keys of your"
            " own."
        ),
    ),
)


class TourScreen(Dialog[None]):
    """Shows one card after the other."""

    CSS_PATH = "tour.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,right,l,space", "turn(1)", "Next", key_display="enter", id="tour.next",
                tooltip="The next card; after the last one, close the tour"),
        Binding("left,h", "turn(-1)", "Before", key_display="←", id="tour.before",
                tooltip="The card before"),
        Binding("escape,q", "dismiss(None)", "Close", key_display="esc", id="tour.close",
                tooltip="Close the tour"),
    ]  # fmt: skip

    place: var[int] = var(0, init=False)

    box = query_one("#card", Vertical)

    def compose(self) -> ComposeResult:
        """Lay out a card, and how many there are."""
        with Vertical(id="card"):
            yield Static(id="words", markup=False)
            yield Static(id="places", markup=False)
            yield KeysLine()

    def on_mount(self) -> None:
        """Show the first card."""
        self.watch_place()

    def watch_place(self) -> None:
        """Show a card."""
        title, words = CARDS[self.place]
        self.box.border_title = Content(tr(title))
        self.query_one("#words", Static).update(tr(words))
        dots = " ".join("●" if n == self.place else "○" for n in range(len(CARDS)))
        far = tr("{place} of {count}", place=self.place + 1, count=len(CARDS))
        self.query_one("#places", Static).update(Content.styled(f"{dots}  {far}", "$muted"))

    def action_turn(self, by: int) -> None:
        """Show the next card or the one before; behind the last one the tour ends."""
        if self.place + by >= len(CARDS):
            self.dismiss(None)
        else:
            self.place = max(self.place + by, 0)
