"""Takes a fast stream in batches: a message an event is what makes a screen slow."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

T = TypeVar("T")

_BREATH = 200  # items read before the screen gets its turn
_HELD = 10_000  # items waiting at most; the stream is not read on beyond that


class _Basket(Generic[T]):
    """What was read and not yet taken."""

    def __init__(self) -> None:
        self.items: list[T] = []
        self.closed = False
        self.filled = asyncio.Event()
        """Something is in it, or nothing more will come."""
        self.hurry = asyncio.Event()
        """It can hold no more, or nothing more will come."""
        self.room = asyncio.Event()

    async def put(self, item: T) -> None:
        """Put an item in; wait where there is no room."""
        self.items.append(item)
        self.filled.set()
        if len(self.items) >= _HELD:
            self.room.clear()
            self.hurry.set()
            await self.room.wait()

    def take(self) -> list[T]:
        """Take all items out."""
        items, self.items = self.items, []
        if not self.closed:
            self.filled.clear()
            self.hurry.clear()
        self.room.set()
        return items

    def close(self) -> None:
        """Say that nothing more will come."""
        self.closed = True
        self.filled.set()
        self.hurry.set()


async def batches(source: AsyncIterator[T], seconds: float) -> AsyncGenerator[list[T], None]:
    """Yield what a stream brings, at most once in ``seconds`` unless very much has come.

    The stream's failure is raised after what it brought. Close the generator
    (``contextlib.aclosing``), so that the stream is closed as well.
    """
    basket: _Basket[T] = _Basket()
    reader = asyncio.create_task(_read(source, basket))
    try:
        while not basket.closed or basket.items:
            await basket.filled.wait()
            if basket.items:
                yield basket.take()
            with suppress(TimeoutError):
                await asyncio.wait_for(basket.hurry.wait(), seconds)
        await reader
    finally:
        reader.cancel()
        await asyncio.wait([reader])


async def _read(source: AsyncIterator[T], basket: _Basket[T]) -> None:
    """Move a stream's items into the basket."""
    count = 0
    try:
        async with aclosing(source) as items:  # type: ignore[type-var]
            async for item in items:
                await basket.put(item)
                count += 1
                if count % _BREATH == 0:
                    await asyncio.sleep(0)
    finally:
        basket.close()
