"""Scan a dataset unless its content was scanned before."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

from engine.data.containers.source import content_hash
from engine.data.scan import Scan
from engine.data.scan_cache import ScanCache, sample_of, stat_key
from engine.data.types import Inspection, Scanning
from engine.data.words import shown
from engine.errors import ConflictError, LoraDeckError
from engine.language import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from engine.data.scan_cache import Sample


def scan_cached(
    path: Path, mapping: Mapping[str, str] | None, cache: Path | None
) -> Iterator[Scanning]:
    """Scan as ``scan`` does, and keep what was found; content that is known is not scanned again.

    Raises:
        LoraDeckError: As ``scan``; or the file changed meanwhile.
    """
    if cache is None:
        yield from Scan(path, mapping).steps()
        return
    kept = ScanCache(cache)
    if found := kept.find_file(path, mapping):
        yield _whole(found)
        return
    times = stat_key(path)
    hasher = Hasher(path)
    scan = Scan(path, mapping, hasher.wait)
    asked = False
    for step in scan.steps():
        if hasher.ready and not asked and scan.result is None:
            asked = True
            if found := kept.find(hasher.wait(), mapping, path):
                kept.remember(times, found.sha256)
                yield _whole(found)
                return
        if scan.result is not None:
            _refuse_changed(path, times is not None and stat_key(path), times)
            kept.put(scan.result, mapping)
            kept.remember(times, scan.result.inspection.sha256)
        yield step


def sample_cached(
    path: Path,
    mapping: Mapping[str, str] | None = None,
    cache: Path | None = None,
    inspection: Inspection | None = None,
) -> Sample:
    """Give the rows of a dataset that are to be tokenized, from the cache where they are kept.

    Raises:
        LoraDeckError: As ``scan``; or no row can train.
    """
    kept = ScanCache(cache) if cache is not None else None
    if kept and (inspection := inspection or kept.find_file(path, mapping)):
        sample = kept.sample(inspection)
        if sample is not None:
            return _usable(sample, path)
    scan = Scan(path, mapping)
    for _ in scan.steps():
        pass
    assert scan.result is not None  # noqa: S101 - set when the steps have ended
    if kept:
        kept.put(scan.result, mapping)
    return _usable(sample_of(scan.result), path)


class Hasher:
    """Hashes a dataset's content in a thread: it lets go of the interpreter meanwhile."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sha256 = ""
        self._error: LoraDeckError | None = None
        self._thread = Thread(target=self._hash, daemon=True)
        self._thread.start()

    @property
    def ready(self) -> bool:
        """Whether ``wait`` would answer at once."""
        return not self._thread.is_alive()

    def wait(self) -> str:
        """Give the hash.

        Raises:
            LoraDeckError: The file cannot be read.
        """
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._sha256

    def _hash(self) -> None:
        """Hash, in the thread."""
        try:
            self._sha256 = content_hash(self._path)
        except LoraDeckError as error:
            self._error = error


def _whole(inspection: Inspection) -> Scanning:
    """Report a scan that was done before."""
    return Scanning(
        rows=inspection.rows, share=1.0, findings=inspection.findings, inspection=inspection
    )


def _refuse_changed(path: Path, now: object, before: object) -> None:
    """Refuse a file that was written while it was read: hash and rows may differ."""
    if before is not None and getattr(now, "name", None) != getattr(before, "name", None):
        raise ConflictError(
            tr("Dataset changed"),
            tr("{path} was written while it was read.", path=shown(path)),
            tr("Look again once it is written whole."),
        )


def _usable(sample: Sample, path: Path) -> Sample:
    """Refuse a dataset of which nothing can be measured."""
    if not sample.conversations:
        raise LoraDeckError(
            tr("Dataset has rows that cannot train"),
            tr("{path}: no row can train.", path=shown(path)),
            tr("See what is wrong with them: loradeck datasets inspect FILE"),
        )
    return sample
