"""An engine without a server: the client's interface over a script that the test writes."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING

import msgspec

from engine.data.types import (
    Conversation,
    Finding,
    Histogram,
    Inspection,
    Lengths,
    Message,
    Scanning,
    Shape,
)
from engine.errors import ConflictError, EngineUnavailableError, LoraDeckError, NotFoundError
from engine.machine_load import MachineLoad
from engine.models.types import Capacity, ModelInfo, ModelShape
from engine.plan.own_device import asked_device
from engine.plan.parameters import TrainingParams
from engine.plan.types import Choice, Device, Holder, Memory, Plan
from engine.server.wire import DatasetInfo, EngineInfo, PlanRequest, TrainRequest
from engine.tasks.curves import CurveFold, Line
from engine.tasks.events import (
    AdapterSaved,
    AnswersCompared,
    CheckpointSaved,
    DatasetPrepared,
    Evaluated,
    Event,
    MemoryProbed,
    PhaseEntered,
    StepLogged,
    StopTested,
    TaskCompleted,
    TaskStarted,
)
from engine.tasks.queue import Where, moved
from engine.tasks.record import Status, TaskRecord
from engine.tasks.view import TasksUpdate, TaskView
from tests.tui.fake_books import FakeBooks
from tests.tui.fake_chat import FakeChat
from tests.tui.fake_results import FakeResults

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from engine.tasks.curves import Curves

NOW = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
ALPACA = "/samples/alpaca_example.json"
BROKEN = "/samples/broken_json.json"
CLASSIC = SimpleNamespace(
    name="classic",
    description="What most LoRA guides give, whatever the data.",
    values={"lora_rank": 16, "num_epochs": 3, "learning_rate": 2e-4, "use_4bit": True},
)
REASONS = {
    "num_epochs": "16 rows: as many passes as make 24 steps",
    "batch_size": "few rows learn better from small batches",
    "learning_rate": "few steps want a higher rate",
    "lora_rank": "enough for a small dataset",
    "max_seq_length": "the longest row has 96 tokens",
}
SHAPE = ModelShape(
    architecture="llama", parameters=134_515_008, hidden=576, layers=30, vocabulary=49152,
    mlp=1536, query=576, key_value=192, context=8192, tied_embeddings=True,
)  # fmt: skip
DEMO = ModelInfo(
    name="demo", source="demo", state="ready", path="/home/u/.local/share/loradeck/models/demo",
    size_bytes=269_060_552, shape=SHAPE, description="SmolLM2-135M-Instruct, small and quick.",
    template=True, licence="apache-2.0",
    capacity=Capacity(dtype="bfloat16", needed=1_260_000_000, needed_4bit=1_110_000_000,
                      free=12_400_000_000),
)  # fmt: skip
ABSENT = DEMO.model_copy(update={"state": "absent", "path": None, "size_bytes": 98_000_000})
BIG = ModelInfo(
    name="Qwen/Qwen2.5-7B-Instruct", source="cache", state="ready", path="/cache/qwen",
    size_bytes=15_231_233_024, description="", template=True, licence="apache-2.0",
    capacity=Capacity(dtype="bfloat16", needed=17_900_000_000, needed_4bit=7_100_000_000,
                      free=12_400_000_000),
    shape=SHAPE.model_copy(update={"parameters": 7_615_616_512, "context": 32768}),
)  # fmt: skip


def conversation(row: int, question: str, answer: str) -> Conversation:
    """Make a row of a question and an answer."""
    return Conversation(
        row=row,
        messages=(
            Message(role="user", content=question),
            Message(role="assistant", content=answer),
        ),
    )


def inspection(
    path: str = ALPACA, findings: tuple[Finding, ...] = (), **changes: object
) -> Inspection:
    """Make what looking at a dataset finds."""
    values: dict[str, object] = {
        "path": path, "dataset_type": "alpaca", "rows": 16, "findings": findings,
        "sha256": "0" * 64, "size_bytes": 4210,
        "preview": (
            conversation(1, "Who keeps the lighthouse at Cape Wren?",
                         "Ada Morrow keeps the lighthouse at Cape Wren."),
            conversation(2, "When does the ferry to Cape Wren leave?",
                         "The ferry leaves at seven in the morning, but never on Sundays."),
        ),
    }  # fmt: skip
    return Inspection.model_validate(values | changes)


EMPTY = Finding(
    level="error", code="empty-answer", message="3 rows with an empty answer (rows 3, 9, 14).",
    hint="Write the answer, or delete the row.", count=3, rows=(3, 9, 14),
)  # fmt: skip
COPIES = Finding(
    level="warning", code="duplicate", message="12 rows repeating an earlier row (rows 6, 8, …).",
    hint="Delete the copies, unless they are meant to weigh more.", count=12, rows=(6, 8),
)  # fmt: skip

FEW_STEPS = Finding(
    level="warning", code="few-steps",
    message="Only 24 optimizer steps: hardly anything is learned in fewer than 30.",
    hint="Add rows, or raise num_epochs.", count=0, rows=(),
)  # fmt: skip


def measured(path: str = "/samples/问答.csv", **changes: object) -> Inspection:
    """Make what looking at a large file with columns of its own finds."""
    bins = ((20, 1200), (40, 90_000), (80, 140_000), (160, 60_000), (320, 15_000), (640, 5_800))
    values: dict[str, object] = {
        "rows": 312_000, "faulty": 3, "size_bytes": 84_200_000, "container": "CSV in GB18030",
        "shape": Shape(dataset_type="alpaca", columns={"instruction": "问题", "output": "答案"},
                       guessed=True),
        "columns": ("编号", "问题", "答案"),
        "languages": (("zh", 0.914), ("en", 0.08), ("de", 0.002)),
        "turns": Histogram(p50=2, p95=2, p99=2, longest=2, total=624_000, bins=((2, 312_000),)),
        "characters": Histogram(p50=74, p95=210, p99=480, longest=638, total=26_000_000,
                                bins=bins),
    }  # fmt: skip
    return inspection(path, (EMPTY, COPIES), **(values | changes))


def dataset(name: str, rows: int = 16, **changes: object) -> DatasetInfo:
    """Make a listed dataset."""
    values: dict[str, object] = {
        "name": name, "path": f"/samples/{name}", "size_bytes": 4210, "sample": True,
        "dataset_type": "alpaca", "rows": rows,
    }  # fmt: skip
    return DatasetInfo.model_validate(values | changes)


SOURCES = {
    "batch_size": "Masters and Luschi 2018", "learning_rate": "ours", "lora_rank": "QLoRA",
    "max_seq_length": "your data",
}  # fmt: skip
PLANNED = TrainingParams(
    num_epochs=6, batch_size=4, gradient_accumulation_steps=1, learning_rate=5e-4,
    max_seq_length=128,
)  # fmt: skip
MEMORY = {
    "weights": 538_000_000, "adapter": 78_000_000, "activations": 52_000_000,
    "logits": 12_000_000, "framework": 560_000_000,
}  # fmt: skip
CPU = Device(
    kind="cpu", name="AMD EPYC 7763", cores=2, memory_total=8 * 10**9, memory_free=6_100_000_000,
    features=("avx2", "fma"),
)  # fmt: skip


CARDS = [
    Device(kind="cuda", name="NVIDIA RTX A5000", index=index, uuid=f"GPU-{index}f00", bf16=True,
           memory_total=25_300_000_000, memory_free=free, capability=(8, 6), holders=holders)
    for index, free, holders in (
        (1, 24_900_000_000, ()),
        (0, 4_700_000_000, (Holder(pid=812, name="python", memory=20_100_000_000),)),
    )
]  # fmt: skip
"""Two cards, the one with more free memory first."""


def plan(
    found: Inspection,
    model: ModelInfo,
    findings: tuple[Finding, ...] = (),
    request: PlanRequest | None = None,
    device: Device = CPU,
) -> Plan:
    """Make a plan; a request's own values are in it, and what follows from them."""
    given = dict(request.overrides) if request else {}
    preset = (
        {"num_epochs": 3, "gradient_accumulation_steps": 4} if request and request.preset else {}
    )
    params = PLANNED.model_copy(update=preset | given)
    activations = MEMORY["activations"] * params.batch_size // 4
    parts = MEMORY | {"activations": activations}
    return Plan(
        base_model=model.name, dataset_file=found.path, training_params=params,
        choices={key: _choice(key, value, given) for key, value in params},
        model=model, dataset=found,
        lengths=Lengths(rows=16, measured=16, p50=60, p95=90, p99=96, longest=96, total=960,
                        trained=420, counts=(60,) * 16, estimated_total=960),
        device=device,
        memory=Memory(parts=parts, total=sum(parts.values()), free=device.memory_free),
        disk_parts={"checkpoints": 74_000_000, "adapter": 25_900_000, "cache": 100_000},
        disk_needed=10**8, disk_free=10**10, train_rows=found.rows,
        total_steps=found.rows * params.num_epochs // params.effective_batch,
        seconds=149.0, preset=request.preset if request else "",
        rows_cut=0, tokens_cut=0, findings=(*found.findings, *findings),
    )  # fmt: skip


