"""The jobs of a home: started, followed, ended and settled, by whichever server has the home."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from typing import TYPE_CHECKING

from pydantic import ValidationError

from engine.errors import ConflictError, NotFoundError
from engine.files import sync_folder, write_atomic
from engine.jobs import journal, process
from engine.jobs.room import check_room
from engine.jobs.settling import settle
from engine.jobs.spec import FILE, JobSpec
from engine.language import mark, tr
from engine.machine import boot_id
from engine.plan.cgroups import out_of_memory_kills
from engine.text import visible

if TYPE_CHECKING:
    import subprocess
    from collections.abc import AsyncIterator, Iterator

    from engine.home import Home
    from engine.jobs.types import Job
    from engine.settings import Settings

log = logging.getLogger(__name__)
_POLL_SECONDS = 0.2
_ENDED_KEPT = 50
CANCELLED = "cancelled"
"""An empty file in a job's folder: the user has asked for its end."""


class Jobs:
    """What has become of each job; the files in its folder are the truth."""

    def __init__(self, home: Home, settings: Settings) -> None:
        self._home = home
        self._grace = settings.stop_grace_seconds
        self._specs = {spec.id: spec for spec in self._found()}
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._ended: dict[str, Job] = {}
        self._killers: set[asyncio.Task[None]] = set()

    @property
    def active(self) -> bool:
        """Whether one runs."""
        return any(not job.ended for job in self.all())

    def all(self) -> list[Job]:
        """List all jobs, newest first."""
        newest = sorted(self._specs.values(), key=lambda spec: spec.created_at, reverse=True)
        return [self.get(spec.id) for spec in newest]

    def get(self, job_id: str) -> Job:
        """Find a job by its id or the beginning of it, as it stands now.

        Raises:
            NotFoundError: There is none.
        """
        spec = self._find(job_id)
        job = self._ended.get(spec.id) or self._look(spec)
        if job.ended:
            self._ended[spec.id] = job
        return job

    def start(self, spec: JobSpec) -> Job:
        """Start a job's process.

        Raises:
            ConflictError: Another one is making what it is to make, or its memory is not free.
            DiskFullError: What it will write does not fit.
        """
        running = [self._specs[job.id] for job in self.all() if not job.ended]
        check_room(spec, [(one, self._pid(one.id)) for one in running])
        folder = self._home.job(spec.id)
        folder.mkdir(mode=0o700)
        spec = spec.model_copy(
            update={"boot": boot_id(), "kills_before": out_of_memory_kills()},
        )
        try:
            write_atomic(folder / FILE, spec.model_dump_json(indent=1))
            sync_folder(folder.parent)
            self._children[spec.id] = process.start(self._home, folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._specs[spec.id] = spec
        self._forget_old()
        return self.get(spec.id)

    def cancel(self, job_id: str) -> Job:
        """Ask a running job to end; it is killed where it has not after the grace.

        Raises:
            ConflictError: It has ended.
        """
        job = self.get(job_id)
        if job.ended:
            raise ConflictError(
                tr("Job has ended"),
                tr("'{title}' is {state}.", title=visible(job.title), state=tr(job.state)),
            )
        folder = self._home.job(job.id)
        (folder / CANCELLED).touch(mode=0o600)
        if pid := self._pid(job.id):
            process.ask_to_end(pid)
            killer = asyncio.create_task(self._end_late(job.id, pid))
            self._killers.add(killer)
            killer.add_done_callback(self._killers.discard)
        return self.get(job.id)

    def forget(self, job_id: str) -> Job:
        """Remove what is kept of an ended job; what it has made stays.

        Raises:
            ConflictError: It has not ended.
        """
        job = self.get(job_id)
        if not job.ended:
            raise ConflictError(
                tr("Job not ended"),
                tr("'{title}' is running.", title=visible(job.title)),
                tr("Cancel it first: loradeck jobs cancel {id}", id=job.id),
            )
        self._specs.pop(job.id)
        self._ended.pop(job.id)
        shutil.rmtree(self._home.job(job.id), ignore_errors=True)
        return job

    async def follow(self, job_id: str) -> AsyncIterator[Job]:
        """Yield a job whenever it has moved, until it has ended or is forgotten."""
        told: Job | None = None
        while job_id in self._specs:
            job = self.get(job_id)
            if job != told:
                yield job
            if job.ended:
                return
            told = job
            await asyncio.sleep(_POLL_SECONDS)

    def tick(self) -> None:
        """Settle jobs whose processes have gone, and let none of those be a zombie."""
        self.all()
        self._children = {key: one for key, one in self._children.items() if one.poll() is None}

    def _look(self, spec: JobSpec) -> Job:
        """See how a job that was running stands; settle it where its process has gone."""
        folder = self._home.job(spec.id)
        child = self._children.get(spec.id)
        code = child.poll() if child else None
        lives = code is None if child else process.pid_of(folder) is not None
        if lives:
            return journal.read(folder) or spec.begun()
        return settle(spec, folder, code, cancelled=(folder / CANCELLED).exists())

    def _pid(self, job_id: str) -> int:
        """Give the pid of a job's process; 0 where that is not known."""
        child = self._children.get(job_id)
        return child.pid if child else process.pid_of(self._home.job(job_id)) or 0

    async def _end_late(self, job_id: str, pid: int) -> None:
        """Kill a job's process that has not ended after its grace, then tidy up after it."""
        deadline = time.monotonic() + self._grace
        while job_id in self._specs and not self.get(job_id).ended:
            if time.monotonic() > deadline:
                log.warning("job %s did not end in time; killing process %s", job_id, pid)
                process.kill(pid)
                return
            await asyncio.sleep(_POLL_SECONDS)

    def _find(self, job_id: str) -> JobSpec:
        """Find what an id, or an unambiguous beginning of one, means."""
        found = [spec for key, spec in self._specs.items() if key.startswith(job_id)]
        if job_id and len(found) == 1:
            return found[0]
        several, none = mark("Several jobs begin with '{id}'."), mark("No job begins with '{id}'.")
        words = tr(several if found else none, id=visible(job_id))
        raise NotFoundError(tr("Unknown job"), words, tr("List them: loradeck jobs"))

    def _found(self) -> Iterator[JobSpec]:
        """Read the jobs that earlier servers have started."""
        for path in sorted(self._home.jobs.glob(f"*/{FILE}")):
            try:
                spec = JobSpec.model_validate_json(path.read_bytes())
            except (OSError, ValidationError) as error:
                log.warning("%s is left alone: %s", path, error)
                continue
            if spec.id == path.parent.name:
                yield spec

    def _forget_old(self) -> None:
        """Keep the newest of the ended jobs alone."""
        for job in [job for job in self.all() if job.ended][_ENDED_KEPT:]:
            self.forget(job.id)
