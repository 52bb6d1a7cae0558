"""The keys of the screen beneath, and the words the program uses, a sentence each."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Static

from engine.language import mark, tr
from screens.layers import Dialog

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import ComposeResult
    from textual.screen import Screen

CONCEPTS = {
    mark("Dataset"): mark(
        "A file of questions with answers, in any common format; the answers are learned."
    ),
    mark("Base model"): mark(
        "The language model that you start from; its weights stay as they are."
    ),
    mark("Adapter"): mark(
        "What a training makes: small matrices (LoRA) that change what the base says."
    ),
    mark("Task"): mark(
        "One training run. It goes on when you close LoRADeck or lose the connection."
    ),
    mark("Plan"): mark(
        "Every parameter of a run, chosen from your data, the model and this machine."
    ),
    mark("Preset"): mark(
        "A named set of values that a plan starts from; it goes before the rules."
    ),
    mark("Queue"): mark(
        "Tasks that wait for memory: those of higher priority first, then in their order."
    ),
    mark("Checkpoint"): mark(
        "What a training saves on its way; a paused or interrupted one goes on from it."
    ),
    mark("Step"): mark(
        "One change of the adapter's weights, learnt from one effective batch of rows."
    ),
    mark("Assistant"): mark(
        "A base, an adapter, a system prompt and sampling settings under one name."
    ),
    mark("Report"): mark(
        "What a finished training was worth: base beside adapter, measured and in answers."
    ),
    mark("GGUF"): mark(
        "A model in one file, for llama.cpp and Ollama; q8_0 and the like make it smaller."
    ),
    mark("Job"): mark(
        "An export or a deployment; like a task, it goes on when you close LoRADeck."
    ),
    mark("Gate"): mark(
        "The same questions to the adapter and to what was exported: they must agree."
    ),
    mark("Loss"): mark("How badly the answers are predicted; it falls while the adapter learns."),
    mark("Engine"): mark(
        "The process behind the dashboard that queues, starts and watches the trainings."
    ),
}
_PALETTE = ("^p", mark("Find and run any command, or open a task by its name"))


class HelpScreen(Dialog[None]):
    """Help for the screen that it was called from."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "dismiss(None)", "Close", id="help.close",
                tooltip="Close the help"),
        Binding("t", "tour", "Tour", id="help.tour", tooltip="A short tour of LoRADeck"),
        Binding("j", "scroll(1)", "Down", show=False, id="help.down", tooltip="Scroll down"),
        Binding("k", "scroll(-1)", "Up", show=False, id="help.up", tooltip="Scroll up"),
    ]  # fmt: skip

    def __init__(self, below: Screen[object]) -> None:
        super().__init__()
        self._rows = keys_of(below)

    def compose(self) -> ComposeResult:
        """Lay out keys and words."""
        with VerticalScroll(id="help") as box:
            box.border_title = tr("Help")
            box.border_subtitle = tr("t: a short tour · esc closes")
            yield from _section(mark("Keys here"), [*self._rows, _PALETTE])
            yield from _section(mark("Words"), CONCEPTS.items(), "words-title")

    def action_tour(self) -> None:
        """Show the tour in place of the help."""
        self.app.call_later(self.app.run_action, "app.tour")
        self.dismiss(None)

    def action_scroll(self, by: int) -> None:
        """Scroll by a line."""
        self.query_one("#help").scroll_relative(y=by, animate=False)


def keys_of(screen: Screen[object]) -> list[tuple[str, str]]:
    """List a screen's keys as they stand, with what each does; one line an action."""
    keys: dict[str, list[str]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if binding.id and binding.tooltip and active.enabled:
            display = screen.app.get_key_display(binding).replace("⏎", "enter")
            keys.setdefault(binding.tooltip, []).append(display)
    return [(" ".join(dict.fromkeys(names)), words) for words, names in keys.items()]


def _section(title: str, rows: Iterable[tuple[str, str]], kind: str = "") -> ComposeResult:
    """Give a heading and its rows."""
    yield Static(tr(title), markup=False, classes=f"title {kind}")
    for name, words in rows:
        with Horizontal(classes="row"):
            yield Static(tr(name), markup=False, classes="name")
            yield Static(tr(words), markup=False, classes="words")
