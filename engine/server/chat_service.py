"""Chats: whoever asks waits for a turn, and the process that holds the model answers."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from engine.errors import EngineUnavailableError, LoraDeckError
from engine.language import tr
from engine.results.chat.types import Answered, ChatStatus, Failed, Loading, Piece
from engine.results.chat.wire import Ended, Question, Refused, Said
from engine.server.chat_turn import Turn
from engine.text import visible

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from engine.plan.types import Device
    from engine.results.chat.holder import ChatHolder
    from engine.results.chat.process import ChatProcess
    from engine.results.chat.types import ChatEvent, ChatRequest
    from engine.results.chat.wire import Report
    from engine.server.chat_targets import Target

log = logging.getLogger(__name__)
_MOST_WAITING = 32
_QUIET_SECONDS = 60.0
"""A chat that nobody has asked for so long gives way to a training that could then start."""
_CANCEL_SECONDS = 30.0
"""After which a process that does not end its answer is killed."""


class Chats:
    """Answers one question after the other, in the order in which they came.

    Args:
        holder: Of the process with the model.
        idle_minutes: The model leaves after so long without a question.
        freed: Called when memory has become free.
    """

    def __init__(
        self,
        holder: ChatHolder,
        idle_minutes: float,
        freed: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._holder, self._idle_minutes, self._freed = holder, idle_minutes, freed
        self._clock = clock
        self._turns = asyncio.Lock()
        self._waiting = 0
        self._number = 0
        self._used = clock()
        self._wanted_by = ""
        self._adapters: dict[str, None] = {}
        self._jobs: set[asyncio.Future[None]] = set()

    def answer(self, target: Target, request: ChatRequest) -> AsyncIterator[ChatEvent]:
        """Answer a conversation; closing what this gives ends the answer at its next token.

        Raises:
            LoraDeckError: Too many wait already, or there is no question: at once, so that it is
                told before a stream has begun.
        """
        turn = Turn.of(target, request)
        if self._waiting >= _MOST_WAITING:
            words = tr("{count} wait for an answer already.", count=self._waiting)
            raise EngineUnavailableError(tr("Too many questions"), words, tr("Ask later."))
        return self._events(turn)

    async def _events(self, turn: Turn) -> AsyncIterator[ChatEvent]:
        """Have a question answered and give what is told of it."""
        self._spawn(self._carry_out(turn))
        try:
            while (event := await turn.events.get()) is not None:
                yield event
        finally:
            turn.gone.set()

    def status(self) -> ChatStatus:
        """Tell what is held in memory."""
        device = self._holder.device
        if self._holder.process is None or device is None:
            return ChatStatus()
        return ChatStatus(
            loaded=True,
            base=self._holder.base,
            adapters=tuple(self._adapters),
            memory=self._holder.held(device),
            device=device.name,
            idle_seconds=self._idle,
            wanted_by=self._wanted_by,
        )

    async def unload(self) -> ChatStatus:
        """Free the memory now; an answer under way fails."""
        await self._release("asked to")
        return self.status()

    def trim(self) -> None:
        """Let the model go where nobody has asked it for a while."""
        if self._holder.process and self._idle > self._idle_minutes * 60:
            self._spawn(self._release("idle"))

    def close(self) -> None:
        """Let the model go, the engine ending too."""
        self._holder.close()

    def held(self, device: Device) -> int:
        """Give the bytes that the chat holds of a device."""
        return self._holder.held(device)

    def to_come(self, device: Device) -> int:
        """Give the bytes that it is still to take there."""
        return self._holder.to_come(device)

    def give_way(self, task_name: str) -> None:
        """Take note which task could start with the chat's memory; empty where none could.

        Whoever has just read an answer is left time to ask on; then the memory is the task's.
        """
        self._wanted_by = task_name
        if task_name and self._holder.process and self._idle >= _QUIET_SECONDS:
            self._spawn(self._release(f"'{visible(task_name)}' wants its memory"))

    @property
    def _idle(self) -> float:
        """Seconds since the last answer; 0 while one is under way."""
        return 0.0 if self._waiting else self._clock() - self._used

    async def _release(self, reason: str) -> None:
        """End the process and tell that its memory is free."""
        log.info("the chat's model leaves: %s", reason)
        await self._holder.release()
        self._wanted_by = ""
        self._adapters.clear()
        self._freed()

    async def _carry_out(self, turn: Turn) -> None:
        """Wait for the turn, answer, and tell what goes wrong in words."""
        if self._waiting:
            turn.events.put_nowait(Loading(message=tr("Waits for its turn.")))
        self._waiting += 1
        try:
            async with self._turns:
                if not turn.gone.is_set():
                    await self._serve(turn)
        except LoraDeckError as error:
            words = {"message": visible(error.message), "hint": visible(error.hint)}
            turn.events.put_nowait(Failed(title=error.title, **words))
        except Exception as error:  # whoever waits hears of it, and the next question begins anew
            log.exception("a question failed")
            await self._holder.release()
            reason = tr("The engine failed ({kind}).", kind=type(error).__name__)
            hint = tr("See {file}.", file="run/engine.log")
            turn.events.put_nowait(Failed(title=tr("Engine error"), message=reason, hint=hint))
        finally:
            self._waiting -= 1
            self._used = self._clock()
            turn.events.put_nowait(None)

    async def _serve(self, turn: Turn) -> None:
        """Have the model loaded and ask it.

        Raises:
            LoraDeckError: It cannot be loaded, or does not answer.
        """
        target = turn.target
        if not self._holder.holds(*target.key):
            words = tr("{name} is being loaded.", name=visible(target.base.name))
            turn.events.put_nowait(Loading(message=words))
            self._adapters.clear()
            await self._holder.load(target.base, *target.key)
        if (process := self._holder.process) is None:
            words = tr("The model was unloaded.")
            raise LoraDeckError(tr("Chat ended"), words, tr("Ask again."))
        self._number += 1
        question = Question(
            number=self._number,
            voice=target.voice,
            messages=turn.messages,
            sampling=turn.sampling,
        )
        await process.ask(question)
        await self._listen(process, turn)

    async def _listen(self, process: ChatProcess, turn: Turn) -> None:
        """Pass the answer on until it is whole; once nobody waits, have it ended.

        Raises:
            LoraDeckError: The question is refused, or the process is gone.
        """
        left, number = asyncio.ensure_future(turn.gone.wait()), self._number
        reading, cancelled = asyncio.ensure_future(process.report()), False
        try:
            while True:
                await asyncio.wait(
                    {reading} if cancelled else {reading, left},
                    timeout=_CANCEL_SECONDS if cancelled else None,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if left.done() and not cancelled:
                    cancelled = True
                    await process.cancel(number)
                elif not reading.done():
                    process.kill()  # it does not hear; the next question has it loaded anew
                if reading.done():
                    if self._take(reading.result(), turn):
                        return
                    reading = asyncio.ensure_future(process.report())
        finally:
            left.cancel()

    def _take(self, report: Report, turn: Turn) -> bool:
        """Pass a report on; tells whether it was the last.

        Raises:
            LoraDeckError: It is a refusal.
        """
        if isinstance(report, Refused):
            raise report.error()
        if isinstance(report, Said):
            turn.text.append(report.text)
            turn.events.put_nowait(Piece(text=report.text))
        if isinstance(report, Ended):
            if adapter := turn.target.adapter_name:
                self._adapters[adapter] = None
            turn.events.put_nowait(self._answered(report, turn))
        return isinstance(report, Ended)

    def _answered(self, ended: Ended, turn: Turn) -> Answered:
        """Put a whole answer together."""
        notices = list(ended.notices)
        if self._wanted_by:
            words = tr(
                "'{name}' waits for this memory: it starts once the chat was not used for {seconds}"
                " seconds.",
                name=self._wanted_by,
                seconds=f"{_QUIET_SECONDS:.0f}",
            )
            notices.append(words)
        measured = ended.model_dump(exclude={"kind", "notices"})
        return Answered(text="".join(turn.text), notice=" ".join(notices), **measured)

    def _spawn(self, job: Coroutine[None, None, None]) -> None:
        """Run a job beside the server and keep it from being collected."""
        running = asyncio.ensure_future(job)
        self._jobs.add(running)
        running.add_done_callback(self._jobs.discard)
