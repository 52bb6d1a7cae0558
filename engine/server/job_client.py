"""The part of the engine's client that exports, deploys, and looks at such jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from pydantic import TypeAdapter

from engine.jobs.types import Job
from engine.server.calls import Calls
from engine.text import check_utf8

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from engine.results.export.types import DeployRequest, ExportRequest

_JOBS = TypeAdapter(list[Job])


class JobCalls(Calls):
    """What can be asked about jobs over any connection."""

    async def export(self, request: ExportRequest) -> Job:
        """Start making something of an adapter that other programs can use; paths are absolute."""
        return Job.model_validate(await self.call("POST", "/export", request.model_dump()))

    async def deploy(self, request: DeployRequest) -> Job:
        """Start making a model of another program's out of an adapter."""
        return Job.model_validate(await self.call("POST", "/deploy", request.model_dump()))

    async def jobs(self) -> list[Job]:
        """List all jobs, newest first."""
        return _JOBS.validate_python(await self.call("GET", "/jobs"))

    async def job(self, job_id: str) -> Job:
        """Find a job by its id or an unambiguous beginning of it."""
        return Job.model_validate(await self.call("GET", _job_path(job_id)))

    async def follow_job(self, job_id: str) -> AsyncIterator[Job]:
        """Yield a job whenever it has moved, until it has ended."""
        async with self.stream(_job_path(job_id) + "/events") as lines:
            async for data in lines:
                yield Job.model_validate_json(data)

    async def cancel_job(self, job_id: str) -> Job:
        """Ask a running job to end; what it has half written is removed."""
        return Job.model_validate(await self.call("POST", _job_path(job_id) + "/cancel"))

    async def forget_job(self, job_id: str) -> Job:
        """Remove what is kept of an ended job; what it has made stays."""
        return Job.model_validate(await self.call("DELETE", _job_path(job_id)))


def _job_path(job_id: str) -> str:
    """Give the path of a job."""
    return "/jobs/" + quote(check_utf8(job_id), safe="")
