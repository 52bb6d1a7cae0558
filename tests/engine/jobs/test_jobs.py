"""Jobs in real processes: done, failed, cancelled, killed, found again by the next server."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from engine.errors import ConflictError, DiskFullError, NotFoundError
from engine.jobs import journal, process
from engine.jobs.jobs import Jobs
from engine.jobs.spec import JobSpec
from engine.settings import Settings

if TYPE_CHECKING:
    from engine.home import Home
    from engine.jobs.types import Job

ROOT = Path(__file__).parents[3]


def own_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the jobs' processes do the tests' own work."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    child = [sys.executable, "-m", "tests.engine.jobs.child"]
    monkeypatch.setattr(process, "command", lambda folder: [*child, str(folder)])


@pytest.fixture(autouse=True)
def _own_work(monkeypatch: pytest.MonkeyPatch) -> None:
    own_work(monkeypatch)


@pytest.fixture
def jobs(home: Home) -> Jobs:
    return Jobs(home, Settings(stop_grace_seconds=0.3))


def spec_of(home: Home, do: str, **more: int | str) -> JobSpec:
    """Ask for a job that does something."""
    target = str(home.export("made"))
    return JobSpec(kind="export", title=do, inputs={"do": do}, **{"target": target, **more})


async def ended(jobs: Jobs, job: Job) -> Job:
    """Follow a job to its end, within reason."""
    async with asyncio.timeout(30):
        last = [moved async for moved in jobs.follow(job.id)][-1]
        while jobs._children:
            jobs.tick()
            await asyncio.sleep(0.01)
    return last


async def at_work(jobs: Jobs, spec: JobSpec) -> Job:
    """Start a job and wait until it waits."""
    job = jobs.start(spec)
    assert spec.partial is not None
    async with asyncio.timeout(30):
        while not (spec.partial / "waiting").exists():
            await asyncio.sleep(0.02)
    return job


def kill(jobs: Jobs, job: Job) -> None:
    """Kill a job's process and wait until it has gone."""
    process.kill(jobs._children[job.id].pid)
    jobs._children[job.id].wait()


async def test_job_is_done_and_tells_how_far_it_is(home: Home, jobs: Jobs) -> None:
    job = jobs.start(spec_of(home, "complete"))
    assert (job.state, job.stage, jobs.active) == ("running", "starting", True)
    done = await ended(jobs, job)
    assert (done.state, done.progress, jobs.active) == ("completed", 1.0, False)
    assert done.exported is not None
    assert (home.export("made") / "half").read_text() == "written"
    assert [path.name for path in home.exports.iterdir()] == ["made"]
    assert jobs.all() == [done] == Jobs(home, Settings()).all()


@pytest.mark.parametrize(
    ("do", "title", "words"),
    [
        ("fail", "Not done", "It cannot be done."),
        ("refuse", "Refused", "It speaks otherwise."),
        ("fault", "Job failed", "ValueError: nobody␛foresaw"),
        ("full", "Disk full", "no room left"),
        ("die", "Job ended early", "its worker was killed"),
    ],
)
async def test_failed_job_says_why_and_leaves_nothing(
    home: Home, jobs: Jobs, do: str, title: str, words: str
) -> None:
    job = await ended(jobs, jobs.start(spec_of(home, do)))
    assert (job.state, job.error_title) == ("failed", title)
    assert words in job.message
    assert (job.exported is not None) == (do == "refuse")
    assert not list(home.exports.iterdir())


async def test_what_a_killed_job_had_started_ends_with_it(home: Home, jobs: Jobs) -> None:
    await ended(jobs, jobs.start(spec_of(home, "parent")))
    child = int((home.exports / "child").read_text())
    with suppress(psutil.NoSuchProcess):
        psutil.wait_procs([psutil.Process(child)], timeout=10)
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("do", ["wait", "deaf", "muddle"])
async def test_cancelled_job_ends_and_leaves_nothing(home: Home, jobs: Jobs, do: str) -> None:
    job = await at_work(jobs, spec_of(home, do))
    with pytest.raises(ConflictError, match="not ended"):
        jobs.forget(job.id)
    jobs.cancel(job.id)
    assert (await ended(jobs, job)).state == "cancelled"
    assert not list(home.exports.iterdir())
    with pytest.raises(ConflictError, match="ended"):
        jobs.cancel(job.id)


async def test_next_server_finds_a_job_that_goes_on_and_one_that_died(home: Home) -> None:
    first = Jobs(home, Settings())
    spec = spec_of(home, "wait")
    job = await at_work(first, spec)
    second = Jobs(home, Settings())
    assert (second.get(job.id[:4]).stage, second.active) == ("working", True)
    kill(first, job)
    found = second.get(job.id)
    assert (found.state, found.error_title) == ("failed", "Job ended early")
    assert "while no engine watched" in found.message
    assert not list(home.exports.iterdir())
    assert journal.read(home.job(job.id)) == found


async def test_next_server_remembers_that_a_job_was_cancelled(home: Home) -> None:
    first = Jobs(home, Settings(stop_grace_seconds=60))
    job = await at_work(first, spec_of(home, "deaf"))
    first.cancel(job.id)
    kill(first, job)
    assert Jobs(home, Settings()).get(job.id).state == "cancelled"


async def test_what_cannot_be_done_now_is_refused(home: Home, jobs: Jobs) -> None:
    job = await at_work(jobs, spec_of(home, "wait"))
    with pytest.raises(ConflictError, match="writing to"):
        jobs.start(spec_of(home, "wait"))
    elsewhere = str(home.export("elsewhere"))
    with pytest.raises(ConflictError, match="Too little memory"):
        jobs.start(spec_of(home, "complete", target=elsewhere, memory=1 << 60))
    with pytest.raises(DiskFullError):
        jobs.start(spec_of(home, "complete", target=elsewhere, disk=1 << 60))
    assert [one.id for one in jobs.all()] == [job.id]
    jobs.cancel(job.id)
    await ended(jobs, job)


async def test_ended_jobs_are_forgotten_the_oldest_first(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.jobs.jobs._ENDED_KEPT", 1)
    jobs = Jobs(home, Settings())
    made = [await ended(jobs, jobs.start(spec_of(home, "fail"))) for _ in range(2)]
    last = jobs.start(spec_of(home, "fail"))
    assert [job.id for job in jobs.all()] == [last.id, made[1].id]
    assert not home.job(made[0].id).exists()
    await ended(jobs, last)
    jobs.forget(last.id)
    with pytest.raises(NotFoundError):
        jobs.get(last.id)


async def test_torn_and_foreign_lines_are_passed_over(home: Home, jobs: Jobs) -> None:
    job = await ended(jobs, jobs.start(spec_of(home, "fail")))
    file = home.job(job.id) / journal.JOURNAL
    file.write_bytes(file.read_bytes() + b'{"newer": 1}\n{"torn')
    assert journal.read(home.job(job.id)) == job
    journal.write(home.job(job.id), job)
    assert file.read_bytes().endswith(b'{"newer": 1}\n' + job.model_dump_json().encode() + b"\n")
    (home.job(job.id) / "job.json").write_text("{}")
    assert Jobs(home, Settings()).all() == []
