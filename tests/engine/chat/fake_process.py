"""A process that answers what a test tells it, without a model."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from engine.plan.types import Device
from engine.results.chat.wire import Ended, Question, Ready, Refused, Report, Said, Start

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

CPU = Device(kind="cpu", name="CPU", cores=1, memory_total=10**10, memory_free=4 * 10**9)


class FakeProcess:
    """Says the question back, a word at a time, then waits for more words where it is told to."""

    pid = 0

    def __init__(self, start: Start) -> None:
        self.started = start
        self.alive = True
        self.asked: list[Question] = []
        self.cancelled: list[int] = []
        self.endless = False
        self.deaf = False
        self._reports: asyncio.Queue[Report] = asyncio.Queue()
        self._reports.put_nowait(Ready())

    async def ask(self, question: Question) -> None:
        """Answer."""
        self.asked.append(question)
        for word in question.messages[-1].content.split(" "):
            self._reports.put_nowait(Said(text=word + " "))
        if not self.endless:
            self.end_answer("stop")

    def end_answer(self, finish: str) -> None:
        """Say that the answer is whole."""
        self._reports.put_nowait(
            Ended.model_validate(
                {
                    "finish": finish,
                    "prompt_tokens": 3,
                    "tokens": 2,
                    "first_token_seconds": 0.5,
                    "tokens_per_second": 9.0,
                }
            )
        )

    async def cancel(self, number: int) -> None:
        """Hear, unless deaf."""
        self.cancelled.append(number)
        if not self.deaf:
            self.end_answer("cancelled")

    async def report(self) -> Report:
        """Give the next report."""
        return await self._reports.get()

    async def end(self) -> None:
        """End."""
        self.kill()

    def kill(self) -> None:
        """End at once."""
        self.alive = False
        self._reports.put_nowait(Refused(title="Chat ended", message="It is gone."))


class Processes:
    """All that were started, in order."""

    def __init__(self) -> None:
        self.all: list[FakeProcess] = []
        self.endless = False
        self.refusal: Refused | None = None
        self.failure: Exception | None = None
        """Raised in place of a start."""

    async def start(self, start: Start, _log: Path) -> FakeProcess:
        """Start one."""
        if self.failure:
            raise self.failure
        process = FakeProcess(start)
        process.endless = self.endless
        if self.refusal:
            process._reports = asyncio.Queue()
            process._reports.put_nowait(self.refusal)
        self.all.append(process)
        return process


def use_fakes(monkeypatch: pytest.MonkeyPatch) -> Processes:
    """Let chats start fakes."""
    processes = Processes()
    monkeypatch.setattr("engine.results.chat.holder.ChatProcess.start", processes.start)
    monkeypatch.setattr("engine.results.chat.holder.best_device", lambda: CPU)
    return processes
