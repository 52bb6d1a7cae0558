"""Asking how a finished adapter is to be exported, or deployed to Ollama."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Input, Static

from engine.errors import LoraDeckError
from engine.language import mark, tr
from engine.results.export.types import DeployRequest, ExportRequest, Format, Quantization
from engine.text import visible
from screens.base import ShowsFailures
from screens.export_words import FORMATS, WEIGHTS, weights_words
from screens.format import one_line, refusal_words
from screens.layers import Dialog
from screens.widgets.choice_row import ChoiceRow
from screens.widgets.field import Field, PathField
from screens.widgets.field_row import FieldRow
from screens.widgets.keys_line import KeysLine

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import ComposeResult

    from engine.jobs.types import Job

_GATE = mark("The same questions go through the adapter and through what is made: they must agree.")
_LOCAL = "http://127.0.0.1:11434"
_REFUSED, _REPLACED = mark("is refused"), mark("is replaced, once the new one has passed")


class ResultDialog(ShowsFailures, Dialog["Job | None"]):
    """Answers with the job that was started; why none could be is said beneath."""

    CSS_PATH = "results_dialogs.tcss"
    AUTO_FOCUS = "ChoiceRow, Field"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "start", "Start", key_display="enter", id="making.start",
                tooltip="Start it as a job of its own"),
        Binding("down", "app.focus_next", "Line", key_display="↑↓", id="making.next",
                tooltip="Next line", priority=True),
        Binding("escape", "back", "Back", key_display="esc", id="making.back",
                tooltip="Start nothing"),
        Binding("up", "app.focus_previous", "Previous", show=False, id="making.previous",
                tooltip="Line before", priority=True),
        Binding("j", "app.focus_next", "Next", show=False, id="making.down", tooltip="Next line"),
        Binding("k", "app.focus_previous", "Previous", show=False, id="making.up",
                tooltip="Line before"),
    ]  # fmt: skip

    TITLE_WORDS: ClassVar[str]

    def __init__(self, source: str, name: str) -> None:
        super().__init__()
        self._source, self._called = source, name
        self._starting = False

    def compose(self) -> ComposeResult:
        """Lay out the lines and what comes of it."""
        with Vertical(classes="dialog") as box:
            box.border_title = Content(tr(self.TITLE_WORDS, name=one_line(self._called)))
            yield from self.compose_lines()
            yield Static(tr(_GATE), markup=False, classes="label", id="gate")
            yield Static(id="problem", markup=False)
            yield KeysLine()

    def compose_lines(self) -> ComposeResult:
        """Give the dialog's own lines."""
        raise NotImplementedError

    async def begin(self) -> Job:
        """Have the engine start what the lines say."""
        raise NotImplementedError

    def quantize(self) -> Quantization:
        """Give the number format that is chosen."""
        return cast("Quantization", self.query_one("#quantize", ChoiceRow).value)

    @on(ChoiceRow.Turned, "#quantize")
    def say_weights(self) -> None:
        """Say what the chosen number format costs."""
        self.query_one("#weights", Static).update(weights_words(self.quantize()))

    @on(Input.Submitted)
    def action_start(self) -> None:
        """Start, unless that is being done."""
        if not self._starting:
            self._starting = True
            self._say(tr("Starting…"), "$muted")
            self._start()

    @work(group="start", exclusive=True, exit_on_error=False)
    async def _start(self) -> None:
        """Start and answer, or say what stands in the way."""
        try:
            self.dismiss(await self.begin())
        except LoraDeckError as error:
            self._say(f"✗ {refusal_words(error)}", "$text-error")
        finally:
            self._starting = False

    def _say(self, words: str, style: str) -> None:
        """Show words beneath the lines."""
        self.query_one("#problem", Static).update(Content.styled(visible(words), style))

    def action_back(self) -> None:
        """Go back; a start that has begun is waited for."""
        if not self._starting:
            self.dismiss(None)


class ExportDialog(ResultDialog):
    """Asks for form, number format and folder.

    Args:
        source: A task's id, or the adapter's folder.
        name: Of the adapter, as the user knows it.
        folder: Where exports go without another word.
        start: Has the engine start the export.
    """

    TITLE_WORDS = mark("Export {name}")

    def __init__(
        self, source: str, name: str, folder: str, start: Callable[[ExportRequest], Awaitable[Job]]
    ) -> None:
        super().__init__(source, name)
        self._folder, self._request = folder, start

    def compose_lines(self) -> ComposeResult:
        """Lay out form, number format and folder."""
        yield ChoiceRow(tr("format"), list(FORMATS), "gguf", id="format")
        yield Static(tr(FORMATS["gguf"]), markup=False, classes="words", id="form")
        yield ChoiceRow(tr("weights"), list(WEIGHTS), "q8_0", id="quantize")
        yield Static(weights_words("q8_0"), markup=False, classes="words", id="weights")
        yield FieldRow(tr("folder"), PathField(self._folder, id="folder"))

    @on(ChoiceRow.Turned, "#format")
    def _turned(self) -> None:
        """Say what the form is for; only one file has number formats."""
        form = self._form()
        self.query_one("#form", Static).update(tr(FORMATS[form]))
        self.query_one("#quantize").display = form == "gguf"
        self.query_one("#weights").display = form == "gguf"
        self.query_one("#gate").display = form != "adapter"

    def _form(self) -> Format:
        """Give the form that is chosen."""
        return cast("Format", self.query_one("#format", ChoiceRow).value)

    async def begin(self) -> Job:
        """Have the engine start the export."""
        out = self.query_one("#folder", PathField).value.strip()
        request = ExportRequest(
            source=self._source, format=self._form(), quantize=self.quantize(), out=out
        )
        return await self._request(request)


class DeployDialog(ResultDialog):
    """Asks what the model is called at Ollama, where that is, and how it is to speak.

    Args:
        source: A task's id, or the adapter's folder.
        name: Of the adapter, as the user knows it.
        host: Where Ollama listens without another word; empty where the engine knows best.
        start: Has the engine start the deployment.
    """

    TITLE_WORDS = mark("Deploy {name} to Ollama")

    system = query_one("#system", Field)

    def __init__(
        self, source: str, name: str, host: str, start: Callable[[DeployRequest], Awaitable[Job]]
    ) -> None:
        super().__init__(source, name)
        self._host, self._request = host, start

    def compose_lines(self) -> ComposeResult:
        """Lay out name, host, system prompt, number format, and what becomes of another model."""
        name = Field(tr("made from the adapter's name"), id="name")
        yield FieldRow(tr("name"), name)
        yield FieldRow(tr("host"), Field(self._host or _LOCAL, id="host"))
        yield FieldRow(tr("system prompt"), Field(tr("none"), id="system"))
        yield ChoiceRow(tr("weights"), list(WEIGHTS), "q8_0", id="quantize")
        yield Static(weights_words("q8_0"), markup=False, classes="words", id="weights")
        taken = [tr(_REFUSED), tr(_REPLACED)]
        yield ChoiceRow(tr("same name"), taken, taken[0], id="taken")

    async def begin(self) -> Job:
        """Have the engine start the deployment."""
        request = DeployRequest(
            source=self._source,
            name=self.query_one("#name", Field).value.strip(),
            host=self.query_one("#host", Field).value.strip() or self._host,
            quantize=self.quantize(),
            system=self.system.value,
            replace=self.query_one("#taken", ChoiceRow).value == tr(_REPLACED),
        )
        return await self._request(request)
