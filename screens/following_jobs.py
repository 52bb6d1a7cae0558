"""Follows exports and deployments, in steps that a screen can draw."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from screens.pump import batches

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from engine.jobs.types import Job
    from engine.server.client import EngineClient

BATCH_SECONDS = 0.5


async def followed(client: EngineClient, job_id: str) -> AsyncIterator[Job]:
    """Give a job's newest state, at most once in half a second, until it has ended."""
    async with aclosing(batches(client.follow_job(job_id), BATCH_SECONDS)) as stream:
        async for jobs in stream:
            yield jobs[-1]
