"""Choosing the adapter of a finished training."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Static

from engine.language import tr
from engine.tasks.record import TaskRecord
from screens.format import one_line
from screens.layers import Dialog
from screens.widgets.keys_line import KeysLine
from screens.widgets.line_list import LineList
from screens.widgets.option_list import Option, OptionList

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

_LINES = 12


class AdapterDialog(Dialog[TaskRecord | None]):
    """Answers with the training whose adapter was chosen.

    Args:
        tasks: The finished trainings, in the order in which they are listed.
        now: The name of the adapter that stands there at present.
    """

    CSS_PATH = "value_dialog.tcss"
    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "Back", key_display="esc", id="adapter.back",
                tooltip="Change nothing"),
    ]  # fmt: skip

    table = query_one(OptionList)

    def __init__(self, tasks: Sequence[TaskRecord], now: str) -> None:
        super().__init__()
        self._tasks, self._now = {task.task_name: task for task in tasks}, now

    def compose(self) -> ComposeResult:
        """Lay out the trainings."""
        with Vertical(classes="dialog") as box:
            box.border_title = tr("Adapter")
            yield Static(tr("Its base model comes with it."), markup=False, classes="label")
            yield OptionList(tr("No training has finished yet."), id="adapters")
            yield KeysLine()

    def on_mount(self) -> None:
        """List the trainings, with the cursor on the present one."""
        self.table.styles.height = max(3, min(len(self._tasks), _LINES))
        self.table.show({
            name: Option(one_line(name), tr("on {model}", model=task.base_model), name == self._now)
            for name, task in self._tasks.items()
        })  # fmt: skip
        if self._now in self._tasks:
            self.table.cursor = self._now

    @on(LineList.Chosen)
    def _take(self) -> None:
        """Answer with the training under the cursor."""
        self.dismiss(self._tasks.get(self.table.cursor or ""))
