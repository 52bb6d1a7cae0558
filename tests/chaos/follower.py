"""A client that follows every task to its end, through all that happens to the server."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from engine.errors import EngineUnavailableError, NotFoundError
from engine.server.client import EngineClient

if TYPE_CHECKING:
    from tests.chaos.ground import Ground

_PATIENCE_SECONDS = 0.1


class Follower:
    """Checks that a client gets every event of a task once, whichever server it is told by."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._follow_all()))
        self.seen: dict[str, int] = {}
        self._thread.start()

    def end(self) -> None:
        """Stop following."""
        self._over.set()
        self._thread.join()

    async def _follow_all(self) -> None:
        """Follow one task after the other; start no server, as the harness does that."""
        for_each: dict[str, asyncio.Task[None]] = {}
        while not self._over.is_set():
            for task in self._ground.tasks[len(for_each) :]:
                for_each[task] = asyncio.create_task(self._follow(task))
            await asyncio.sleep(_PATIENCE_SECONDS)
        for following in for_each.values():
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following

    async def _follow(self, task: str) -> None:
        """Follow one task; after a server's end go on behind the last event that came."""
        self.seen[task] = 0
        while True:
            try:
                async with EngineClient(self._ground.home) as client:
                    async for event in client.events(task, after=self.seen[task]):
                        self._check(task, event.seq)
                        self.seen[task] = event.seq
                    if (await client.task(task)).status.ended:
                        return
            except EngineUnavailableError:
                await asyncio.sleep(_PATIENCE_SECONDS)
            except NotFoundError as error:
                self._ground.violated(f"{task} is not known any more: {error}")
                return

    def _check(self, task: str, seq: int) -> None:
        """Refuse a gap and a repetition; of a journal that lost lines nothing can be said."""
        if seq != self.seen[task] + 1 and task not in self._ground.torn_journals:
            self._ground.violated(f"{task}: event {seq} was sent after {self.seen[task]}")
