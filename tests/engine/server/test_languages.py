"""Each client is answered in its own language, however many ask at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx

from engine.server.app import create_app
from engine.server.service import EngineService
from engine.settings import Settings
from tests.engine.tasks.bench import FakePool
from tests.engine.tasks.make import record
from tests.loud import let_chinese_be_loud

if TYPE_CHECKING:
    import pytest

    from engine.home import Home


async def test_clients_are_answered_in_their_languages_at_once(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_chinese_be_loud(monkeypatch)
    monkeypatch.setattr("engine.server.service.WorkerPool", lambda settings: FakePool())
    service = EngineService(home, Settings())
    task = service.store.put(record(task_name="bot"))
    transport = httpx.ASGITransport(create_app(service))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://e/api/simple-lora", headers={"Accept-Language": ""}
    ) as http:
        loud = {"Accept-Language": "zh_CN"}
        answers = await asyncio.gather(
            *(http.get("/tasks/xyz", headers=headers) for headers in (loud, {}, loud, {})),
            http.get(f"/tasks/{task.id}/report", headers=loud),
        )
    titles = [answer.json()["title"] for answer in answers]
    assert titles[:4] == ["NO SUCH TASK", "No such task"] * 2
    assert answers[4].json()["message"].startswith("'bot' IS PENDING: ITS REPORT")
