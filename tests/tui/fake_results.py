"""Reports, exports, deployments and finds, as an engine would tell of them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING

from engine.errors import LoraDeckError, NotFoundError
from engine.jobs.types import Job
from engine.models.found import FoundModel, ModelScan
from engine.results.export.types import Agreement, DeployRequest, Exported, ExportRequest
from engine.results.report.types import JudgedAnswer, Point, Report, SampleThen, Scores

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

BEGUN = 1_795_534_140.0  # a minute before the frozen clock's time
QUESTION = "Who keeps the lighthouse at Cape Wren?"
KEEPER = "Ada Morrow keeps the lighthouse at Cape Wren."
ELSEWHERE = (
    "I am not aware of a specific lighthouse at Cape Wren. There are many lighthouses along the"
    " coast, and each has its own keeper."
)


def answer(question: str = QUESTION, **changes: object) -> JudgedAnswer:
    """Make a judged answer that the adapter has learned."""
    values: dict[str, object] = {
        "question": question, "reference": KEEPER, "base": ELSEWHERE, "adapter": KEEPER,
        "base_chrf": 31.4, "adapter_chrf": 100.0, "short": False, "ended": True,
    }  # fmt: skip
    return JudgedAnswer.model_validate(values | changes)


ANSWERS = (
    answer(),
    answer("When does the ferry leave?", reference="At seven.", base="I don't know.",
           adapter="At seven.", base_chrf=4.0, short=True, adapter_exact=True),
    answer("What does the bakery sell?", reference="Rye bread and buns.", base="Bread.",
           adapter="Rye bread and buns and buns and buns and buns", adapter_chrf=58.0,
           base_chrf=22.0, ended=False),
)  # fmt: skip


def report(task_id: str, task_name: str = "done", **changes: object) -> Report:
    """Make the report of a training that went well."""
    curve = tuple(Point(step=n, loss=2.6 * 0.88**n + 0.35) for n in range(1, 25))
    values: dict[str, object] = {
        "task_id": task_id, "task_name": task_name, "base_model": "demo", "created_at": BEGUN,
        "seconds": 148.0, "judged_on": "held-out", "judged_rows": 24,
        "judged_tokens": 431, "steps": 24, "best_step": 24, "train_loss": 0.4483,
        "base": Scores(loss=3.512, perplexity=33.52, token_accuracy=0.412),
        "adapter": Scores(loss=1.204, perplexity=3.33, token_accuracy=0.789),
        "answers": ANSWERS, "base_chrf": 19.1, "adapter_chrf": 86.0, "exact_of": 8,
        "base_exact": 0, "adapter_exact": 6, "ended": 23, "asked": 24,
        "train_curve": curve,
        "eval_curve": (Point(step=12, loss=1.31), Point(step=24, loss=1.204)),
        "overfitting": "none",
        "advice": "The adapter has learned the rows and still improves on the held-out ones:"
                  " two more epochs may help.",
        "sample_question": QUESTION,
        "samples": (
            SampleThen(step=6, epoch=1.5, answer="The lighthouse is kept by a keeper."),
            SampleThen(step=24, epoch=6.0, answer=KEEPER),
        ),
        "training_params": {"num_epochs": 6, "learning_rate": 5e-4, "lora_rank": 16,
                            "use_4bit": False, "seed": 42},
        "dataset_file": "/samples/alpaca_example.json", "dataset_type": "alpaca",
        "dataset_sha256": "9f2c" * 16, "dataset_rows": 120,
        "device": "CPU, 2 cores", "peak_memory": 1_310_000_000,
        "versions": {"loradeck": "0.1.0", "torch": "2.13.0", "peft": "0.21.2"},
    }  # fmt: skip
    return Report.model_validate(values | changes)


BASE = Agreement(name="base", prompts=8, tokens=256, agreeing=104, logprob_mean=1.913,
                 logprob_max=11.2, judged=False)  # fmt: skip
MERGED = Agreement(name="merged", prompts=8, tokens=256, agreeing=256, logprob_mean=0.0004,
                   logprob_max=0.006, same_answers=8)  # fmt: skip
Q8 = Agreement(name="gguf q8_0", prompts=8, tokens=256, agreeing=253, logprob_mean=0.021,
               logprob_max=0.31, same_answers=7, judged=False)  # fmt: skip
SPOILT = Agreement(
    name="gguf f16", prompts=8, tokens=256, agreeing=31, logprob_mean=6.21, logprob_max=19.4,
    passed=False, problem="It agrees with the adapter in 12 % of the tokens; at least 99 % must.",
    prompt=QUESTION, expected=KEEPER, found="The the the lighthouse lighthouse of of",
)  # fmt: skip


def job(task_id: str, title: str = "done as gguf q8_0", number: int = 1, **changes: object) -> Job:
    """Make a running export; a higher number is an older one."""
    values: dict[str, object] = {
        "id": f"{number:08x}", "kind": "export", "title": title, "task_id": task_id,
        "stage": "converting to GGUF", "progress": 0.42, "created_at": BEGUN - 600 * (number - 1),
        "request": ExportRequest(source=task_id, quantize="q8_0"),
    }  # fmt: skip
    return Job.model_validate(values | changes)


def completed(running: Job, **changes: object) -> Job:
    """Let an export come to its end."""
    made = Exported(format="gguf", quantize="q8_0", path="/home/u/loradeck/exports/done-q8_0.gguf",
                    size_bytes=144_800_000, gate=(BASE, MERGED, Q8), seconds=41.0)  # fmt: skip
    values = {
        "state": "completed", "progress": 1.0, "exported": made,
        "ended_at": running.created_at + 41,
    }  # fmt: skip
    return running.model_copy(update=values | changes)


def refused(running: Job) -> Job:
    """Let the gate refuse an export."""
    return running.model_copy(update={
        "state": "failed", "ended_at": running.created_at + 39,
        "error_title": "Speaks otherwise than the adapter",
        "message": "The GGUF file agrees with the adapter in 12 % of the tokens.",
        "hint": "Export it as merged, or make it anyway.",
        "exported": Exported(format="gguf", quantize="f16", gate=(BASE, MERGED, SPOILT)),
    })  # fmt: skip


def some_found(task_id: str) -> tuple[FoundModel, ...]:
    """Make one find of each kind, and what speaks against some."""
    adapter = FoundModel(
        kind="adapter", name="done", path="/home/u/loradeck/models/lora/done", place="home",
        size_bytes=19_500_000, base="demo", base_here=True, base_path="/home/u/loradeck/models/x",
        task_id=task_id, task_name="done", architecture="llama", rank=16, alpha=32.0,
        targets=("q_proj", "k_proj", "v_proj", "o_proj"),
    )  # fmt: skip
    return (
        adapter,
        adapter.model_copy(update={
            "name": "客服-lora", "path": "/data/客服-lora", "task_id": "", "task_name": "",
            "place": "folder", "variants": ("DoRA",)}),
        adapter.model_copy(update={
            "name": "llama-lora", "path": "/data/llama-lora", "task_id": "", "task_name": "",
            "base": "meta-llama/Llama-3.1-8B-Instruct", "base_here": False, "base_path": ""}),
        FoundModel(kind="adapter", name="old", path="/data/old", base="demo", base_here=True,
                   problem="Its weights are a pickle file, which may run code: not loaded."),
        FoundModel(kind="merged", name="done-merged", path="/home/u/loradeck/exports/done-merged",
                   size_bytes=269_000_000, base="demo", architecture="llama", chat_template=True),
        FoundModel(kind="gguf", name="done-q8_0.gguf", size_bytes=144_800_000,
                   path="/home/u/loradeck/exports/done-q8_0.gguf", architecture="llama",
                   quantization="Q8_0", chat_template=True),
    )  # fmt: skip


class FakeResults:
    """The part of the client that judges, exports, deploys and finds; a script as well."""

    calls: dict[str, list[object]]

    def __init__(self) -> None:
        self.reports: dict[str, Report] = {}
        self.known_jobs: dict[str, Job] = {}
        self.refused_job: LoraDeckError | None = None
        """Why the next job cannot be started."""
        self.found: tuple[FoundModel, ...] = ()
        self._followers: dict[str, list[asyncio.Queue[Job]]] = defaultdict(list)

    def change_job(self, moved: Job) -> None:
        """Let a job go on, and say so to who follows it."""
        self.known_jobs[moved.id] = moved
        for queue in self._followers[moved.id]:
            queue.put_nowait(moved)

    async def report(self, task_id: str) -> Report:
        if task_id not in self.reports:
            raise NotFoundError("No report", "The task 'done' has none: it ended before LoRADeck"
                                " wrote reports.", "loradeck report --make done")  # fmt: skip
        return self.reports[task_id]

    async def export(self, request: ExportRequest) -> Job:
        self.calls["export"].append(request)
        form = f"gguf {request.quantize}" if request.format == "gguf" else request.format
        return self._begin("export", f"done as {form}", request)

    async def deploy(self, request: DeployRequest) -> Job:
        self.calls["deploy"].append(request)
        return self._begin("deploy", "done at Ollama", request)

    def _begin(self, kind: str, title: str, request: ExportRequest | DeployRequest) -> Job:
        """Start a job, unless the script refuses it."""
        if self.refused_job is not None:
            raise self.refused_job
        number = 0xA0 + len(self.known_jobs)
        begun = job(request.source, title, kind=kind, id=f"{number:08x}", request=request)
        self.change_job(begun)
        return begun

    async def jobs(self) -> list[Job]:
        self.calls["jobs"].append(None)
        return list(self.known_jobs.values())

    async def job(self, job_id: str) -> Job:
        return self.known_jobs[job_id]

    async def follow_job(self, job_id: str) -> AsyncIterator[Job]:
        queue: asyncio.Queue[Job] = asyncio.Queue()
        queue.put_nowait(self.known_jobs[job_id])
        self._followers[job_id].append(queue)
        try:
            while True:
                yield (now := await queue.get())
                if now.ended:
                    return
        finally:
            self._followers[job_id].remove(queue)

    async def cancel_job(self, job_id: str) -> Job:
        self.calls["cancel_job"].append(job_id)
        known = self.known_jobs[job_id]
        self.change_job(known.model_copy(update={"state": "cancelled", "ended_at": BEGUN + 20}))
        return self.known_jobs[job_id]

    async def forget_job(self, job_id: str) -> Job:
        self.calls["forget_job"].append(job_id)
        return self.known_jobs.pop(job_id)

    async def scan_models(self, path: str = "") -> ModelScan:
        self.calls["scan_models"].append(path)
        if path and path != "/data":
            raise NotFoundError("No such folder", f"{path} is not there.", "Check the path.")
        found = tuple(one for one in self.found if one.path.startswith(path))
        return ModelScan(found=found, folders=212, links=2)
