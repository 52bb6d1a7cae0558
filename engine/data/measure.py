"""Measure a dataset in a process of its own, which a hostile chat template can neither stall
nor bloat.

``python -m engine.data.measure`` is that process: a request as JSON on standard input, an answer
as JSON on standard output.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import resource
import sys
from typing import TYPE_CHECKING

from pydantic import BaseModel

from engine.data.types import Lengths
from engine.data.words import brief, shown
from engine.errors import LoraDeckError

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from pathlib import Path

TIMEOUT = 60.0
_MEMORY = 4 * 1024**3
"""Bytes; far more than is used, since files mapped into memory count."""
_SPARE_SECONDS = 5
"""How much later than the parent's clock the kernel's limit strikes, should the parent be gone."""


class _Request(BaseModel):
    """What the parent asks."""

    dataset: str
    model_folder: str
    seconds: int
    """Of processor time, after which the kernel ends the process."""
    memory: int
    """Bytes of address space."""


class _Failure(BaseModel):
    """A ``LoraDeckError`` on its way through the pipe."""

    title: str
    message: str
    hint: str


class _Answer(BaseModel):
    """What the child answers: one of the two."""

    lengths: Lengths | None = None
    failure: _Failure | None = None


async def measure_in_process(
    dataset: Path,
    model_folder: Path,
    timeout: float = TIMEOUT,  # noqa: ASYNC109 - kills a process
) -> Lengths:
    """Measure as ``engine.data.lengths.measure`` does, within limits of time and memory.

    Args:
        dataset: The dataset file.
        model_folder: A base model's folder.
        timeout: Seconds after which the process is killed; it is killed when cancelled, too.

    Raises:
        LoraDeckError: What ``measure`` raises, or a limit was reached.
    """
    request = _Request(
        dataset=str(dataset),
        model_folder=str(model_folder),
        seconds=math.ceil(timeout) + _SPARE_SECONDS,
        memory=_MEMORY,
    )
    process = await _start()
    try:
        async with asyncio.timeout(timeout):
            output, errors = await process.communicate(request.model_dump_json().encode())
    except TimeoutError:
        reason = f"did not end within {timeout:g} s"
        raise _gave_up(dataset, model_folder, reason) from None
    finally:
        await _end(process)
    if process.returncode != 0:
        raise _gave_up(dataset, model_folder, _death(process.returncode, errors))
    return _unpack(_Answer.model_validate_json(output))


async def _start() -> Process:
    """Start the measuring process; ``-P`` keeps the current folder's modules out of it."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "engine.data.measure"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        # A thread a core would each want address space, which is limited
        env={**os.environ, "TOKENIZERS_PARALLELISM": "false"},
    )


async def _end(process: Process) -> None:
    """Kill the process where it still runs, and reap it."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _unpack(answer: _Answer) -> Lengths:
    """Give the lengths, or raise the child's error again."""
    if answer.failure is not None:
        failure = answer.failure
        raise LoraDeckError(failure.title, failure.message, failure.hint)
    if answer.lengths is None:
        raise LoraDeckError("Measuring failed", "The measuring process gave no answer.")
    return answer.lengths


def _death(code: int | None, errors: bytes) -> str:
    """Say how the process ended that gave no answer."""
    lines = errors.decode("utf-8", "replace").split("\n")
    last = next((line for line in reversed(lines) if line.strip()), "")
    how = f"was ended by signal {-code}" if code is not None and code < 0 else "failed"
    return f"{how}: {brief(last)}" if last else how


def _gave_up(dataset: Path, model_folder: Path, reason: str) -> LoraDeckError:
    """Say that the tokens could not be counted."""
    return LoraDeckError(
        "Dataset could not be measured",
        f"Counting the tokens of {shown(dataset)} with the chat template and tokenizer of "
        f"{shown(model_folder)} {reason}.",
        "The model's chat template may be faulty, or a row far too long: "
        "choose another base model, or split the longest rows.",
    )


def main() -> None:
    """Answer one request: the child's side."""
    request = _Request.model_validate_json(sys.stdin.buffer.read())
    _limit(resource.RLIMIT_CPU, request.seconds)
    _limit(resource.RLIMIT_AS, request.memory)
    sys.stdout.write(_answer(request).model_dump_json())


def _answer(request: _Request) -> _Answer:
    """Measure, and put what goes wrong into words."""
    # Only the child needs the tokenizer library and jinja2
    from pathlib import Path

    from engine.data.lengths import measure

    dataset, model_folder = Path(request.dataset), Path(request.model_folder)
    try:
        return _Answer(lengths=measure(dataset, model_folder))
    except LoraDeckError as error:
        failure = error
    except MemoryError:
        failure = _gave_up(dataset, model_folder, "wants too much memory")
    return _Answer(
        failure=_Failure(title=failure.title, message=failure.message, hint=failure.hint)
    )


def _limit(which: int, value: int) -> None:
    """Lower a limit of this process; some systems know no limit on memory."""
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(which, (value, hard))


if __name__ == "__main__":
    main()
