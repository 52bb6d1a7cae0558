"""The interface keeps to its own description, whatever it is sent: no 5xx, answers as declared.

Schemathesis makes the requests from ``openapi.json``, valid ones and others; paths and names among
them are often such as exist. ``make fuzz`` makes many more: LORADECK_FUZZ_EXAMPLES for a path.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import threading
from typing import TYPE_CHECKING, Any

import httpx
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from engine.errors import NotFoundError
from engine.server.app import create_app
from engine.server.listen import listen_tcp, written
from engine.server.service import EngineService
from engine.server.wire import PREFIX
from engine.settings import Settings
from engine.tasks.journal import JournalWriter
from engine.tasks.record import Status
from tests.engine.chat.fake_process import use_fakes
from tests.engine.tasks.bench import FakePool
from tests.engine.tasks.make import record, step

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest
    from schemathesis import APIOperation, Case

    from engine.home import Home

EXAMPLES = int(os.environ.get("LORADECK_FUZZ_EXAMPLES", "3"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# The one never ends, the other ends all
LEFT_OUT = {f"GET {PREFIX}/watch", f"POST {PREFIX}/engine/stop"}
ODD = [
    "", ".", "..", "../../etc/passwd", "a/b", "a\\b", ".partial-x", ".hidden", "nul\0byte",
    "x" * 300, "é" * 300, "\x1b]0;title\x07", "lora", "-rf", "%2e%2e%2f", "CON", "a:b",
    "\u202egpj.exe", " ",
]  # fmt: skip


@contextlib.contextmanager
def _running(service: EngineService) -> Iterator[str]:
    """Serve the interface, open to all, in a thread; gives its address."""
    app = create_app(service)
    listener = listen_tcp("0")
    config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
    thread.start()
    try:
        yield f"http://{written(listener)}"
    finally:
        server.should_exit = True
        thread.join()


def _fill(service: EngineService, samples: Path) -> None:
    """Put into a home what can be found there."""
    shutil.copy(samples / "alpaca_example.json", service.home.datasets / "rows.json")
    for name, status in (("done", Status.COMPLETED), ("waiting", Status.PENDING)):
        task = service.store.put(record(id=f"{name}1", task_name=name, status=status))
        service.home.task(task.id).mkdir()
        writer = JournalWriter(service.home.task(task.id))
        writer.append(step(1))
        writer.close()


def _likely(home: Home, tmp_path: Path, model: Path, samples: Path) -> dict[str, list[str]]:
    """Values that mean something, or are known to be odd, by the name of the field."""
    rows = str(samples / "alpaca_example.json")
    faulty = str(samples / "broken" / "no_answer.json")
    paths = [rows, faulty, str(home.root), "/dev/null", "/no/such"]
    models = [str(model), "demo", "org/name"]
    tasks = ["done", "done1", "waiting", "d"]
    return {
        "path": [*paths, "/" + "x" * 300, "/" + "x" * 5000, "/a\0b", *ODD],
        "dataset_file": [rows, rows, *paths[1:], *ODD],
        "target": [str(tmp_path / "out.jsonl"), str(tmp_path / "out.csv"), str(tmp_path), "tiny"],
        "model": [*models, *ODD],
        "base_model": [*models, *ODD],
        "name": ["rows", "rows.json", "alpaca_example.json", *models, *ODD],
        "task_name": ["first", "second", "done", *ODD],
        "task_id": [*tasks, *ODD],
        "conversation_id": ["first", *ODD],
        "source": [*tasks, str(home.models), "/" + "x" * 5000, "/a\0b", *ODD],
        "out": ["", str(tmp_path / "out"), "/dev/null/x", *ODD],
        "job_id": ["3f2a", *ODD],
        "host": ["", "127.0.0.1:9", *ODD],
        "preset": ["", "classic", *ODD],
        "device": ["", "RTX 3060", "memory=24GB,capability=8.9", *ODD],
    }


def _readable(schema: Any) -> Any:
    """Write pairs as lists of either: Schemathesis 4.32 trips over them in answers."""
    if isinstance(schema, list):
        return [_readable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _readable(value) for key, value in schema.items() if key != "prefixItems"}
    if "prefixItems" in schema:
        plain["items"] = {"anyOf": _readable(schema["prefixItems"])}
    return plain


def _with_likely(case: Case, likely: dict[str, list[str]], data: st.DataObject) -> None:
    """Give most of the named fields a value that means something."""
    for place in (case.path_parameters, case.query, case.body):
        if isinstance(place, dict):
            for key in sorted(place.keys() & likely.keys()):
                # Strings only: what has another type is there to be refused
                if isinstance(place[key], str) and data.draw(st.integers(0, 3)):
                    place[key] = data.draw(st.sampled_from(likely[key]))


def _without_ways_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """No network, and no files where a test made a name up."""

    async def absent(*_: object) -> None:
        raise NotFoundError("Not there", "There is no hub.", "")

    monkeypatch.setattr("engine.server.pulls.pull_in_process", absent)
    monkeypatch.setattr("engine.server.managed._add_from_hub", absent)
    use_fakes(monkeypatch)
    monkeypatch.setattr("engine.server.service.WorkerPool", lambda _: FakePool())
    monkeypatch.setattr(FakePool, "spare_ready", False, raising=False)


def _try(operation: APIOperation, url: str, likely: dict[str, list[str]], mode: Any) -> None:
    """Send one operation requests of its own."""

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    def send(case: Case, data: st.DataObject) -> None:
        if mode is GenerationMode.POSITIVE:
            _with_likely(case, likely, data)
        case.call_and_validate(base_url=url, checks=CHECKS, timeout=60)

    with contextlib.suppress(Unsatisfiable):  # what takes nothing cannot be sent anything wrong
        send()


def test_interface_keeps_to_its_description(
    home: Home, tmp_path: Path, tiny_llama: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without_ways_out(monkeypatch)
    service = EngineService(home, Settings())
    _fill(service, samples)
    likely = _likely(home, tmp_path, tiny_llama, samples)
    tried, faults = set(), []
    with _running(service) as url:
        described = httpx.get(f"{url}{PREFIX}/openapi.json", trust_env=False).json()
        schema = schemathesis.openapi.from_dict(_readable(described))
        for result in schema.get_all_operations():
            operation = result.ok()
            if operation.label not in LEFT_OUT:
                tried.add(operation.label)
                for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                    try:
                        _try(operation, url, likely, mode)
                    except (FailureGroup, Failure) as fault:
                        faults.append(f"{operation.label}: {fault}")
    assert not faults, "\n".join(faults)
    assert len(tried) > 30
    inside = {path.name.partition(".json")[0] for path in home.root.iterdir()}
    kept = {"assistants", "cache", "chats", "datasets", "exports", "jobs", "models", "run", "tasks"}
    assert inside <= kept
    assert {path.name.partition(".")[0] for path in tmp_path.iterdir()} <= {"home", "out"}
