"""Jobs over the interface, through the client and from a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.errors import ConflictError, NotFoundError
from engine.server.client import EngineClient
from tests.engine.jobs.test_jobs import own_work, spec_of
from tests.engine.server.real import served

if TYPE_CHECKING:
    from engine.home import Home
    from engine.jobs.types import Job


async def test_client_lists_follows_cancels_and_forgets_jobs(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_work(monkeypatch)
    async with served(home, monkeypatch) as there, EngineClient(home) as client:
        job = there.service.jobs.start(spec_of(home, "wait"))
        assert there.service.busy
        states: list[Job] = []
        cancelled = False
        async for moved in client.follow_job(job.id):
            states.append(moved)
            if moved.stage == "working" and not cancelled:
                cancelled = True
                with pytest.raises(ConflictError):
                    await client.forget_job(job.id)
                assert (await client.cancel_job(job.id[:5])).id == job.id
        assert states[-1].state == "cancelled"
        assert await client.jobs() == [await client.job(job.id)] == [states[-1]]
        assert await client.forget_job(job.id) == states[-1]
        with pytest.raises(NotFoundError, match="No job begins"):
            await client.job(job.id)
        while there.service.jobs._children:
            there.service.jobs.tick()
    assert not list(home.exports.iterdir())
