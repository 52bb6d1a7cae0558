"""Looks on while faults come: what must hold at every moment."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

from engine.tasks.events import TaskStarted
from engine.tasks.journal import JournalReader
from tests.chaos.processes import is_alive

if TYPE_CHECKING:
    from tests.chaos.ground import Ground

_STORE_SECONDS = 0.01
_PROCESS_SECONDS = 0.2


class Watcher:
    """Two threads that look on until they are told to end."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._over = threading.Event()
        self._journals: dict[str, tuple[JournalReader, set[int]]] = {}
        self.reads = 0
        looks = ((self._read_store, _STORE_SECONDS), (self._count, _PROCESS_SECONDS))
        self._threads = [threading.Thread(target=self._repeat, args=look) for look in looks]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Stop looking."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, look: object, seconds: float) -> None:
        """Look again and again; a fault of the watcher's own is a violation too."""
        assert callable(look)
        while not self._over.wait(seconds):
            try:
                look()
            except Exception as error:  # noqa: BLE001 (nothing may end the watch unseen)
                self._ground.violated(f"the watcher failed: {error!r}")

    def _read_store(self) -> None:
        """The store parses at every moment, unless the harness itself has just torn it."""
        try:
            content = self._ground.home.store_file.read_text(encoding="utf-8")
            json.loads(content)
        except FileNotFoundError:
            return
        except ValueError as error:
            if not self._ground.store_torn.is_set():
                self._ground.violated(f"the store does not parse: {error}")
        self.reads += 1

    def _count(self) -> None:
        """No task has two workers, no home two servers."""
        for task in list(self._ground.tasks):
            reader, pids = self._journals.setdefault(
                task, (JournalReader(self._ground.home.task(task)), set())
            )
            for event in reader.read_new():
                if isinstance(event, TaskStarted):
                    pids.add(event.pid)
            alive = {pid for pid in pids if is_alive(pid)}
            if len(alive) > 1:
                self._ground.violated(f"{task} has several workers: {sorted(alive)}")
        if (listeners := _listeners(str(self._ground.home.socket))) > 1:
            self._ground.violated(f"{listeners} servers listen at once")


def _listeners(path: str) -> int:
    """Count the sockets that listen at a path, those whose file is gone too."""
    listening = f"{1 << 16:08X}"
    count = 0
    with open("/proc/net/unix", encoding="utf-8", errors="replace") as table:  # noqa: PTH123
        for line in table:
            parts = line.split(maxsplit=7)
            count += len(parts) == 8 and parts[7].strip() == path and parts[3] == listening
    return count