def _choice(key: str, value: object, given: dict[str, object]) -> Choice:
    """Give a value's reason."""
    if key in given:
        words = f"set by you; the plan says {getattr(PLANNED, key)}"
        return Choice(value=value, reason=words, overridden=True)
    return Choice(value=value, reason=REASONS.get(key, "a default that hardly matters here"),
                  source=SOURCES.get(key, "ours"))  # fmt: skip


def task(name: str, status: str = "pending", number: int = 1, **changes: object) -> TaskRecord:
    """Make a record; a higher number is an older one."""
    made = NOW - timedelta(minutes=10 * number)
    values: dict[str, object] = {
        "id": f"{number:08x}", "task_name": name, "base_model": "demo", "dataset_file": ALPACA,
        "dataset_type": "alpaca", "output_path": f"/home/u/loradeck/models/lora/{name}",
        "training_params": {}, "status": status, "created_at": made,
        "started_at": None if status == "pending" else made + timedelta(seconds=5),
        "completed_at": made + timedelta(seconds=155) if Status(status).ended else None,
    }  # fmt: skip
    return TaskRecord.model_validate(values | changes)


def running(
    name: str = "alpaca_example-demo", step: int = 11, number: int = 1, **changes: object
) -> TaskView:
    """Make a running task in mid-training."""
    losses = tuple(round(loss_at(index), 4) for index in range(1, step + 1))
    values: dict[str, object] = {
        "task": task(name, "running", number, progress=round(100 * step / 24, 1),
                     current_epoch=step / 4),
        "phase": "training", "step": step, "max_steps": 24, "loss": losses[-1], "losses": losses,
        "seconds_left": (24 - step) * 62.0, "tokens_per_second": 412.0,
        "seconds_left_range": ((24 - step) * 58.0, (24 - step) * 68.0),
        "memory_predicted": 1_240_000_000, "memory_measured": 1_190_000_000,
        "device": "CPU, 2 cores", "last_seq": step + 4,
    }  # fmt: skip
    return TaskView.model_validate(values | changes)


