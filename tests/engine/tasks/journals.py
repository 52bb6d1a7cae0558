"""Random journals in the shape that trainings give them, and long ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.tasks.events import (
    AdapterSaved,
    CheckpointSaved,
    Evaluated,
    MemoryProbed,
    MicroBatchHalved,
    PhaseEntered,
    RolledBack,
    RowsEncoded,
    StepLogged,
    StopTested,
    TaskCompleted,
    TaskFailed,
    TaskStarted,
    TaskStopped,
)
from engine.tasks.journal import JOURNAL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from random import Random

    from engine.tasks.events import Event


def training(random: Random, steps: int, attempts: int) -> Iterator[Event]:
    """Make the events of a run whose attempts end in all ways, at any place."""
    checkpoint = 0
    for _ in range(attempts):
        events = list(_attempt(random, checkpoint, steps))
        if random.random() < 0.7:
            del events[random.randrange(len(events)) :]
        for event in events:
            if isinstance(event, CheckpointSaved):
                checkpoint = event.step
            yield event


def _attempt(random: Random, first: int, steps: int) -> Iterator[Event]:
    """Make the events of one attempt that nothing interrupts."""
    yield TaskStarted(pid=random.randrange(1, 99999), device="CPU", resumed_from=first)
    yield PhaseEntered(phase="preparing")
    for number in range(random.randrange(6)):
        yield RowsEncoded(rows=number * 100, of=600)
    yield PhaseEntered(phase="loading")
    if random.random() < 0.8:
        size = random.randrange(10**9)
        yield MemoryProbed(
            tokens=9, trained=9, predicted=9, measured=size, fixed=9, free=random.randrange(99)
        )
    yield PhaseEntered(phase="training")
    yield from _steps(random, first, steps)
    yield PhaseEntered(phase="answering")
    yield StopTested(asked=4, ended=random.randrange(5), limit=64)
    yield PhaseEntered(phase="saving")
    yield AdapterSaved(path="/h/models/lora/x", size_bytes=1)
    yield random.choice(
        [
            TaskStopped(step=steps),
            TaskFailed(title="t", message="m"),
            TaskCompleted(seconds=1, train_loss=1, peak_memory=random.randrange(99)),
        ]
    )


def _steps(random: Random, first: int, steps: int) -> Iterator[Event]:
    """Make steps with what comes between them."""
    step, back = first, random.randrange(1, 400)
    rhythm = random.choice([3, 20, 1000])
    while step < steps:
        step += 1
        yield _step(random, step, steps)
        if step % rhythm == 0:
            yield Evaluated(step=step, eval_loss=random.random(), tokens=7, seconds=random.random())
        if step % (rhythm + 1) == 0:
            yield CheckpointSaved(step=step, path="x")
        if random.random() < 0.02:
            yield MicroBatchHalved(step=step, tokens=9)
        if step == back:
            back, to_step = -1, random.randrange(step)
            yield RolledBack(step=step, to_step=to_step, row=1, learning_rate=1e-4)
            step = to_step


def _step(random: Random, step: int, steps: int) -> StepLogged:
    """Make one step."""
    return StepLogged(
        step=step,
        max_steps=steps,
        epoch=step / 10,
        loss=random.random(),
        learning_rate=1e-4,
        grad_norm=None,
        tokens=random.randrange(1, 500),
        seconds=random.random(),
        tokens_left=steps - step,
        eval_tokens_left=random.randrange(9),
    )


def write_long(folder: Path, size: int, *, every: int = 1000) -> int:
    """Write a journal of about this many bytes, one attempt; give the number of its last event.

    Args:
        every: Steps between two checkpoints.
    """
    seq = 0
    template = '{{"seq":{},"time":1.5,"type":"step_logged","step":{},"max_steps":9999999,'
    template += '"epoch":0.5,"loss":1.5,"learning_rate":0.0001,"grad_norm":1.0,"tokens":100,'
    template += '"seconds":2.0,"tokens_left":987654300,"eval_tokens_left":0}}\n'
    with (folder / JOURNAL).open("wb") as file:
        head: list[Event] = [TaskStarted(pid=1, device="CPU"), PhaseEntered(phase="loading")]
        head.append(
            MemoryProbed(tokens=9, trained=9, predicted=9, measured=9, fixed=9, free=9),
        )
        for seq, event in enumerate([*head, PhaseEntered(phase="training")], 1):
            file.write(_line(event, seq))
        step = 0
        while file.tell() < size:
            lines = (template.format(seq + n, step + n) for n in range(1, every + 1))
            file.write("".join(lines).encode())
            seq, step = seq + every + 1, step + every
            file.write(_line(CheckpointSaved(step=step, path="x"), seq))
    return seq


def _line(event: Event, seq: int) -> bytes:
    """Write an event as its journal does."""
    return event.model_copy(update={"seq": seq}).model_dump_json().encode() + b"\n"
