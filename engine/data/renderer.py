"""Render rows one by one, as they are edited, in a process of its own that stays.

A hostile chat template can neither stall nor bloat it: the process works within limits, and is
killed and started anew where it does not answer in time. ``engine.data.rendering`` is that
process: a request a line as JSON on standard input, an answer a line on standard output.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from engine.data.types import RenderedRow, Shape
from engine.data.words import brief, shown
from engine.errors import LoraDeckError
from engine.language import spoken, tr

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Mapping
    from pathlib import Path

TIMEOUT = 10.0
IDLE = 60.0
"""Seconds without a request after which the process ends."""
MEMORY = 4 * 1024**3
"""Bytes of address space; far more than is used, since files mapped into memory count."""
_LONGEST_ANSWER = 256 * 1024**2
"""Bytes; the longest text that a template may make fits in, escaped."""


class Request(BaseModel):
    """What the parent asks."""

    value: dict[str, Any]
    shape: Shape
    model_folder: str
    max_length: int | None
    language: str = "en"
    """That of the user who asks: the process answers several."""


class Failure(BaseModel):
    """A ``LoraDeckError`` on its way through the pipe."""

    title: str
    message: str
    hint: str


class Answer(BaseModel):
    """What the child answers: one of the two."""

    rendered: RenderedRow | None = None
    failure: Failure | None = None


class RowRenderer:
    """Renders rows in a process of its own, which starts with the first row.

    Args:
        timeout: Seconds a row may take, the loading of its model's tokenizer included.
        idle: Seconds without a row after which the process ends by itself.
    """

    def __init__(self, timeout: float = TIMEOUT, idle: float = IDLE) -> None:
        self._timeout = timeout
        self._idle = idle
        self._process: Process | None = None
        self._turn = asyncio.Lock()

    async def render(
        self, value: Mapping[str, Any], shape: Shape, model_folder: Path, max_length: int | None
    ) -> RenderedRow:
        """Render a row as ``engine.data.rendering.render_row`` does; one at a time.

        Args:
            value: The row as it stands in the file.
            shape: How rows are read.
            model_folder: The base model whose template and tokenizer are used.
            max_length: Tokens beyond which the trainer cuts; ``None`` for no limit.

        Raises:
            LoraDeckError: The model's files cannot be used, or the process gave no answer.
        """
        request = {
            "value": value,
            "shape": shape.model_dump(),
            "model_folder": str(model_folder),
            "max_length": max_length,
            "language": spoken(),
        }
        try:
            text = json.dumps(request, default=str)
        except (RecursionError, ValueError):
            return faulty(tr("It is nested too deeply to be read."))
        line = text.encode() + b"\n"
        async with self._turn:
            answer = await self._ask(line, model_folder)
        if answer.failure is not None:
            raise LoraDeckError(**answer.failure.model_dump())
        if answer.rendered is None:
            raise _gave_up(model_folder, tr("gave no answer"))
        return answer.rendered

    async def close(self) -> None:
        """End the process; a later row would start another."""
        async with self._turn:
            await self._end()

    async def _ask(self, line: bytes, model_folder: Path) -> Answer:
        """Send a request and read the answer; what goes wrong ends the process."""
        answered = False
        try:
            async with asyncio.timeout(self._timeout):
                # It may have ended for idleness just now: then a fresh one is asked
                reply = await self._exchange(line) or await self._exchange(line)
            if reply:
                answer = Answer.model_validate_json(reply)
                answered = True
                return answer
        except TimeoutError:
            reason = tr("did not end within {timeout:g} s", timeout=self._timeout)
            raise _gave_up(model_folder, reason) from None
        except ValueError as error:
            raise _gave_up(
                model_folder, tr("gave no answer: {error}", error=brief(error))
            ) from None
        finally:
            if not answered:
                await self._end()
        raise _gave_up(model_folder, tr("failed"))

    async def _exchange(self, line: bytes) -> bytes:
        """Send a line and read one, empty where the process has ended."""
        if self._process is None or self._process.returncode is not None:
            await self._end()
            self._process = await _start(self._idle)
        process = self._process
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        try:
            process.stdin.write(line)
            await process.stdin.drain()
            reply = await process.stdout.readline()
        except ConnectionError:
            reply = b""
        if not reply.endswith(b"\n"):
            await self._end()
            return b""
        return reply

    async def _end(self) -> None:
        """Kill the process where it still runs, and reap it."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


def faulty(reason: str) -> RenderedRow:
    """Say why a row cannot train."""
    return RenderedRow(text="", trained_spans=(), tokens=0, trained=0, fault=reason)


async def _start(idle: float) -> Process:
    """Start the process; ``-P`` keeps the current folder's modules out of it."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "engine.data.rendering", str(idle), str(MEMORY)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=_LONGEST_ANSWER,
        # A thread a core would each want address space, which is limited
        env={**os.environ, "TOKENIZERS_PARALLELISM": "false"},
    )


def _gave_up(model_folder: Path, reason: str) -> LoraDeckError:
    """Say that the row could not be shown as the model gets it."""
    return LoraDeckError(
        tr("Row could not be rendered"),
        tr(
            "Rendering it with the chat template and tokenizer of {model} {reason}.",
            model=shown(model_folder),
            reason=reason,
        ),
        tr(
            "The model's chat template may be faulty, or the row far too long: choose "
            "another base model, or split the row."
        ),
    )