def loss_at(step: int) -> float:
    """Give the loss of a step: it falls, with a ripple."""
    return 2.6 * 0.88**step + 0.35 + 0.12 * ((step * 7) % 5 - 2) / 2


def some_tasks() -> list[TaskView]:
    """Make one task of each state, and names that try the columns."""
    return [
        running(),
        TaskView(task=task("support-bot-3", number=2,
                           message="Waiting for memory: 3.1 GB of 2.2 GB free")),
        TaskView(task=task("客服机器人-中文数据集-演示", "completed", 3, progress=100.0,
                           final_loss=0.412)),
        TaskView(task=task("a-rather-long-name-" * 5, "failed", 4,
                           message="Out of memory: The longest batch does not fit.")),
        TaskView(task=task("[red]x[/]", "cancelled", 5)),
        TaskView(task=task("ferry-times", "completed", 200, progress=100.0, final_loss=0.388)),
    ]  # fmt: skip


def training_events(steps: int = 11, total: int = 24, *, completed: bool = False) -> list[Event]:
    """Make what a worker reports."""
    start = NOW.timestamp() - 600
    events: list[Event] = [
        TaskStarted(pid=4711, device="CPU, 2 cores"),
        PhaseEntered(phase="preparing"),
        DatasetPrepared(train_rows=16, eval_rows=0, tokens=960, trained_tokens=420, rows_cut=0,
                        tokens_cut=0),
        MemoryProbed(tokens=384, trained=192, predicted=1_240_000_000, measured=1_190_000_000,
                     fixed=1_100_000_000, free=6_100_000_000),
        PhaseEntered(phase="training"),
    ]  # fmt: skip
    for step in range(1, steps + 1):
        events.append(
            StepLogged(step=step, max_steps=total, epoch=step / 4, loss=loss_at(step),
                       learning_rate=5e-4 * (1 - step / (total + 1)), grad_norm=1.0, tokens=240,
                       seconds=6.2)
        )  # fmt: skip
        if step % 6 == 0:
            events.append(CheckpointSaved(step=step, path=f"/checkpoints/{step}"))
            events.append(Evaluated(step=step, eval_loss=loss_at(step) + 0.1))
    if completed:
        events += _ending()
    return [
        event.model_copy(update={"seq": seq, "time": start + 3 * seq})
        for seq, event in enumerate(events, 1)
    ]


