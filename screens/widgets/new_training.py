"""The left column of Home: the three steps, the plan that follows from them, and the start."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from textual import on, work
from textual.containers import Vertical, VerticalScroll
from textual.getters import query_one
from textual.message import Message
from textual.widgets import Input

from engine.errors import ConflictError, LoraDeckError
from engine.language import listed, tr
from engine.text import human_bytes, human_count
from screens.base import ShowsFailures
from screens.draft import ChosenDataset, suggested_name
from screens.format import one_line, refusal_words
from screens.messages import PlanChanged
from screens.next_plan import NextPlan, Wishes
from screens.widgets.dataset_row import DatasetRow
from screens.widgets.name_row import NameRow
from screens.widgets.plan_panel import PlanPanel
from screens.widgets.start_row import StartRow
from screens.widgets.step_row import StepRow

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widget import Widget

    from engine.models.types import ModelInfo
    from engine.plan.types import Plan
    from engine.server.wire import PlanRequest
    from engine.tasks.record import TaskRecord
    from screens.hand_over import Draft
    from screens.session import Session


class Column(VerticalScroll, can_focus=False, inherit_bindings=False):
    """Scrolls with the focus; the arrow keys are the screen's."""


class NewTraining(ShowsFailures, Column):
    """Owns the choices that are made for the next training, up to its start."""

    dataset_row = query_one(DatasetRow)
    model_row = query_one("#model", StepRow)
    name_row = query_one(NameRow)
    plan_panel = query_one(PlanPanel)
    start_row = query_one(StartRow)

    @dataclass
    class Started(Message):
        """A task was created."""

        record: TaskRecord

    def __init__(self, session: Session, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._session = session
        self.model: ModelInfo | None = None
        self.wishes = Wishes(preset=session.settings.default_preset)
        self.outcome: Plan | LoraDeckError | None = None
        """Of planning; ``None`` before and while that is done."""
        self.starting = False

    def compose(self) -> ComposeResult:
        """Lay out steps, plan and start."""
        with Vertical(id="steps") as steps:
            steps.border_title = tr("New training")
            yield DatasetRow(self._session, id="dataset")
            yield StepRow(tr("Model"), tr("Enter to choose"), id="model")
            yield NameRow(id="name")
        yield PlanPanel(id="plan")
        yield StartRow(id="start")

    def on_mount(self) -> None:
        """Say what is missing."""
        self.plan_panel.invite()
        self._weigh_start()

    # The choices

    @property
    def dataset(self) -> ChosenDataset | None:
        """The dataset that was chosen."""
        return self.dataset_row.dataset

    def take_dataset(self, dataset: ChosenDataset) -> None:
        """Take a dataset that was looked at."""
        self.dataset_row.take(dataset)
        self.choices_changed()

    def read(self, path: str, mapping: dict[str, str] | None = None) -> None:
        """Look at a dataset and take it; what is wrong with it is said at its step."""
        self.dataset_row.read(path, mapping or {})

    @on(DatasetRow.Taken)
    def _dataset_taken(self) -> None:
        """Plan for the dataset that was read."""
        self.choices_changed()
        self._focus_if(self.model_row if self.model is None else self.start_row.button)

    @on(DatasetRow.Refused)
    def _dataset_refused(self) -> None:
        """Plan for nothing."""
        self.workers.cancel_group(self, "plan")
        self.outcome = None
        self.plan_panel.invite()
        self._weigh_start()

    def toggle_leave_out(self) -> None:
        """Leave the faulty rows out, or take them in again; the plan follows."""
        if self.dataset_row.toggle_leave_out():
            self.choices_changed()

    def take_model(self, model: ModelInfo) -> None:
        """Take the base model."""
        self.model = model
        self._session.base_model = model.name
        parts = [human_count(model.shape.parameters)] if model.shape else []
        parts += [human_bytes(model.size_bytes)] if model.size_bytes else []
        self.model_row.put("chosen", model.name, listed(parts))
        self.choices_changed()

    def train_further(self, task: TaskRecord) -> None:
        """Take an adapter to train further, with its base and its rows, which may be changed."""
        self.wishes = replace(self.wishes, adapter=task.task_name)
        self.take_base(task.base_model)
        self.read(task.dataset_file)

    @work(group="base", exclusive=True, exit_on_error=False)
    async def take_base(self, name: str) -> None:
        """Take a base model by its name or path."""
        self.take_model(await self._session.client.model(name))

    def begin(self) -> None:
        """Take up what an earlier dashboard was left with, else the base model of the settings."""
        draft, self._session.draft = self._session.draft, None
        if draft is not None:
            self._take_up(draft)
        elif (name := self._session.settings.default_model) and self.model is None:
            self._begin_on(name)

    @property
    def draft(self) -> Draft:
        """Tell what is chosen."""
        from screens.hand_over import Draft

        dataset = self.dataset
        return Draft(
            dataset=dataset.inspection.path if dataset else "",
            mapping=dataset.mapping if dataset else {}, leave_out=self.dataset_row.leave_out,
            base_model=self.model.name if self.model else "",
            wishes=self.wishes, name=self.name_row.given,
        )  # fmt: skip

    def _take_up(self, draft: Draft) -> None:
        """Choose again what was chosen."""
        self.wishes = draft.wishes
        self.name_row.field.value = draft.name
        if draft.base_model:
            self._begin_on(draft.base_model)
        if draft.dataset:
            self.dataset_row.read(draft.dataset, draft.mapping, leave_out=draft.leave_out)

    @work(group="base", exclusive=True, exit_on_error=False)
    async def _begin_on(self, name: str) -> None:
        """Take a base model; what is wrong with it is said at its step."""
        try:
            self.take_model(await self._session.client.model(name))
        except LoraDeckError as error:
            self.model_row.put("problem", one_line(name), problem=refusal_words(error))

    def choices_changed(self) -> None:
        """Suggest a name and ask for a plan, once both choices are made."""
        if self.dataset is not None and self.model is not None:
            self.suggest()
            self._take(None)
            self._make_plan()
        self._weigh_start()

    def suggest(self) -> None:
        """Suggest a name that is free; one that the user gave stays."""
        if self.dataset is not None and self.model is not None:
            path = self.dataset.inspection.path
            name = suggested_name(path, self.model.name, self._session.names)
            self.name_row.suggest(name)

    # The name

    @on(NameRow.Changed)
    def _name_changed(self) -> None:
        """See whether all is ready."""
        self._weigh_start()

    @on(Input.Submitted, "#name-field")
    def _name_given(self) -> None:
        """Go on to the start."""
        self.focus_next_step()

    # The plan

    @property
    def next_plan(self) -> NextPlan:
        """Give the plan as it is now."""
        return NextPlan(self.wishes, self.outcome)

    def take_wishes(self, wishes: Wishes, plan: Plan | None) -> None:
        """Keep what the user set, for this training and those after it; the plan follows."""
        self.wishes = wishes
        if plan is None:
            self.choices_changed()
        else:
            self.workers.cancel_group(self, "plan")
            self._take(plan)

    async def attempt(self, wishes: Wishes) -> Plan:
        """Plan with other wishes, without keeping them."""
        return await self._session.client.plan(self._request(wishes))

    def _request(self, wishes: Wishes) -> PlanRequest:
        """Say what a plan is made from; both choices are made."""
        from engine.server.wire import PlanRequest

        assert self.dataset is not None  # noqa: S101
        assert self.model is not None  # noqa: S101
        return PlanRequest(
            dataset_file=self.dataset.inspection.path, base_model=self.model.name,
            mapping=self.dataset.mapping, leave_out=self.dataset_row.leave_out,
            overrides=dict(wishes.overrides), preset=wishes.preset, adapter=wishes.adapter,
            device=wishes.device_handle,
        )  # fmt: skip

    @work(group="plan", exclusive=True, exit_on_error=False)
    async def _make_plan(self) -> None:
        """Ask for a plan; a refusal is shown in its place."""
        try:
            self._take(await self.attempt(self.wishes))
        except LoraDeckError as error:
            self._take(error)

    def _take(self, outcome: Plan | LoraDeckError | None) -> None:
        """Show what came of planning, here and on the plan's own screen."""
        self.outcome = outcome
        self.plan_panel.put(self.next_plan)
        for screen in self.app.screen_stack:
            screen.post_message(PlanChanged(self.next_plan))
        if self.next_plan.plan is not None:
            self._planned(self.next_plan.plan)
        if outcome is not None and not self.plan_panel.ready:
            self._stop_short()
        self._weigh_start()

    def _stop_short(self) -> None:
        """Go back from the start, which cannot be: the plan says why."""
        self._session.ahead.forget()
        if self.start_row.button.has_focus:
            self._focus_if(self.model_row)

    def _planned(self, plan: Plan) -> None:
        """Let the start follow the plan where the focus waits for that."""
        self._session.length = plan.training_params.max_seq_length
        if not self.plan_panel.ready or self.app.screen is not self.screen:
            return
        if self.screen.focused in (None, self.model_row, self.dataset_row):
            self._weigh_start()
            self.focus_next_step()
        if self._session.ahead.take():
            self.start()

    # The start

    def _missing(self) -> tuple[str, StepRow | NameRow | PlanPanel] | None:
        """Tell what stands in the way of a start, and where."""
        if self.dataset is None:
            return tr("Choose a dataset first."), self.dataset_row
        if self.model is None:
            return tr("Choose a base model first."), self.model_row
        if not self.plan_panel.ready:
            refused = self.next_plan.only_to_look or tr("Not possible: see the plan.")
            return refused, self.plan_panel
        if self.name_row.problem or not self.name_row.value.strip():
            return tr("The name cannot be used."), self.name_row
        return None

    def _weigh_start(self) -> None:
        """Offer the start, or say what is missing."""
        if self.starting:
            self.start_row.offer(tr("Starting…"), can_start=False)
        elif self._planning:  # the start may be asked for already
            self.start_row.offer(tr("Planning…"), can_start=True)
        elif missing := self._missing():
            self.start_row.offer(missing[0], can_start=False)
        else:
            self.start_row.offer(tr("Enter or s"), can_start=True)

    @property
    def _planning(self) -> bool:
        """Tell whether a plan is being made of all that was chosen."""
        return self.plan_panel.waiting and None not in (self.dataset, self.model)

    def focus_next_step(self) -> None:
        """Go to the start, or to what stands in its way."""
        missing = self._missing()
        if missing is None or self._planning:
            self._focus_if(self.start_row.button)
        elif not isinstance(missing[1], PlanPanel):
            self._focus_if(missing[1].field if isinstance(missing[1], NameRow) else missing[1])

    @on(StartRow.Pressed)
    def start(self) -> None:
        """Start the training, or say what is missing and go there."""
        missing = self._missing()
        if self._planning:
            self._session.ahead.keep(self.screen)
        elif missing is not None:
            self.notify(missing[0], severity="warning", markup=False)
            self.focus_next_step()
        elif not self.starting:
            self.starting = True
            self._weigh_start()
            self._start(self._request(self.wishes), self.name_row.value)

    @work(group="start", exit_on_error=False)
    async def _start(self, request: PlanRequest, name: str) -> None:
        """Create the task; a taken name is said at the name."""
        from engine.server.wire import TrainRequest

        try:
            wanted = TrainRequest(task_name=name, **request.model_dump())
            record = await self._session.client.train(wanted)
        except ConflictError as error:
            self.name_row.refuse(refusal_words(error))
            self.screen.set_focus(self.name_row.field)
        else:
            self._started(record)
        finally:
            self.starting = False
            self._weigh_start()

    def _started(self, record: TaskRecord) -> None:
        """Tell of the new task and make ready for the next."""
        self._session.adopt(record)
        self.post_message(self.Started(record))
        self.name_row.forget()
        if self.wishes.adapter:  # the next training is a new one again
            self.wishes = replace(self.wishes, adapter="")
            self.choices_changed()
        self.suggest()

    def _focus_if(self, widget: Widget) -> None:
        """Move the focus at once, where another screen does not lie above."""
        if widget.focusable:
            self.screen.set_focus(widget)
