"""Start the scanning process, read its lines, and end it, whatever happens."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from typing import TYPE_CHECKING

from engine.data.child_wire import Line
from engine.data.words import brief
from engine.language import for_child, tr

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncGenerator

    from engine.data.child_wire import Request

ADDRESS_SPACE = 8 * 1024**3
"""Bytes; far more than is used, since files mapped into memory and reserves count."""
DATA = 900 * 1024**2
"""Bytes that a scan may write to: a hostile file stays under a gigabyte."""
_LONGEST_LINE = 256 * 1024**2
_FEW_THREADS = {
    # A thread a core would each want memory, which is limited
    "TOKENIZERS_PARALLELISM": "false",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "ARROW_IO_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
}


class ChildDiedError(Exception):
    """The process ended, or was ended, without an answer; the text is a clause that says how."""


async def ask(request: Request, stall: float) -> AsyncGenerator[Line, None]:
    """Send a request and give the lines of the answer; closing this kills the process.

    Args:
        request: What is asked.
        stall: Seconds without a line after which the process is killed.

    Raises:
        ChildDiedError: There was no line for so long, or the process died.
    """
    process = await start()
    try:
        assert process.stdin is not None  # noqa: S101 - all three are pipes
        assert process.stdout is not None  # noqa: S101
        assert process.stderr is not None  # noqa: S101
        complaints = asyncio.create_task(process.stderr.read())
        with contextlib.suppress(ConnectionError):
            process.stdin.write(request.model_dump_json().encode())
            await process.stdin.drain()
            process.stdin.close()
        while line := await _line(process.stdout, stall):
            yield Line.model_validate_json(line)
        code = await process.wait()
        if code != 0:
            raise ChildDiedError(_death(code, await complaints))
    finally:
        await _end(process)


async def start() -> Process:
    """Start the process; ``-P`` keeps the current folder's modules out of it."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "engine.data.child"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **_FEW_THREADS, **for_child()},
        limit=_LONGEST_LINE,
    )


async def _line(stream: asyncio.StreamReader, stall: float) -> bytes:
    """Wait for a line; empty at the end."""
    try:
        async with asyncio.timeout(stall):
            return await stream.readline()
    except TimeoutError:
        raise ChildDiedError(tr("did not end within {stall:g} s", stall=stall)) from None
    except ValueError:
        raise ChildDiedError(tr("gave far too long an answer")) from None


async def _end(process: Process) -> None:
    """Kill the process where it still runs, and reap it, even when cancelled meanwhile."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await asyncio.shield(process.wait())


def _death(code: int, errors: bytes) -> str:
    """Say how the process ended that gave no answer."""
    lines = errors.decode("utf-8", "replace").split("\n")
    last = next((line for line in reversed(lines) if line.strip()), "")
    how = tr("was ended by signal {code}", code=-code) if code < 0 else tr("failed")
    return f"{how}: {brief(last)}" if last else how