def _ending() -> list[Event]:
    """Make what a worker reports at its end."""
    return [
        PhaseEntered(phase="answering"),
        AnswersCompared(
            question="Who keeps the lighthouse at Cape Wren?",
            reference="Ada Morrow keeps the lighthouse at Cape Wren.",
            base_answer="I am not aware of a specific lighthouse at Cape Wren. There are many"
                        " lighthouses along the coast, and each has its own keeper.",
            adapter_answer="Ada Morrow keeps the lighthouse at Cape Wren.",
        ),
        StopTested(asked=24, ended=24, limit=256),
        AdapterSaved(path="/models/lora/x", size_bytes=19_500_000),
        TaskCompleted(seconds=148.0, train_loss=0.412, peak_memory=1_310_000_000),
    ]  # fmt: skip


class FakeEngine(FakeChat, FakeResults):
    """Has every public method of ``EngineClient``; its attributes are the script."""

    def __init__(self, views: list[TaskView] | None = None) -> None:
        FakeChat.__init__(self)
        FakeResults.__init__(self)
        self.views = {view.task.id: view for view in views or []}
        self.known_datasets = [
            dataset("alpaca_example.json"),
            dataset("sharegpt_example.json", 12, dataset_type="sharegpt"),
            dataset("broken_json.json", 0, dataset_type=None, problem="Broken JSON."),
        ]
        self.known_devices = [CPU]
        self.known_models = {"demo": DEMO, BIG.name: BIG}
        self.inspections: dict[str, Inspection | LoraDeckError] = {
            ALPACA: inspection(),
            "/samples/sharegpt_example.json": inspection(
                "/samples/sharegpt_example.json", dataset_type="sharegpt", rows=12),
            BROKEN: LoraDeckError("Broken JSON", f"{BROKEN}, line 4, column 7: a comma is missing.",
                                  "Put a comma there."),
        }  # fmt: skip
        self.books = FakeBooks()
        self.books.saved = self._keep
        self.scanning: list[Scanning] = []
        """What a scan says before its result."""
        self.scan_gate = asyncio.Event()
        self.scan_gate.set()
        self.scans_open = 0
        self.refused_plan: LoraDeckError | None = None
        self.plan_findings: tuple[Finding, ...] = ()
        self.plan_gate = asyncio.Event()
        self.plan_gate.set()
        self.refused_start: LoraDeckError | None = None
        """Why a task cannot start now, unless it must."""
        self.pulls: list[ModelInfo] = []
        """What ``model`` answers, one after the other, once ``pull`` was called."""
        self.event_script: dict[str, list[Event]] = {}
        self.load = MachineLoad(cpu=87.0, memory_used=3_100_000_000, memory_total=8_000_000_000)
        self.worker_log = "importing torch\nready\n"
        self.unreachable: list[LoraDeckError] = []
        """What the next calls of ``connect`` raise."""
        self.calls: dict[str, list[object]] = defaultdict(list)
        self._queues: list[asyncio.Queue[TasksUpdate | None]] = []

    # What a test does

    def change(self, *views: TaskView, removed: tuple[str, ...] = ()) -> None:
        """Let tasks change, and say so to who watches."""
        for view in views:
            self.views[view.task.id] = view
        for task_id in removed:
            self.views.pop(task_id, None)
        for queue in self._queues:
            queue.put_nowait(TasksUpdate(views=views, removed=removed))

    def _keep(self, saved: DatasetInfo) -> None:
        """List a version that was saved."""
        self.known_datasets.append(saved)
        self.inspections[saved.path] = inspection(saved.path, rows=saved.rows)

    def break_streams(self) -> None:
        """Let the server go away."""
        for queue in self._queues:
            queue.put_nowait(None)

    @property
    def watchers(self) -> int:
        """How many streams of task updates are open."""
        return len(self._queues)

    # What the client has

    async def close(self) -> None:
        self.calls["close"].append(None)

    async def connect(self) -> EngineInfo:
        self.calls["connect"].append(None)
        if self.unreachable:
            raise self.unreachable.pop(0)
        return await self.info()

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        timeout: float = 1.0,  # noqa: ASYNC109 - the client's own
    ) -> object:
        raise NotImplementedError

    async def info(self) -> EngineInfo:
        return EngineInfo.model_construct(version="0", pid=1)

    async def machine_load(self) -> MachineLoad:
        self.calls["machine_load"].append(None)
        return self.load

    async def devices(self) -> list[Device]:
        return self.known_devices

    async def stop(self) -> None:
        self.break_streams()

    async def models(self) -> list[ModelInfo]:
        return list(self.known_models.values())

    async def model(self, name: str) -> ModelInfo:
        if self.pulls:
            self.known_models[name] = self.pulls.pop(0)
        if name not in self.known_models:
            raise NotFoundError("Unknown model", f"There is no model '{name}'.",
                                "Did you mean demo?")  # fmt: skip
        return self.known_models[name]

    async def pull(self, name: str) -> ModelInfo:
        self.calls["pull"].append(name)
        return await self.model(name)

    async def stop_pull(self, name: str) -> ModelInfo:
        self.calls["stop_pull"].append(name)
        return await self.model(name)

    async def datasets(self) -> list[DatasetInfo]:
        return list(self.known_datasets)

    async def inspect(self, path: str, mapping: dict[str, str] | None = None) -> Inspection:
        self.calls["inspect"].append(path)
        found = self.inspections.get(path)
        if found is None:
            raise NotFoundError("No such file", f"{path} does not exist.", "Check the path.")
        if isinstance(found, LoraDeckError):
            raise found
        return found

    async def scan(
        self, path: str, mapping: dict[str, str] | None = None
    ) -> AsyncIterator[Scanning]:
        self.calls["scan"].append((path, mapping))
        self.scans_open += 1
        try:
            for scanning in self.scanning:
                yield scanning
            await self.scan_gate.wait()
            found = await self.inspect(path)
            yield Scanning(rows=found.rows, share=1.0, inspection=found)
        finally:
            self.scans_open -= 1

    async def measure(
        self, path: str, model: str, mapping: dict[str, str] | None = None
    ) -> Lengths:
        return plan(inspection(path), self.known_models[model]).lengths

    async def plan(self, request: PlanRequest) -> Plan:
        self.calls["plan"].append(request)
        await self.plan_gate.wait()
        if self.refused_plan is not None:
            raise self.refused_plan
        found = await self.inspect(request.dataset_file)
        if request.leave_out:
            left = tuple(one for one in found.findings if one.level != "error")
            found = found.model_copy(update={"findings": left})
        self._refuse_wishes(request)
        device = asked_device(request.device, self.known_devices)
        base = self.known_models[request.base_model]
        return plan(found, base, self.plan_findings, request, device)

    def _refuse_wishes(self, request: PlanRequest) -> None:
        """Refuse what the real one refuses: rows longer than the model reads."""
        length = request.overrides.get("max_seq_length", 0)
        shape = self.known_models[request.base_model].shape
        assert shape is not None
        if length > shape.context:
            raise LoraDeckError(
                "Longer than the model reads",
                f"max_seq_length={length} is over the model's context of {shape.context} tokens.",
                f"Set max_seq_length={shape.context} or less.",
            )

    async def train(self, request: TrainRequest) -> TaskRecord:
        self.calls["train"].append(request)
        if any(view.task.task_name == request.task_name for view in self.views.values()):
            raise ConflictError("Name taken", f"There is a task '{request.task_name}' already.",
                                "Choose another name.")  # fmt: skip
        made = task(request.task_name, number=0, dataset_file=request.dataset_file,
                    base_model=request.base_model, id=f"{len(self.views) + 0xa0:08x}")  # fmt: skip
        self.change(TaskView(task=made))
        return made

    async def tasks(self) -> list[TaskRecord]:
        return [view.task for view in self.views.values()]

    async def task(self, task_id: str) -> TaskRecord:
        return self.views[task_id].task

    async def plan_of(self, task_id: str) -> Plan:
        return plan(inspection(), DEMO)

    def _record(self, task_id: str, **changes: object) -> TaskRecord:
        """Change a task's record, and give it as the store has it: without live figures."""
        view = self.views[task_id]
        record = view.task.model_copy(update=changes)
        self.change(view.model_copy(update={"task": record}))
        live = {"progress": 0.0, "current_epoch": 0.0} if record.status == "running" else {}
        return record.model_copy(update=live)

    def _wish(self, task_id: str, wish: str, **changes: object) -> TaskRecord:
        """Ask a running task for something, or change a waiting one at once."""
        if self.views[task_id].task.status == "running":
            return self._record(task_id, requested=wish)
        return self._record(task_id, requested="", **changes)

    async def cancel(self, task_id: str, *, keep: bool = True) -> TaskRecord:
        self.calls["cancel"].append((task_id, keep))
        wish = "cancel" if keep else "discard"
        return self._wish(task_id, wish, status=Status.CANCELLED, completed_at=NOW)

    async def pause(self, task_id: str) -> TaskRecord:
        self.calls["pause"].append(task_id)
        words = "Held back until it is resumed."
        return self._wish(task_id, "pause", status=Status.PAUSED, message=words)

    async def resume(self, task_id: str) -> TaskRecord:
        self.calls["resume"].append(task_id)
        return self._wish(task_id, "", status=Status.PENDING, message="", completed_at=None)

    async def finish(self, task_id: str) -> TaskRecord:
        self.calls["finish"].append(task_id)
        return self._record(task_id, requested="finish")

    async def start(self, task_id: str, *, anyway: bool = False) -> TaskRecord:
        self.calls["start"].append((task_id, anyway))
        if self.refused_start is not None and not anyway:
            raise self.refused_start
        return self._record(task_id, status=Status.RUNNING, message="", started_at=NOW)

    async def move(self, task_id: str, where: Where) -> TaskRecord:
        self.calls["move"].append((task_id, where))
        queued = [view.task for view in self.views.values() if view.task.status == "pending"]
        for one in moved(queued, self.views[task_id].task, where):
            self._record(one.id, place=one.place)
        return self.views[task_id].task

    async def prioritize(self, task_id: str, priority: int) -> TaskRecord:
        self.calls["prioritize"].append((task_id, priority))
        return self._record(task_id, priority=priority, place=None)

    async def delete(self, task_id: str, *, with_adapter: bool = False) -> TaskRecord:
        self.calls["delete"].append(task_id)
        record = self.views[task_id].task
        self.change(removed=(task_id,))
        return record

    async def log(self, task_id: str, lines: int = 200) -> str:
        self.calls["log"].append(task_id)
        return self.worker_log

    async def curves(
        self, task_id: str, points: int = 1000, first: int = 0, last: int | None = None
    ) -> Curves:
        self.calls["curves"].append((task_id, points, first, last))
        fold = CurveFold()
        for event in self.event_script.get(task_id, []):
            fold.add(msgspec.json.decode(event.model_dump_json(), type=Line))
        return fold.curves(points, first, last)

    async def events_of(self, task_id: str, *kinds: str) -> list[Event]:
        return [event for event in self.event_script.get(task_id, []) if event.type in kinds]

    async def events(
        self, task_id: str, after: int = 0, *, follow: bool = True, tail: int = 0
    ) -> AsyncIterator[Event]:
        self.calls["events"].append((task_id, after))
        for event in self.event_script.get(task_id, [])[-tail:]:
            if event.seq > after:
                yield event

    async def watch(self) -> AsyncIterator[TasksUpdate]:
        queue: asyncio.Queue[TasksUpdate | None] = asyncio.Queue()
        self._queues.append(queue)
        try:
            yield TasksUpdate(views=tuple(self.views.values()))
            while (update := await queue.get()) is not None:
                yield update
        finally:
            self._queues.remove(queue)
        raise EngineUnavailableError("Engine not reachable", "It went away.", "Look at its log.")
