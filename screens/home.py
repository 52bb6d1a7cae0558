"""Home: the three steps, the plan and the start on the left, the tasks on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.getters import query_one
from textual.widgets import Input

from engine.errors import ConflictError, LoraDeckError
from engine.text import human_bytes, human_count
from screens.base import DeckScreen
from screens.draft import pasted_path, suggested_name
from screens.widgets.line_list import LineList
from screens.widgets.name_row import NameRow
from screens.widgets.plan_panel import PlanPanel
from screens.widgets.start_row import StartRow
from screens.widgets.step_row import StepRow
from screens.widgets.task_list import TaskList

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from engine.data.types import Inspection
    from engine.models.types import ModelInfo
    from engine.plan.types import Plan
    from engine.tasks.record import TaskRecord
    from screens.messages import EngineStatusChanged, TasksChanged
    from screens.session import Session


class Column(VerticalScroll, can_focus=False, inherit_bindings=False):
    """Scrolls with the focus; the arrow keys are the screen's."""


class HomeScreen(DeckScreen[None]):
    """Where everything starts; it owns the choices that are made for the next training.

    It is the first screen: the app itself loads ``home.tcss``.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "dataset", "Dataset", id="home.dataset", tooltip="Choose the dataset"),
        Binding("m", "model", "Model", id="home.model", tooltip="Choose the base model"),
        Binding("n", "name", "Name", id="home.name", tooltip="Name the training"),
        Binding("s", "start", "Start", id="home.start", tooltip="Start the training"),
        Binding("t", "tasks", "Tasks", id="home.tasks", tooltip="Go to the list of tasks"),
        Binding("q", "app.quit", "Quit", id="home.quit",
                tooltip="Close LoRADeck; trainings go on"),
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

    dataset_row = query_one("#dataset", StepRow)
    model_row = query_one("#model", StepRow)
    name_row = query_one(NameRow)
    plan_panel = query_one(PlanPanel)
    start_row = query_one(StartRow)
    tasks = query_one(TaskList)

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.dataset: Inspection | None = None
        self.model: ModelInfo | None = None
        self._starting = False

    def compose_body(self) -> ComposeResult:
        """Lay out steps, plan, start and tasks."""
        with Column(id="page"):
            with Column(id="left"):
                with Vertical(id="steps") as steps:
                    steps.border_title = "New training"
                    yield StepRow("Dataset", "Enter, or paste a path", id="dataset")
                    yield StepRow("Model", "Enter to choose", id="model")
                    yield NameRow(id="name")
                yield PlanPanel(id="plan")
                yield StartRow(id="start")
            yield TaskList(self.session, id="tasks")

    def on_mount(self) -> None:
        """Show what is known already."""
        self.plan_panel.invite()
        self.tasks.show_all()
        self._weigh_start()

    # The steps

    @on(StepRow.Opened, "#dataset")
    def action_dataset(self) -> None:
        """Open the dataset picker."""
        from screens.dataset_picker import DatasetPicker

        self.app.push_screen(DatasetPicker(self.session), self._dataset_picked)

    def _dataset_picked(self, inspection: Inspection | None) -> None:
        """Take the dataset, and go on to the next open step."""
        if inspection is not None:
            self.take_dataset(inspection)
            if self.model is None:
                self.set_focus(self.model_row)
                self.action_model()
            else:
                self._focus_start()

    def take_dataset(self, inspection: Inspection) -> None:
        """Take a dataset that was looked at."""
        self.dataset = inspection
        name = inspection.path.rsplit("/", 1)[-1]
        detail = f"{inspection.dataset_type}, {inspection.rows} rows"
        if inspection.can_train:
            self.dataset_row.put("chosen", name, detail)
        else:
            errors = [found.message for found in inspection.findings if found.level == "error"]
            self.dataset_row.put("problem", name, detail, "\n".join(errors))
        self._choices_changed()

    @on(StepRow.Opened, "#model")
    def action_model(self) -> None:
        """Open the model picker."""
        from screens.model_picker import ModelPicker

        self.app.push_screen(ModelPicker(self.session), self._model_picked)

    def _model_picked(self, model: ModelInfo | None) -> None:
        """Take the base model, and go on to the next open step."""
        if model is None:
            return
        self.model = model
        parts = [human_count(model.shape.parameters)] if model.shape else []
        parts += [human_bytes(model.size_bytes)] if model.size_bytes else []
        self.model_row.put("chosen", model.name, ", ".join(parts))
        self._choices_changed()
        if self.dataset is None:
            self.set_focus(self.dataset_row)
        else:
            self._focus_start()

    def _choices_changed(self) -> None:
        """Suggest a name and ask for a plan, once both choices are made."""
        if self.dataset is not None and self.model is not None:
            self._suggest()
            self._make_plan(self.dataset.path, self.model.name)
        self._weigh_start()

    def _suggest(self) -> None:
        """Suggest a name that is free; one that the user gave stays."""
        if self.dataset is not None and self.model is not None:
            taken = {view.task.task_name for view in self.session.tasks.values()}
            self.name_row.suggest(suggested_name(self.dataset.path, self.model.name, taken))

    def on_paste(self, event: events.Paste) -> None:
        """Choose the dataset whose path was pasted, or that was dropped on the terminal."""
        event.stop()
        path = pasted_path(event.text)
        if path is None:
            self.notify("Paste the path of a .json or .jsonl file.", title="Not a path",
                        severity="warning", markup=False)  # fmt: skip
            return
        self.dataset_row.put("working", path.rsplit("/", 1)[-1])
        self._read_pasted(path)

    @work(group="dataset", exclusive=True, exit_on_error=False)
    async def _read_pasted(self, path: str) -> None:
        """Look at a pasted dataset; what is wrong with it is said at its step."""
        try:
            inspection = await self.session.client.inspect(path)
        except LoraDeckError as error:
            self.dataset = None
            words = " ".join(filter(None, (error.message, error.hint)))
            self.dataset_row.put("problem", path.rsplit("/", 1)[-1], problem=words)
            self.workers.cancel_group(self, "plan")
            self.plan_panel.invite()
            self._weigh_start()
            return
        self.take_dataset(inspection)
        self.focus_if(self.model_row if self.model is None else self.start_row.button)

    # The name

    @on(NameRow.Changed)
    def _name_changed(self) -> None:
        """See whether all is ready."""
        self._weigh_start()

    @on(Input.Submitted, "#name-field")
    def _name_given(self) -> None:
        """Go on to the start."""
        self._focus_start()

    # The plan

    @work(group="plan", exclusive=True, exit_on_error=False)
    async def _make_plan(self, dataset: str, model: str) -> None:
        """Ask for a plan; a refusal is shown in its place."""
        from engine.server.wire import PlanRequest

        self.plan_panel.wait()
        self._weigh_start()
        try:
            request = PlanRequest(dataset_file=dataset, base_model=model)
            plan = await self.session.client.plan(request)
        except LoraDeckError as error:
            self.plan_panel.refuse(error)
        else:
            self._planned(plan)
        self._weigh_start()

    def _planned(self, plan: Plan) -> None:
        """Show the plan; the start follows it where the focus waits for that."""
        self.plan_panel.put(plan)
        waiting = self.focused in (None, self.model_row, self.dataset_row)
        if waiting and self.app.screen is self and self.plan_panel.ready:
            self._weigh_start()
            self._focus_start()

    # The start

    def _missing(self) -> tuple[str, StepRow | NameRow | PlanPanel] | None:
        """Tell what stands in the way of a start, and where."""
        if self.dataset is None:
            return "Choose a dataset first.", self.dataset_row
        if self.model is None:
            return "Choose a base model first.", self.model_row
        if not self.plan_panel.ready:
            words = "Planning…" if self.plan_panel.waiting else "Not possible: see the plan."
            return words, self.plan_panel
        if self.name_row.problem or not self.name_row.value.strip():
            return "The name cannot be used.", self.name_row
        return None

    def _weigh_start(self) -> None:
        """Offer the start, or say what is missing."""
        missing = self._missing()
        self.start_row.offer(missing[0] if missing else "", busy=self._starting)

    def _focus_start(self) -> None:
        """Go to the start, or to what stands in its way."""
        missing = self._missing()
        if missing is None:
            self.focus_if(self.start_row.button)
        elif not isinstance(missing[1], PlanPanel):
            self.focus_if(missing[1].field if isinstance(missing[1], NameRow) else missing[1])

    @on(StartRow.Pressed)
    def action_start(self) -> None:
        """Start the training, or say what is missing and go there."""
        missing = self._missing()
        if missing is not None:
            self.notify(missing[0], severity="warning", markup=False)
            self._focus_start()
        elif not self._starting and self.dataset is not None and self.model is not None:
            self._starting = True
            self._weigh_start()
            self._start(self.dataset.path, self.model.name, self.name_row.value)

    @work(group="start", exit_on_error=False)
    async def _start(self, dataset: str, model: str, name: str) -> None:
        """Create the task; a taken name is said at the name."""
        from engine.server.wire import TrainRequest

        try:
            request = TrainRequest(dataset_file=dataset, base_model=model, task_name=name)
            record = await self.session.client.train(request)
        except ConflictError as error:
            self.name_row.refuse(" ".join(filter(None, (error.message, error.hint))))
            self.set_focus(self.name_row.field)
        else:
            self._started(record)
        finally:
            self._starting = False
            self._weigh_start()

    def _started(self, record: TaskRecord) -> None:
        """Show the new task and make ready for the next."""
        self.session.adopt(record)
        self.tasks.show_all()
        self.tasks.cursor = record.id
        self.set_focus(self.tasks)
        self.name_row.forget()
        self._suggest()

    # The tasks

    @on(LineList.Chosen, "#tasks")
    def _task_chosen(self, event: LineList.Chosen) -> None:
        """Open the task's screen."""
        from screens.task import TaskScreen

        self.app.push_screen(TaskScreen(self.session, event.key))

    def show_tasks(self, message: TasksChanged | None) -> None:
        """Show what changed, and a free name where the suggested one is taken now."""
        super().show_tasks(message)
        if message is None:
            self.tasks.show_all()
        else:
            self.tasks.take(message)
        if not self._starting:
            self._suggest()

    def on_engine_status_changed(self, message: EngineStatusChanged) -> None:
        """Ask for the plan again where the engine was away."""
        super().on_engine_status_changed(message)
        if self.session.status.state == "ready" and self.plan_panel.plan is None:
            self._choices_changed()

    # Moving

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """The key to the tasks is of no use within them."""
        return not (action == "tasks" and self.is_mounted and self.focused is self.tasks)

    def action_name(self) -> None:
        """Go to the name."""
        self.set_focus(self.name_row.field)

    def action_tasks(self) -> None:
        """Go to the tasks."""
        self.set_focus(self.tasks)

    def action_steps(self) -> None:
        """Go to the first step that is not done, or to the start."""
        if self.dataset is None or self.model is None:
            self._focus_start()
        else:
            self.set_focus(self.dataset_row)

    def action_scroll(self, by: int) -> None:
        """Scroll the page, or its left column where there are two."""
        for column in ("#page", "#left"):
            area = self.query_one(column)
            area.scroll_relative(y=by * max(area.size.height - 2, 1), animate=False)
