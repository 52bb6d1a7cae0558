"""Encoded datasets by what they were made from: the same rows are tokenized once."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from engine.data.containers.source import content_hash
from engine.files import digest, size_of, sync_tree
from engine.language import spoken
from engine.train.encoding import ROWS, SUMMARY, Summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engine.data.types import Inspection

_FORMAT = 5
"""Counted up whenever rows are encoded differently."""
_KEPT_BYTES = 5_000_000_000
_KEPT_ENTRIES = 32
_ABANDONED_SECONDS = 86_400


class EncodedCache:
    """Folders of encoded rows, a folder an entry; the least recently used go first.

    Args:
        folder: Where they lie; made when the first is.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def key(self, dataset: Inspection, template: str, model: Path, max_length: int) -> str:
        """Name the entry of a dataset, read in one way, for one tokenizer, template and length."""
        made_from = (
            _FORMAT,
            dataset.sha256,
            dataset.shape.model_dump() if dataset.shape else None,
            template,
            *_hashes(model),
            max_length,
            spoken(),  # what is wrong with rows is kept in words
        )
        return hashlib.sha256(json.dumps(made_from).encode()).hexdigest()[:32]

    def get(self, key: str, write: Callable[[Path], Summary]) -> tuple[Path, Summary]:
        """Give an entry's folder and summary; one that is not there or damaged is written first.

        Args:
            write: Encodes into the folder that it is given.
        """
        entry = self._folder / key
        summary = _summary(entry) or self._make(entry, write)
        with suppress(OSError):
            os.utime(entry)
        self._prune(entry)
        return entry, summary

    def _make(self, entry: Path, write: Callable[[Path], Summary]) -> Summary:
        """Write an entry aside and give it its name once it is whole."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=self._folder, prefix=f".{entry.name}-"))
        try:
            summary = write(aside)
            sync_tree(aside)
            if not _summary(entry):
                shutil.rmtree(entry, ignore_errors=True)
            with suppress(OSError):  # another worker was quicker: its rows are the same
                aside.rename(entry)
            return summary
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def _prune(self, used: Path) -> None:
        """Remove the entries that were not used for longest; one that is open lives on unnamed.

        Other workers may remove or add entries meanwhile.
        """
        entries = sorted(self._ages(used), reverse=True)
        size = 0
        for place, (_, name) in enumerate(entries):
            entry = self._folder / name
            with suppress(OSError):
                size += size_of(entry)
            if entry != used and (size > _KEPT_BYTES or place >= _KEPT_ENTRIES):
                shutil.rmtree(entry, ignore_errors=True)

    def _ages(self, used: Path) -> Iterator[tuple[float, str]]:
        """Give when each entry was last used; remove what killed workers left half written."""
        now = time.time()
        for entry in self._folder.iterdir():
            with suppress(OSError):
                last = math.inf if entry == used else entry.stat().st_mtime
                if entry.name[0] != ".":
                    yield last, entry.name
                elif now - last > _ABANDONED_SECONDS:
                    shutil.rmtree(entry, ignore_errors=True)


def _summary(entry: Path) -> Summary | None:
    """Read an entry's summary; ``None`` where its rows are not what was written."""
    with suppress(OSError, ValueError):
        summary = Summary.model_validate_json((entry / SUMMARY).read_text(encoding="utf-8"))
        if digest(entry / ROWS) == summary.rows_sha256:
            return summary
    return None


def _hashes(model: Path) -> Iterator[str]:
    """Hash what makes tokens of text."""
    for name in ("tokenizer.json", "tokenizer_config.json"):
        yield content_hash(model / name) if (model / name).exists() else ""
