"""What must hold of every task in the end: one function each, which yields what does not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from engine.tasks.events import Evaluated, RolledBack, StepLogged, TaskCompleted, TaskStarted
from tests.chaos.processes import of_home
from tests.chaos.reference import ADAPTER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.chaos.ground import Ground
    from tests.chaos.reference import Undisturbed

_LEAVE_SECONDS = 15.0


def completed(ground: Ground, task: str, _: Undisturbed) -> Iterator[str]:
    """The task is recorded as completed, and was completed once."""
    ends = [one for one in ground.events(task) if isinstance(one, TaskCompleted)]
    if len(ends) != 1 or ends[0] != ground.events(task)[-1]:
        yield f"was completed {len(ends)} times, or went on afterwards"
    record = ground.records().get(task, {"status": "lost", "message": ""})
    if record["status"] != "completed":
        yield f"is {record['status']}: {record['message']}"


def numbered(ground: Ground, task: str, _: Undisturbed) -> Iterator[str]:
    """The journal's events bear the numbers 1 to n, each once and in order."""
    numbers = [event.seq for event in ground.events(task)]
    if numbers != list(range(1, len(numbers) + 1)):
        wrong = next((at, seq) for at, seq in enumerate(numbers, 1) if at != seq)
        yield f"has event {wrong[1]} in place {wrong[0]} of {len(numbers)}"


def steps_whole(ground: Ground, task: str, _: Undisturbed) -> Iterator[str]:
    """Steps follow each other without a hole; a resumed run goes on from a step that was made."""
    step = 0
    for event in ground.events(task):
        match event:
            case TaskStarted(resumed_from=place) | RolledBack(to_step=place):
                if place > step:
                    yield f"goes on from step {place}, and step {step} is the last one told"
                step = place
            case StepLogged() if event.step != step + 1:
                yield f"has step {event.step} after {step}"
                step = event.step
            case StepLogged():
                step = event.step


def steps_equal(ground: Ground, task: str, calm: Undisturbed) -> Iterator[str]:
    """Every step, also one that was made again, has the undisturbed run's loss, rate and norm."""
    last = 0
    for event in ground.events(task):
        if isinstance(event, StepLogged):
            last, wanted = event.step, calm.steps.get(event.step)
            if wanted is None or _figures(event) != _figures(wanted):
                yield f"step {event.step} is {_figures(event)}, undisturbed {_figures(wanted)}"
                return
    if last != max(calm.steps):
        yield f"ends with step {last}, undisturbed with {max(calm.steps)}"


def _figures(step: StepLogged | None) -> tuple[float | None, ...]:
    """Give what must not hang on what happened to a run."""
    return (step.loss, step.learning_rate, step.grad_norm, step.tokens) if step else ()


def evaluations_equal(ground: Ground, task: str, calm: Undisturbed) -> Iterator[str]:
    """Every evaluation gives the undisturbed run's loss."""
    for event in ground.events(task):
        if isinstance(event, Evaluated):
            wanted = calm.evaluations.get(event.step)
            if wanted is None or event.eval_loss != wanted.eval_loss:
                yield f"evaluation at step {event.step} is {event.eval_loss}, undisturbed {wanted}"
                return


def adapter_equal(ground: Ground, task: str, calm: Undisturbed) -> Iterator[str]:
    """The adapter's weights are the undisturbed run's, byte by byte."""
    name = f"task-{ground.tasks.index(task)}"
    path = ground.home.adapter(name) / ADAPTER
    if not path.exists():
        yield "has no adapter"
    elif path.read_bytes() != calm.adapter:
        yield "has other weights than undisturbed"


OF_A_TASK: tuple[Callable[[Ground, str, Undisturbed], Iterator[str]], ...] = (
    completed,
    numbered,
    steps_whole,
    steps_equal,
    evaluations_equal,
    adapter_equal,
)


def nothing_left(ground: Ground) -> Iterator[str]:
    """After the server was asked to stop, no process of the home is there any more."""
    deadline = time.monotonic() + _LEAVE_SECONDS
    while left := list(of_home(ground.home.root)):
        if time.monotonic() > deadline:
            yield f"left behind: {[(one.pid, one.cmdline()[-2:]) for one in left]}"
            return
        time.sleep(0.1)


def nothing_half_written(ground: Ground) -> Iterator[str]:
    """Beside the adapters lies nothing that was written aside."""
    folder = ground.home.models / "lora"
    wanted = {f"task-{number}" for number in range(len(ground.tasks))}
    if others := {path.name for path in folder.iterdir()} - wanted:
        yield f"beside the adapters lies {sorted(others)}"


OF_THE_HOME: tuple[Callable[[Ground], Iterator[str]], ...] = (nothing_left, nothing_half_written)
