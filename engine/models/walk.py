"""Goes through folders that may hold anything, without getting lost in them."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from engine.language import tr
from engine.text import human_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEEPEST = 8
"""Levels below the folder where a walk begins."""
MOST_ENTRIES = 500_000
LONGEST_SECONDS = 30.0
_LOOKED_AT = (".json", ".safetensors", ".bin", ".gguf", ".jinja")


@dataclass
class Walk:
    """A walk through one or several folders, within limits that hold for all of them.

    Args:
        clock: Gives seconds; tests bring their own.
    """

    clock: Callable[[], float] = time.monotonic
    folders: int = 0
    unreadable: int = 0
    links: int = 0
    cut_short: str = ""
    _entries: int = 0
    _seen: set[tuple[int, int]] = field(default_factory=set)
    _begin: float = field(init=False)

    def __post_init__(self) -> None:
        self._begin = self.clock()

    def through(self, root: Path, within: Path | None = None) -> Iterator[tuple[Path, list[str]]]:
        """Give each folder with the names of its files, those of a folder in order.

        Hidden names and what is still being written are passed over. Links to folders are not
        followed, links to files only where they stay ``within`` a folder (by default the root).
        """
        bounds = os.path.realpath(within or root)
        waiting = [(root, 0)]
        while waiting and not self._is_over():
            folder, depth = waiting.pop()
            files, inner = self._look_into(folder, bounds)
            if files or inner:
                yield folder, sorted(files)
            if depth < DEEPEST:
                waiting += [(folder / name, depth + 1) for name in sorted(inner, reverse=True)]
            elif inner:
                self.cut_short = tr(
                    "folders more than {levels} levels deep were left out", levels=DEEPEST
                )

    def _look_into(self, folder: Path, bounds: str) -> tuple[list[str], list[str]]:
        """Give the names of a folder's files and folders; none of one that was seen already."""
        files: list[str] = []
        inner: list[str] = []
        try:
            status = folder.stat()
            if (key := (status.st_dev, status.st_ino)) in self._seen:
                return [], []
            self._seen.add(key)
            with os.scandir(folder) as entries:
                for entry in entries:
                    self._sort_in(entry, bounds, files, inner)
                    if self._entries > MOST_ENTRIES:
                        count = human_count(MOST_ENTRIES)
                        self.cut_short = tr(
                            "only the first {count} files were looked at", count=count
                        )
                        break
        except OSError:
            self.unreadable += 1
            return [], []
        self.folders += 1
        return files, inner

    def _sort_in(
        self, entry: os.DirEntry[str], bounds: str, files: list[str], inner: list[str]
    ) -> None:
        """Put one entry where it belongs."""
        self._entries += 1
        if entry.name.startswith(".") or entry.name.endswith(".partial"):
            return
        if entry.is_dir(follow_symlinks=False):
            inner.append(entry.name)
        elif not entry.name.lower().endswith(_LOOKED_AT):
            self.links += entry.is_symlink() and Path(entry.path).is_dir()
        elif not entry.is_symlink():
            if entry.is_file():
                files.append(entry.name)
        elif _stays(entry.path, bounds):
            files.append(entry.name)
        else:
            self.links += 1

    def _is_over(self) -> bool:
        """Tell whether a limit is met."""
        if self.clock() - self._begin > LONGEST_SECONDS:
            self.cut_short = tr("it was ended after {seconds:.0f} seconds", seconds=LONGEST_SECONDS)
            return True
        return self._entries > MOST_ENTRIES


def _stays(link: str, bounds: str) -> bool:
    """Tell whether a link leads to a plain file below a folder."""
    target = os.path.realpath(link)
    return target.startswith(bounds + os.sep) and Path(target).is_file()
