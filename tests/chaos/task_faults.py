"""Faults of a task's own files, as power that goes or a bad disk leaves them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from engine.tasks.events import Evaluated, StepLogged
from engine.tasks.journal import JOURNAL
from engine.train.checkpoints import newest, step_of
from tests.chaos.damage import append, damage, flip, remove, truncate

if TYPE_CHECKING:
    from pathlib import Path

    from tests.chaos.ground import Ground


def tear_journal(ground: Ground) -> str | None:
    """Cut the journal off anywhere after what its newest checkpoint made durable."""
    task = _idle_task(ground)
    if task is None or not (path := ground.home.task(task) / JOURNAL).exists():
        return None
    if ground.server() is not None:
        return None  # what it has read cannot be lost while the machine runs
    durable, size = _durable_bytes(ground, task), path.stat().st_size
    length = ground.random.randint(durable, size)
    os.truncate(path, length)
    ground.torn_journals.add(task)
    return f"{task}: {size - length} of {size} bytes lost"


def _durable_bytes(ground: Ground, task: str) -> int:
    """Count the journal's bytes up to the last line that a checkpoint, made later, rests on."""
    checkpoint = newest(ground.home.task(task) / "checkpoints")
    step = step_of(checkpoint) if checkpoint else 0
    known = [
        event.seq
        for event in ground.events(task)
        if isinstance(event, StepLogged | Evaluated) and event.step <= step
    ]
    lines = (ground.home.task(task) / JOURNAL).read_bytes().splitlines(keepends=True)
    mark = f'"seq":{max(known)},'.encode() if known else None
    places = [place for place, line in enumerate(lines) if mark and mark in line]
    return sum(map(len, lines[: places[-1] + 1])) if places else 0


def soil_journal(ground: Ground) -> str | None:
    """Append to the journal what a write leaves that power interrupted."""
    task = _idle_task(ground)
    if task is None or not (path := ground.home.task(task) / JOURNAL).exists():
        return None
    half = b'{"seq":5,"time":1.0,"type":"step_log'
    random, sizes = ground.random, ground.random.randrange(1, 300)
    noise = random.choice(
        (half, bytes(sizes), random.randbytes(sizes), random.randbytes(9) + b"\n")
    )
    with path.open("ab") as file:
        file.write(noise)
    return f"{task}: {len(noise)} bytes {noise[:12]!r}"


def damage_checkpoint(ground: Ground) -> str | None:
    """Damage the newest checkpoint: a file gone, cut off, or with another bit in its place."""
    task = _idle_task(ground)
    checkpoint = newest(ground.home.task(task) / "checkpoints") if task else None
    if checkpoint is None:
        return None
    names = sorted(path for path in checkpoint.iterdir() if path.name != "README.md")
    chosen, way = ground.random.choice(names), ground.random.choice((truncate, flip, remove))
    return f"{task} {checkpoint.name}: {chosen.name} {way(chosen, ground.random)}"


def damage_adjustments(ground: Ground) -> str | None:
    """Put noise where the changes that a run made to its plan are kept."""
    if (task := _idle_task(ground)) is None:
        return None
    path = ground.home.task(task) / "adjustments.json"
    path.touch()
    return f"{task}: {path.name} {append(path, ground.random)}"


def damage_cache(ground: Ground) -> str | None:
    """Damage a file of the encoded rows, which may be deleted at any time."""
    if _idle_task(ground) is None:
        return None
    files = sorted(_files(ground.home.encoded))
    return damage(ground.random.choice(files), ground.random) if files else None


def _files(folder: Path) -> list[Path]:
    """List all files below a folder."""
    return [path for path in folder.rglob("*") if path.is_file()]


def _idle_task(ground: Ground) -> str | None:
    """Give the task that is next, if no worker of the home runs."""
    return None if ground.workers() else ground.current()
