"""The HTTP interface, over a real service whose workers are fakes."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from engine import __version__
from engine.errors import LoraDeckError
from engine.plan.types import Device
from engine.server.app import create_app
from engine.server.service import EngineService
from engine.settings import Settings
from engine.tasks.journal import JournalWriter
from engine.tasks.record import Status
from engine.tasks.store import TaskStore
from tests.engine.tasks.bench import FakePool
from tests.engine.tasks.make import record, step

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from engine.home import Home

PREFIX = "/api/simple-lora"


@pytest.fixture
async def service(home: Home, monkeypatch: pytest.MonkeyPatch) -> EngineService:
    monkeypatch.setattr("engine.server.service.WorkerPool", lambda settings: FakePool())
    monkeypatch.setattr(FakePool, "spare_ready", False, raising=False)
    return EngineService(home, Settings())


@pytest.fixture
async def stopping() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
async def http(service: EngineService, stopping: asyncio.Event) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(service)
    app.state.stopping = stopping
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://e" + PREFIX) as client:
        yield client


@pytest.fixture
def body(tiny_llama: Path, samples: Path) -> dict[str, Any]:
    """A request that trains."""
    return {
        "task_name": "first",
        "base_model": str(tiny_llama),
        "dataset_file": str(samples / "alpaca_example.json"),
    }


async def test_train_makes_a_task_that_runs(
    http: httpx.AsyncClient, service: EngineService, body: dict[str, Any]
) -> None:
    answer = await http.post("/train", json={**body, "overrides": {"lora_rank": 4}})
    assert answer.status_code == 201, answer.text
    task = answer.json()
    assert (task["status"], task["dataset_type"], task["progress"]) == ("running", "alpaca", 0)
    assert task["training_params"]["lora_rank"] == 4
    assert (await http.get("/tasks")).json() == [task]
    for reference in (task["id"], task["id"][:4], "first"):
        assert (await http.get(f"/tasks/{reference}")).json() == task
    plan = (await http.get("/tasks/first/plan")).json()
    assert plan["training_params"] == task["training_params"]
    assert plan["choices"]["lora_rank"]["overridden"]


async def test_plan_creates_nothing(
    http: httpx.AsyncClient, service: EngineService, body: dict[str, Any]
) -> None:
    del body["task_name"]
    answer = await http.post("/plan", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["training_params"].keys() == answer.json()["choices"].keys()
    assert service.store.all() == []
    assert not list((service.home.root / "tasks").iterdir())


async def test_a_plan_for_another_card_can_be_made_but_not_trained(
    http: httpx.AsyncClient, service: EngineService, body: dict[str, Any]
) -> None:
    elsewhere = {**body, "device": "RTX 3060 6GB", "preset": "classic"}
    refused = await http.post("/train", json=elsewhere)
    assert refused.status_code == 422, refused.text
    assert refused.json()["title"] == "Device not here"
    del elsewhere["task_name"]
    plan = (await http.post("/plan", json=elsewhere)).json()
    assert (plan["device"]["name"], plan["device"]["hypothetical"]) == ("RTX 3060 6GB", True)
    assert (plan["preset"], plan["training_params"]["lora_alpha"]) == ("classic", 32)
    assert service.store.all() == []


async def test_a_task_keeps_the_device_that_was_chosen(
    http: httpx.AsyncClient, service: EngineService, body: dict[str, Any]
) -> None:
    own = (await http.get("/engine/devices")).json()
    assert own[-1]["kind"] == "cpu"
    await http.post("/train", json={**body, "device": "cpu"})
    task = service.store.all()[0]
    assert task.chosen_device == "cpu"
    assert service.plan_of(task).device.chosen
    await http.post("/train", json={**body, "task_name": "free", "device": "auto"})
    assert service.store.named("free").chosen_device == ""


@pytest.mark.parametrize(
    ("wrong", "title"),
    [
        ({"device": "RTX 3061"}, "Unknown card"),
        ({"preset": "clasic"}, "Unknown preset"),
        ({"overrides": {"early_stopping_patience": 3}}, "Overrides contradict each other"),
    ],
)
async def test_bad_plans_are_refused(
    http: httpx.AsyncClient, body: dict[str, Any], wrong: dict[str, Any], title: str
) -> None:
    del body["task_name"]
    answer = await http.post("/plan", json={**body, **wrong})
    assert answer.status_code == 422
    assert answer.json()["title"] == title


async def test_a_model_that_cannot_be_adapted_is_refused(
    http: httpx.AsyncClient, body: dict[str, Any], tiny_llama: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_llama, tmp_path / "gptq"))
    config = json.loads((folder / "config.json").read_text())
    changed = config | {"quantization_config": {"quant_method": "gptq"}}
    (folder / "config.json").write_text(json.dumps(changed))
    del body["task_name"]
    answer = await http.post("/plan", json={**body, "base_model": str(folder)})
    assert answer.status_code == 422
    assert "already quantized (gptq)" in answer.json()["message"]
    assert "use_4bit=true" in answer.json()["hint"]


async def test_what_does_not_fit_names_a_model_of_the_catalog(
    http: httpx.AsyncClient, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    full = Device(kind="cpu", name="CPU", cores=2, memory_total=10**9, memory_free=10**6)
    asked: list[Home] = []
    monkeypatch.setattr("engine.server.planning.detect", lambda: [full])
    monkeypatch.setattr("engine.server.planning.list_models", lambda home: asked.append(home) or [])
    del body["task_name"]
    plan = (await http.post("/plan", json=body)).json()
    assert "memory" in {finding["code"] for finding in plan["findings"]}
    assert len(asked) == 1


async def test_second_task_of_a_name_is_refused(
    http: httpx.AsyncClient, service: EngineService, body: dict[str, Any]
) -> None:
    first, second = await asyncio.gather(
        http.post("/train", json=body), http.post("/train", json=body)
    )
    assert sorted((first.status_code, second.status_code)) == [201, 409]
    refused = next(answer for answer in (first, second) if answer.status_code == 409).json()
    assert refused["title"] == "Name taken"
    assert "first-2" in refused["hint"]
    assert len(service.store.all()) == 1
    assert len(list((service.home.root / "tasks").iterdir())) == 1


async def test_name_of_an_adapter_without_a_task_is_taken(
    http: httpx.AsyncClient, home: Home, body: dict[str, Any]
) -> None:
    home.adapter("first").mkdir()
    assert (await http.post("/train", json=body)).status_code == 409


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"task_name": "../up"}, "Name not usable"),
        ({"task_name": ""}, "Name missing"),
        ({"task_name": "x" * 101}, "Name too long"),
        ({"dataset_file": "rows.json"}, "relative path"),
        ({"dataset_file": "/no/such/rows.json"}, "rows.json"),
        ({"base_model": "dmeo"}, "demo"),
        ({"overrides": {"lora_rnak": 8}}, "Did you mean lora_rank?"),
        ({"overrides": {"lora_rank": 0}}, "lora_rank=0"),
        ({"task_name": None}, "task_name"),
        ({"surprise": 1}, "surprise"),
    ],
)
async def test_bad_request_is_refused_and_leaves_nothing(
    http: httpx.AsyncClient,
    service: EngineService,
    body: dict[str, Any],
    change: dict[str, Any],
    words: str,
) -> None:
    answer = await http.post("/train", json={**body, **change})
    assert 400 <= answer.status_code < 500
    assert words in answer.text
    assert answer.json().keys() == {"title", "message", "hint"}
    assert service.store.all() == []
    assert not list((service.home.root / "tasks").iterdir())


async def test_length_that_cuts_every_answer_is_refused_by_row(
    http: httpx.AsyncClient, service: EngineService, body: dict[str, Any]
) -> None:
    answer = await http.post("/train", json={**body, "overrides": {"max_seq_length": 16}})
    assert answer.status_code == 422
    assert "12 rows keep nothing of their answer: 1, 2, 3" in answer.text
    assert service.store.all() == []


async def test_plan_tells_what_repeated_and_faulty_rows_mean(
    http: httpx.AsyncClient, body: dict[str, Any], tmp_path: Path
) -> None:
    rows = [{"prompt": f"Q{n % 20}?", "completion": f"A{n % 20}."} for n in range(299)]
    dataset = tmp_path / "rows.json"
    dataset.write_text(json.dumps([*rows, {"prompt": "Q?"}]), encoding="utf-8")
    request = {"base_model": body["base_model"], "dataset_file": str(dataset)}
    plan = (await http.post("/plan", json=request)).json()
    told = {one["code"]: one for one in plan["findings"]}
    assert "held-out rows say the same" in told["eval-overlap"]["message"]
    assert "Left out of the training" in told["no-answer"]["message"]
    assert {one["level"] for one in plan["findings"]} <= {"warning", "note"}
    assert plan["train_rows"] + plan["training_params"]["eval_rows"] == 299


async def test_unknown_tasks_events_are_a_404(http: httpx.AsyncClient) -> None:
    assert (await http.get("/tasks/nope/events")).status_code == 404


async def test_record_of_a_damaged_store_cannot_reach_outside_the_home(
    service: EngineService, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    evil = record(id="../../victim", task_name="evil", status=Status.COMPLETED)
    with pytest.raises(LoraDeckError, match="is no name"):
        service.store.put(evil)
    tables = {"tasks": {"1": evil.model_dump(mode="json")}}
    service.home.store_file.write_text(json.dumps(tables))
    service.store = TaskStore(service.home)
    assert (await http.delete("/tasks/evil")).status_code == 404
    assert victim.exists()


async def test_too_little_disk_is_refused(
    http: httpx.AsyncClient,
    service: EngineService,
    body: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Usage:
        free = 1000

    monkeypatch.setattr("engine.server.planning.shutil.disk_usage", lambda _: Usage)
    answer = await http.post("/train", json=body)
    assert answer.status_code == 507
    assert service.store.all() == []


async def test_record_that_cannot_be_stored_leaves_no_task(
    service: EngineService,
    http: httpx.AsyncClient,
    body: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(service.store, "put", full)
    answer = await http.post("/train", json=body)
    assert (answer.status_code, answer.json()["title"]) == (507, "Disk full")
    assert not list((service.home.root / "tasks").iterdir())


async def test_cancel_and_delete(
    http: httpx.AsyncClient, service: EngineService, body: dict[str, Any]
) -> None:
    await http.post("/train", json=body)
    waiting = (await http.post("/train", json={**body, "task_name": "second"})).json()
    assert waiting["status"] == "pending"
    assert (await http.delete("/tasks/second")).status_code == 409
    assert (await http.post("/tasks/second/cancel")).json()["status"] == "cancelled"
    assert (await http.post("/tasks/second/cancel")).status_code == 409
    assert (await http.delete("/tasks/second")).json()["id"] == waiting["id"]
    assert (await http.get("/tasks/second")).status_code == 404
    assert not service.home.task(waiting["id"]).exists()


@pytest.mark.parametrize("ours", [True, False])
async def test_an_adapter_is_deleted_only_with_the_task_that_made_it(
    http: httpx.AsyncClient, service: EngineService, body: dict[str, Any], ours: bool
) -> None:
    await http.post("/train", json=body)
    task = (await http.post("/train", json={**body, "task_name": "second"})).json()
    await http.post("/tasks/second/cancel")
    adapter = service.home.adapter("second")
    adapter.mkdir()
    origin = json.dumps({"task_id": task["id"] if ours else "another"})
    (adapter / "loradeck.json").write_text(origin)
    assert (await http.delete("/tasks/second?adapter=true")).status_code == 200
    assert adapter.exists() is not ours


async def test_events_and_log(
    http: httpx.AsyncClient, service: EngineService, body: dict[str, Any]
) -> None:
    task = (await http.post("/train", json=body)).json()
    folder = service.home.task(task["id"])
    assert (await http.get("/tasks/first/log")).json() == {"log": ""}
    (folder / "worker.log").write_text("one\ntwo\nthree\n")
    assert (await http.get("/tasks/first/log?lines=2")).json() == {"log": "two\nthree"}
    writer = JournalWriter(folder)
    for number in (1, 2, 3):
        writer.append(step(number, of=4))
    writer.close()
    answer = await http.get("/tasks/first/events?after=1&follow=false")
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line[5:]) for line in answer.text.splitlines() if line.startswith("data:")]
    assert [event["seq"] for event in events] == [2, 3]
    answer = await http.get("/tasks/first/events?tail=1&follow=false")
    assert answer.text.count("data:") == 1
    of = await http.get("/tasks/first/events/of?kind=step_logged&kind=evaluated")
    assert [event["seq"] for event in of.json()] == [1, 2, 3]
    assert (await http.get("/tasks/first/events/of")).status_code == 422
    curves = (await http.get("/tasks/first/curves?points=3")).json()
    assert (curves["steps"], curves["last_seq"]) == ([1, 2, 3], 3)
    assert (await http.get("/tasks/first/curves?first=2&last=2")).json()["steps"] == [2]
    live = (await http.get("/tasks/first")).json()
    assert live["progress"] == 75.0
    # The store knows nothing of steps.
    assert service.store.get(task["id"]).progress == 0.0


async def test_watch_ends_with_the_server(
    http: httpx.AsyncClient, stopping: asyncio.Event, body: dict[str, Any]
) -> None:
    await http.post("/train", json=body)
    watching = asyncio.create_task(http.get("/watch"))
    await asyncio.sleep(0)
    assert (await http.post("/engine/stop")).status_code == 202
    async with asyncio.timeout(5):
        answer = await watching
    first = next(line for line in answer.text.splitlines() if line.startswith("data:"))
    assert [view["task"]["task_name"] for view in json.loads(first[5:])["views"]] == ["first"]


async def test_engine_tells_its_state(http: httpx.AsyncClient, body: dict[str, Any]) -> None:
    await http.post("/train", json=body)
    info = (await http.get("/engine")).json()
    assert (info["version"], info["tasks_running"], info["tasks_pending"]) == (__version__, 1, 0)


async def test_models_and_datasets_are_listed(http: httpx.AsyncClient) -> None:
    models = (await http.get("/models")).json()
    assert (models[0]["name"], models[0]["state"]) == ("demo", "absent")
    datasets = {entry["name"]: entry for entry in (await http.get("/datasets")).json()}
    assert datasets["alpaca_example.json"]["dataset_type"] == "alpaca"
    assert datasets["sharegpt_example.json"]["dataset_type"] == "sharegpt"
    assert datasets["alpaca_example.json"]["rows"] >= 10


async def test_inspect(http: httpx.AsyncClient, samples: Path) -> None:
    found = await http.post(
        "/datasets/inspect", json={"path": str(samples / "alpaca_example.json")}
    )
    assert found.json()["dataset_type"] == "alpaca"
    missing = await http.post("/datasets/inspect", json={"path": "/no/such"})
    assert missing.status_code in (404, 422)


async def test_upload_keeps_what_can_train(
    http: httpx.AsyncClient, home: Home, samples: Path
) -> None:
    content = (samples / "alpaca_example.json").read_bytes()
    for name, kept in (("mine.json", "mine.json"), ("../../mine.json", "mine-2.json")):
        answer = await http.post("/upload-dataset", files={"file": (name, content)})
        assert answer.status_code == 201, answer.text
        assert answer.json()["path"] == str(home.datasets / kept)
        assert (home.datasets / kept).read_bytes() == content
    for name, bad in (("bad.json", b"{"), ("rows.exe", content), ("none.json", b"")):
        assert (await http.post("/upload-dataset", files={"file": (name, bad)})).status_code == 422
    assert sorted(path.name for path in home.datasets.iterdir()) == ["mine-2.json", "mine.json"]


async def test_pull_is_asked_for_once_and_its_failure_told(
    http: httpx.AsyncClient, service: EngineService, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, calls = asyncio.Event(), []

    async def fail_later(_: object, name: str, report: Any, __: object) -> None:
        calls.append(name)
        report("converting", 0.5)
        await go_on.wait()
        raise LoraDeckError("No network", "Nothing answers.", "Try later.")

    monkeypatch.setattr("engine.server.pulls.pull_in_process", fail_later)
    for _ in range(2):
        answer = await http.post("/models/pull", json={"model": "demo"})
        assert answer.status_code == 202
        await asyncio.sleep(0)
    info = (await http.get("/models/find?name=demo")).json()
    assert (info["state"], info["progress"], calls) == ("converting", 0.5, ["demo"])
    assert service.busy
    go_on.set()
    while service.busy:
        await asyncio.sleep(0)
    info = (await http.get("/models/find?name=demo")).json()
    assert (info["state"], info["problem"]) == ("absent", "No network: Nothing answers. Try later.")


async def test_a_pull_is_stopped_and_that_is_no_failure(
    http: httpx.AsyncClient, service: EngineService, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def until_stopped(*given: Any) -> None:
        await given[-1].wait()
        raise LoraDeckError("Model not made ready", "demo: it was killed.")

    monkeypatch.setattr("engine.server.pulls.pull_in_process", until_stopped)
    for _ in range(2):  # a second one begins like the first
        await http.post("/models/pull", json={"model": "demo"})
        assert service.busy
        info = (await http.post("/models/pull/stop", json={"model": "demo"})).json()
        assert (info["state"], info["problem"], service.busy) == ("absent", "", False)
    assert (await http.post("/models/pull/stop", json={"model": "demo"})).status_code == 200


async def test_unknown_paths_and_methods_answer_in_the_same_form(http: httpx.AsyncClient) -> None:
    for answer in (await http.get("/nothing"), await http.put("/tasks")):
        assert answer.status_code in (404, 405)
        assert answer.json().keys() == {"title", "message", "hint"}


async def test_the_six_paths_of_the_design_are_described(http: httpx.AsyncClient) -> None:
    paths = (await http.get("/openapi.json")).json()["paths"]
    assert paths.keys() >= {
        PREFIX + path
        for path in (
            "/models",
            "/upload-dataset",
            "/train",
            "/tasks",
            "/tasks/{task_id}",
            "/datasets",
        )
    }


@pytest.mark.parametrize("name", ["", "%2e", "%2e%2e", "a%00b", "..%2ftasks", "%2fetc", "x" * 400])
async def test_removing_what_is_no_name_removes_nothing(
    http: httpx.AsyncClient, home: Home, name: str
) -> None:
    (home.datasets / "rows.json").write_text("[]")
    assert 400 <= (await http.delete(f"/datasets/{name}")).status_code < 500
    assert (home.datasets / "rows.json").exists()
    assert (home.root / "tasks").exists()
