"""The system prompt and the sampling settings of a chat's next answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Input, Static, TextArea

from engine.errors import LoraDeckError
from engine.language import mark, tr
from engine.results.chat.types import Sampling
from engine.text import visible
from screens.layers import Dialog
from screens.widgets.edit_area import EditArea
from screens.widgets.keys_line import KeysLine
from screens.widgets.sampling_fields import SamplingFields

if TYPE_CHECKING:
    from textual.app import ComposeResult

_PROMPT = mark("System prompt: what the model is told before all else")


class SettingsDialog(Dialog[tuple[str, Sampling] | None]):
    """Answers with system prompt and settings, or with nothing where they stay."""

    CSS_PATH = "chat_settings.tcss"
    AUTO_FOCUS = "EditArea"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "take", "Take them", id="chat_settings.take",
                tooltip="Use these settings from the next answer on"),
        Binding("f3", "usual", "As usual", id="chat_settings.usual",
                tooltip="Put the usual sampling settings back"),
        Binding("tab", "app.focus_next", "Next field", id="chat_settings.next",
                tooltip="Next field"),
        Binding("shift+tab,up", "app.focus_previous", "Field before", show=False,
                id="chat_settings.previous", tooltip="Field before"),
        Binding("down", "app.focus_next", "Next field", show=False, id="chat_settings.down",
                tooltip="Next field"),
        Binding("escape", "dismiss(None)", "Back", key_display="esc", id="chat_settings.back",
                tooltip="Leave the settings as they are"),
    ]  # fmt: skip

    area = query_one(EditArea)
    fields = query_one(SamplingFields)

    def __init__(self, system: str, sampling: Sampling) -> None:
        super().__init__()
        self._system, self._sampling = system, sampling

    def compose(self) -> ComposeResult:
        """Lay out prompt, settings and what is wrong with them."""
        with VerticalScroll(classes="dialog", can_focus=False) as box:
            box.border_title = tr("Settings of the next answer")
            yield EditArea(tr(_PROMPT), visible(self._system))
            yield SamplingFields(self._sampling)
            yield Static(id="problem", markup=False)
            yield KeysLine()

    @on(Input.Changed)
    @on(TextArea.Changed)
    def _read(self) -> Sampling | None:
        """Read the settings; what is out of range is said beneath them."""
        problem, sampling = "", None
        try:
            sampling = self.fields.read()
        except LoraDeckError as error:
            problem = f"✗ {visible(error.message)}"
        self.query_one("#problem", Static).update(Content.styled(problem, "$text-error"))
        return sampling

    @on(Input.Submitted)
    def action_take(self) -> None:
        """Answer with the settings, where they will do."""
        if (sampling := self._read()) is not None:
            self.dismiss((self.area.text.strip(), sampling))

    def action_usual(self) -> None:
        """Put the usual settings back."""
        self.fields.put(Sampling())
