"""Creating and editing an assistant."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.getters import query_one
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static, TextArea

from engine.errors import LoraDeckError
from engine.language import mark, tr
from engine.results.chat.types import Assistant
from engine.text import visible
from screens.base import DeckScreen
from screens.dialogs import ConfirmDialog
from screens.format import refusal_words
from screens.layers import ask, open_above
from screens.widgets.edit_area import EditArea
from screens.widgets.field import Field
from screens.widgets.sampling_fields import SamplingFields

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from engine.models.types import ModelInfo
    from engine.tasks.record import TaskRecord
    from screens.session import Session

_EMPTY = Assistant(name="", base_model="")
_FIELDS = {
    "name": (mark("name"), mark("by which it is called")),
    "description": (mark("description"), mark("what it is for")),
    "base_model": (mark("base model"), mark("a base model of this home: F3 lists them")),
    "adapter": (
        mark("adapter"), mark("a finished training (F3), an adapter's folder, or nothing"),
    ),
}  # fmt: skip
"""The name of each field, and what stands in it while it is empty."""
_TO_CHOOSE = ("base_model", "adapter")


class AssistantEditor(DeckScreen[Assistant | None]):
    """Answers with the assistant as the engine has kept it.

    Args:
        assistant: The one to edit; its name stays. ``None`` makes a new one.
    """

    CSS_PATH = "assistant_editor.tcss"
    AUTO_FOCUS = "Field:enabled"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "save", "Save", id="assistant.save", tooltip="Keep the assistant"),
        Binding("f3", "choose", "Choose", id="assistant.choose",
                tooltip="Choose base model or adapter from a list"),
        Binding("tab", "app.focus_next", "Next field", id="assistant.next", tooltip="Next field"),
        Binding("shift+tab,up", "app.focus_previous", "Field before", show=False,
                id="assistant.previous", tooltip="Field before"),
        Binding("down", "app.focus_next", "Next field", show=False, id="assistant.down",
                tooltip="Next field"),
        Binding("escape", "back", "Back", key_display="esc", id="assistant.back",
                tooltip="Back to the assistants without a change"),
    ]  # fmt: skip

    area = query_one(EditArea)
    sampling = query_one(SamplingFields)

    def __init__(self, session: Session, assistant: Assistant | None) -> None:
        super().__init__(session)
        self._new = assistant is None
        self._before = assistant or _EMPTY
        self._saving = False

    def heading(self) -> str:
        """Name the assistant."""
        return tr("New assistant") if self._new else tr("Edit {name}", name=self._before.name)

    def compose_body(self) -> ComposeResult:
        """Lay out the fields."""
        with VerticalScroll(id="form", can_focus=False) as form:
            form.border_title = tr("Assistant")
            for key, (name, placeholder) in _FIELDS.items():
                with Horizontal(classes="row"):
                    yield Static(tr(name), markup=False, classes="name")
                    yield self._field(key, tr(placeholder))
            yield EditArea(tr("System prompt"), visible(self._before.system))
            yield SamplingFields(self._before.sampling)
        yield Static(id="problem", markup=False)

    def _field(self, key: str, placeholder: str) -> Field:
        """Make a field; an adapter's name is completed from the finished trainings."""
        names = [task.task_name for task in self._finished()]
        suggester = SuggestFromList(names) if key == "adapter" else None
        field = Field(placeholder, suggester=suggester, id=key)
        field.value = getattr(self._before, key)
        field.disabled = key == "name" and not self._new
        return field

    def _finished(self) -> list[TaskRecord]:
        """Give the finished trainings, the last one first."""
        tasks = (view.task for view in self.session.tasks.values())
        done = [task for task in tasks if task.status == "completed"]
        return sorted(done, key=lambda task: task.created_at, reverse=True)

    # Reading what was written

    def _value(self, key: str) -> str:
        """Read a field."""
        return self.query_one(f"#{key}", Field).value.strip()

    def _written(self) -> Assistant:
        """Read the form.

        Raises:
            LoraDeckError: A setting is out of its range.
        """
        values = {key: self._value(key) for key in _FIELDS}
        return Assistant(**values, system=self.area.text.strip(), sampling=self.sampling.read())

    @property
    def unsaved(self) -> bool:
        """Tell whether something was written."""
        try:
            return self.is_mounted and self._written() != self._before
        except LoraDeckError:
            return True

    @on(Input.Changed)
    @on(TextArea.Changed)
    def _read(self) -> Assistant | None:
        """Read the form, or say what is wrong with it."""
        try:
            written = self._written()
        except LoraDeckError as error:
            self._refuse(error)
            return None
        self._tell("")
        return written

    def _refuse(self, error: LoraDeckError) -> None:
        """Say why the assistant cannot be kept so."""
        self._tell(f"✗ {refusal_words(error)}")

    def _tell(self, words: str) -> None:
        """Write what is wrong beneath the form."""
        words = visible(words)
        self.query_one("#problem", Static).update(Content.styled(words, "$text-error"))

    # What the user does

    @on(Input.Submitted)
    def action_save(self) -> None:
        """Keep the assistant, where everything will do."""
        if not self._saving and (written := self._read()) is not None:
            self._saving = True
            self._save(written)

    @work(group="save", exclusive=True, exit_on_error=False)
    async def _save(self, assistant: Assistant) -> None:
        """Have the engine keep it; what it refuses is said in words."""
        client = self.session.client
        keep = client.create_assistant if self._new else client.put_assistant
        try:
            await keep(assistant)
        except LoraDeckError as error:
            self._refuse(error)
        else:
            self.dismiss(assistant)
        finally:
            self._saving = False

    def action_choose(self) -> None:
        """Choose an adapter where its field has the focus, else a base model."""
        if self.focused is not None and self.focused.id == "adapter":
            from screens.adapter_dialog import AdapterDialog

            dialog = AdapterDialog(self._finished(), self._value("adapter"))
            open_above(self, dialog, self._adapter_chosen)
        else:
            from screens.model_picker import ModelPicker

            open_above(self, ModelPicker(self.session), self._model_chosen)

    def _model_chosen(self, model: ModelInfo | None) -> None:
        """Take the base model."""
        if model is not None:
            self._put("base_model", model.name)

    def _adapter_chosen(self, task: TaskRecord | None) -> None:
        """Take a training's adapter, and the base that it was trained on."""
        if task is not None:
            self._put("base_model", task.base_model)
            self._put("adapter", task.task_name)

    def _put(self, key: str, value: str) -> None:
        """Write into a field, and go on from there."""
        field = self.query_one(f"#{key}", Field)
        field.value = value
        self.set_focus(field)

    @work(group="back", exclusive=True, exit_on_error=False)
    async def action_back(self) -> None:
        """Leave without a change; what was written is asked about."""
        question = ConfirmDialog(
            tr("Drop what you wrote?"), tr("The assistant is not saved. Stay, and F2 saves it."),
            yes=tr("Drop it"), no=tr("Stay"),
        )  # fmt: skip
        if not self.unsaved or await ask(self, question):
            self.dismiss(None)
