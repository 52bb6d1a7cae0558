"""Base models that are being fetched or converted: one process each."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, NamedTuple

from engine.errors import LoraDeckError
from engine.language import tr
from engine.models.catalog import find_model
from engine.models.pull import pull_in_process

if TYPE_CHECKING:
    from engine.home import Home
    from engine.models.types import ModelInfo, State


log = logging.getLogger(__name__)


class Far(NamedTuple):
    """How far a pull is."""

    state: State
    progress: float | None = None
    """Share done, 0 to 1."""
    began: float = 0.0
    """When this state's first share was known, by the monotonic clock, and what it was."""
    first: float = 0.0

    def at(self, state: State, progress: float | None) -> Far:
        """Give how far it is now."""
        if state == self.state and self.progress is not None and progress is not None:
            return self._replace(progress=progress)
        return Far(state, progress, time.monotonic(), progress or 0.0)

    @property
    def seconds_left(self) -> float | None:
        """Expect the rest to take as long a share as what was done; not known before that."""
        if self.progress is None or self.progress <= self.first:
            return None
        taken = time.monotonic() - self.began
        return taken * (1 - self.progress) / (self.progress - self.first)


class Pulls:
    """Runs pulls and tells how far they are."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._running: dict[str, asyncio.Task[None]] = {}
        self._far: dict[str, Far] = {}
        self._problems: dict[str, str] = {}
        self._stops: dict[str, asyncio.Event] = {}

    @property
    def active(self) -> bool:
        """Whether something is being pulled."""
        return bool(self._running)

    def begin(self, info: ModelInfo) -> None:
        """Start pulling a model that is not ready, unless that is under way."""
        if info.state == "ready" or info.name in self._running:
            return
        self._problems.pop(info.name, None)
        self._far[info.name] = Far("downloading")
        self._stops[info.name] = asyncio.Event()
        self._running[info.name] = asyncio.create_task(self._pull(info.name))

    async def stop(self, name: str) -> None:
        """End a pull, if it is under way; what it has fetched is taken up by the next one."""
        if (running := self._running.get(name)) is not None:
            self._stops[name].set()
            await asyncio.wait([running])

    def with_progress(self, info: ModelInfo) -> ModelInfo:
        """Lay what is known of a pull over a model's entry."""
        if info.name in self._running:
            far = self._far[info.name]
            update = {key: getattr(far, key) for key in ("state", "progress", "seconds_left")}
            return info.model_copy(update=update)
        if info.state == "absent" and (problem := self._problems.get(info.name)):
            return info.model_copy(update={"problem": problem})
        return info

    async def find(self, name: str) -> ModelInfo:
        """Find a model, with the progress of its pull."""
        return self.with_progress(await asyncio.to_thread(find_model, self._home, name))

    async def _pull(self, name: str) -> None:
        """Pull one model and keep the reason if that fails."""

        def report(state: State, progress: float | None) -> None:
            self._far[name] = self._far[name].at(state, progress)

        stop = self._stops[name]
        try:
            await pull_in_process(self._home, name, report, stop)
        except LoraDeckError as error:
            if stop.is_set():
                return  # not a failure
            self._problems[name] = f"{error.title}: {error.message} {error.hint}".strip()
        except Exception as error:
            log.exception("pull of %s", name)
            kind = type(error).__name__
            self._problems[name] = tr("Not pulled: {kind}. See engine.log.", kind=kind)
        finally:
            del self._running[name], self._stops[name]
