"""Home: the three steps, the plan and the start on the left, the tasks on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.getters import query_one

from engine.language import tr
from screens.base import DeckScreen
from screens.draft import ChosenDataset, pasted_path
from screens.layers import open_above
from screens.widgets.line_list import LineList
from screens.widgets.new_training import Column, NewTraining
from screens.widgets.step_row import StepRow
from screens.widgets.task_list import HISTORY, TaskList

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events
    from textual.app import ComposeResult
    from textual.screen import Screen

    from engine.models.types import ModelInfo
    from screens.messages import EngineStatusChanged, TasksChanged
    from screens.plan import PlanScreen
    from screens.session import Session

Picked = TypeVar("Picked")


class HomeScreen(DeckScreen[None]):
    """Where everything starts.

    It is the first screen: the app itself loads ``home.tcss``.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "dataset", "Dataset", id="home.dataset", tooltip="Choose the dataset"),
        Binding("m", "model", "Model", id="home.model", tooltip="Choose the base model"),
        Binding("p", "plan", "Plan", id="home.plan",
                tooltip="The whole plan: every parameter, and your own values"),
        Binding("n", "name", "Name", show=False, id="home.name", tooltip="Name the training"),
        Binding("s", "start", "Start", id="home.start", tooltip="Start the training"),
        Binding("t", "tasks", "Tasks", id="home.tasks", tooltip="Go to the list of tasks"),
        Binding("H", "history", "History", show=False, id="home.history",
                tooltip="All tasks: sort, filter, search, compare"),
        Binding("a", "assistants", "Assistants", show=False, id="home.assistants",
                tooltip="The assistants: create, edit, and talk to one"),
        Binding("comma", "app.settings", "Settings", show=False, id="home.settings",
                tooltip="Settings: colours, language, notifications, keys and more"),
        Binding("f2", "app.tour", "Tour", show=False, id="home.tour",
                tooltip="A short tour for whoever is new here"),
        Binding("q", "app.quit", "Quit", id="home.quit",
                tooltip="Close LoRADeck; trainings go on"),
        Binding("e", "rows", "Rows", show=False, id="home.rows",
                tooltip="Page through the chosen dataset's rows, search and edit them"),
        Binding("x", "leave_out", "Leave out", show=False, id="home.leave_out",
                tooltip="Leave out the rows that cannot train, or take them in again"),
        Binding("down,j", "app.focus_next", "Next", show=False, id="home.next",
                tooltip="Next field"),
        Binding("up,k", "app.focus_previous", "Previous", show=False, id="home.previous",
                tooltip="Field before"),
        Binding("right,l", "tasks", "Tasks", show=False, id="home.right",
                tooltip="Go to the list of tasks"),
        Binding("left,h,escape", "steps", "Steps", show=False, id="home.left",
                tooltip="Go to the steps"),
        Binding("pagedown", "scroll(1)", "Down", show=False, id="home.page_down",
                tooltip="Scroll down"),
        Binding("pageup", "scroll(-1)", "Up", show=False, id="home.page_up", tooltip="Scroll up"),
    ]  # fmt: skip
    AUTO_FOCUS = "#dataset"

    training = query_one(NewTraining)
    tasks = query_one(TaskList)

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._picker: Screen[Any] | None = None

    def compose_body(self) -> ComposeResult:
        """Lay out the next training and the tasks."""
        with Column(id="page"):
            yield NewTraining(self.session, id="left")
            yield TaskList(self.session, id="tasks")

    def on_mount(self) -> None:
        """Show what is known already."""
        self.tasks.show_all()

    def welcome(self) -> None:
        """Offer the tour where tasks would stand: it must not come between the user and a start."""
        self.tasks.empty += " " + tr("New here? F2 shows you around.")
        self.tasks.refresh()

    # The steps

    @on(StepRow.Opened)
    def _step_opened(self, event: StepRow.Opened) -> None:
        """Open the step's picker; an Enter too many is meant for what follows."""
        if self._picker in self.app.screen_stack:
            self.session.ahead.keep(self)
        elif event.row is self.training.model_row:
            self.action_model()
        else:
            self.action_dataset()

    def action_dataset(self) -> None:
        """Open the dataset picker."""
        from screens.dataset_picker import DatasetPicker

        self.session.ahead.forget()
        self._pick(DatasetPicker(self.session), self._dataset_picked)

    def action_model(self) -> None:
        """Open the model picker."""
        self.session.ahead.forget()
        self._pick_model()

    def _pick_model(self) -> None:
        """Let a base model be picked, by an Enter that was typed ahead where there is one."""
        from screens.model_picker import ModelPicker

        self._pick(ModelPicker(self.session), self._model_picked)

    def _pick(self, picker: Screen[Picked | None], take: Callable[[Picked | None], None]) -> None:
        """Open a picker, unless one is open."""
        if self._picker not in self.app.screen_stack:
            self._picker = picker
            open_above(self, picker, take)

    def _dataset_picked(self, dataset: ChosenDataset | None) -> None:
        """Take the dataset, and go on to the next open step."""
        if dataset is not None:
            self.training.take_dataset(dataset)
            if self.training.model is None:
                self.set_focus(self.training.model_row)
                self._pick_model()
            else:
                self.training.focus_next_step()

    def _model_picked(self, model: ModelInfo | None) -> None:
        """Take the base model, and go on to the next open step."""
        if model is not None:
            self.training.take_model(model)
            if self.training.dataset is None:
                self.set_focus(self.training.dataset_row)
            else:
                self.training.focus_next_step()

    def on_paste(self, event: events.Paste) -> None:
        """Choose the dataset whose path was pasted, or that was dropped on the terminal."""
        event.stop()
        path = pasted_path(event.text)
        if path is None:
            words = tr("Paste the path of a dataset: a file or a folder.")
            self.notify(words, title=tr("Not a path"), severity="warning", markup=False)
        else:
            self.training.read(path)

    def action_rows(self) -> None:
        """Open the chosen dataset's rows; a version saved there is chosen in its place."""
        dataset = self.training.dataset
        if dataset is None:
            self.notify(tr("Choose a dataset first."), severity="warning", markup=False)
            self.set_focus(self.training.dataset_row)
            return
        from screens.dataset import DatasetScreen

        mapping = dataset.mapping
        screen = DatasetScreen(
            self.session, dataset.inspection.path, mapping,
            saved=lambda saved: self.training.read(saved.path, mapping),
            length=self.session.length,
        )  # fmt: skip
        open_above(self, screen)

    def action_leave_out(self) -> None:
        """Leave the rows that cannot train out of the training, or take them in again."""
        self.training.toggle_leave_out()

    def action_plan(self) -> None:
        """Open the whole plan."""
        self._open_plan()

    def action_device(self) -> None:
        """Open the whole plan, and ask for the device there."""
        if screen := self._open_plan():
            screen.call_after_refresh(screen.action_device)

    def _open_plan(self) -> PlanScreen | None:
        """Open the whole plan; it needs both choices."""
        if self.training.dataset is None or self.training.model is None:
            words = tr("Choose dataset and model first.")
            self.notify(words, severity="warning", markup=False)
            self.training.focus_next_step()
            return None
        from screens.plan import PlanScreen

        screen = PlanScreen(self.session, self.training.next_plan, self.training.attempt,
                            self.training.take_wishes)  # fmt: skip
        open_above(self, screen, self._plan_left)
        return screen

    def _plan_left(self, start: bool | None) -> None:
        """Start the training where that is wanted."""
        if start:
            self.training.start()

    def action_start(self) -> None:
        """Start the training, or say what is missing and go there."""
        self.training.start()

    @on(NewTraining.Started)
    def _started(self, event: NewTraining.Started) -> None:
        """Show the new task."""
        self.tasks.show_all()
        self.tasks.cursor = event.record.id
        self.set_focus(self.tasks)

    def action_assistants(self) -> None:
        """Open the assistants."""
        from screens.assistants import AssistantsScreen

        open_above(self, AssistantsScreen(self.session))

    @work(group="conversations", exclusive=True, exit_on_error=False)
    async def action_conversations(self) -> None:
        """Go on with a conversation that was kept."""
        from screens.conversations import go_on_with_one

        await go_on_with_one(self)

    # The tasks

    @on(LineList.Chosen, "#tasks")
    def _task_chosen(self, event: LineList.Chosen) -> None:
        """Open the task's screen, or the history where the line that leads there was taken."""
        from screens.task import TaskScreen

        if event.key == HISTORY:
            self.action_history()
            return
        open_above(self, TaskScreen(self.session, event.key))

    def action_history(self) -> None:
        """Open the history."""
        from screens.history import HistoryScreen

        open_above(self, HistoryScreen(self.session))

    def show_tasks(self, message: TasksChanged | None) -> None:
        """Show what changed, and a free name where the suggested one is taken now."""
        super().show_tasks(message)
        if message is None:
            self.tasks.show_all()
        else:
            self.tasks.take(message)
        if not self.training.starting:
            self.training.suggest()

    def on_engine_status_changed(self, message: EngineStatusChanged) -> None:
        """Ask for the plan again where the engine was away."""
        super().on_engine_status_changed(message)
        if self.session.status.state == "ready":
            self.training.begin()
            if self.training.plan_panel.plan is None:
                self.training.choices_changed()

    # Moving

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """The key to the tasks is of no use within them."""
        return not (action == "tasks" and self.is_mounted and self.focused is self.tasks)

    def action_name(self) -> None:
        """Go to the name."""
        self.set_focus(self.training.name_row.field)

    def action_tasks(self) -> None:
        """Go to the tasks."""
        self.set_focus(self.tasks)

    def action_steps(self) -> None:
        """Go to the first step that is not done, or to the start."""
        if self.training.dataset is None or self.training.model is None:
            self.training.focus_next_step()
        else:
            self.set_focus(self.training.dataset_row)

    def action_scroll(self, by: int) -> None:
        """Scroll the page, or its left column where there are two."""
        for column in ("#page", "#left"):
            area = self.query_one(column)
            area.scroll_relative(y=by * max(area.size.height - 2, 1), animate=False)
