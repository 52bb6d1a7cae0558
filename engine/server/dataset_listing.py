"""List datasets without reading large ones."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import sample_datasets
from engine.data.endings import is_dataset_name
from engine.data.scan_cache import ScanCache
from engine.data.scan_process import survey
from engine.errors import LoraDeckError
from engine.files import size_of
from engine.server.wire import DatasetInfo
from engine.text import check_utf8, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.data.types import Inspection
    from engine.home import Home

_SMALL = 1_000_000
"""Bytes up to which a dataset that nobody looked at yet is inspected for the list."""
_RECENT = 8
"""Datasets from elsewhere that are listed at most."""
_PATIENCE = 10.0
"""Seconds that the list waits for these."""


async def list_datasets(home: Home, used: Sequence[str] = ()) -> list[DatasetInfo]:
    """Describe the home's datasets, then the samples, then those that were used lately.

    What was looked at before is known; small files are looked at now, all in one process; larger
    ones are listed without their type until someone inspects them.

    Args:
        home: Whose datasets.
        used: Paths that tasks were made of, the newest first.
    """
    folders = {home.datasets: False, Path(str(sample_datasets.__file__)).parent: True}
    entries = [
        _entry(path, sample=sample)
        for folder, sample in folders.items()
        for path in _files(folder, sample=sample)
    ]
    entries += await asyncio.to_thread(_recent, used, {one.path for one in entries})
    known = await asyncio.to_thread(_known, home.cache, [Path(one.path) for one in entries])
    small = [
        Path(one.path)
        for one in entries
        if Path(one.path) not in known and one.size_bytes <= _SMALL and not one.problem
    ]
    if small:
        known |= await _look(home.cache, small)
    return [_filled(one, known.get(Path(one.path))) for one in entries]


def _recent(used: Sequence[str], listed: set[str]) -> list[DatasetInfo]:
    """Describe what was used lately and is still there, unless it is in the list already."""
    found = []
    for path in dict.fromkeys(used):
        with contextlib.suppress(OSError, LoraDeckError):
            if path not in listed and Path(path).exists():
                entry = _entry(Path(check_utf8(path)), sample=False)
                found.append(entry.model_copy(update={"recent": True}))
        if len(found) == _RECENT:
            break
    return found


def describe(path: Path, inspection: Inspection) -> DatasetInfo:
    """Describe a dataset of the home that was just inspected."""
    return _filled(_entry(path, sample=False), inspection)


def _files(folder: Path, *, sample: bool) -> Iterator[Path]:
    """Give the datasets that lie in a folder, by name; folders among them only in the home."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if (not sample and is_whole_folder(path)) or (
            path.is_file() and is_dataset_name(path.name)
        ):
            yield path


def is_whole_folder(path: Path) -> bool:
    """Tell whether a folder is a dataset's, and none that the hub's client has not filled yet."""
    begun = (path / ".cache" / "huggingface").exists() and not (path / ".complete").exists()
    return path.is_dir() and not begun


def _entry(path: Path, *, sample: bool) -> DatasetInfo:
    """Describe a dataset as far as its folder tells; a name that cannot be sent is a problem."""
    name, problem = path.name, ""
    try:
        check_utf8(name)
    except LoraDeckError as error:
        name, problem = visible(name), f"{error.message} {error.hint}"
    return DatasetInfo(
        name=name,
        path=str(path.with_name(name)),
        size_bytes=size_of(path) if path.is_dir() else path.stat().st_size,
        sample=sample,
        dataset_type=None,
        rows=0,
        problem=problem,
    )


def _known(cache: Path, paths: list[Path]) -> dict[Path, Inspection | LoraDeckError]:
    """Find what was looked at before."""
    kept = ScanCache(cache)
    return {path: found for path in paths if (found := kept.find_file(path, None)) is not None}


async def _look(cache: Path, paths: list[Path]) -> dict[Path, Inspection | LoraDeckError]:
    """Look at small files, as far as the patience of whoever waits for the list goes."""
    found: dict[Path, Inspection | LoraDeckError] = {}
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE), contextlib.aclosing(survey(cache, paths)) as looks:
            async for path, result in looks:
                found |= {path: result}
    return found


def _filled(entry: DatasetInfo, found: Inspection | LoraDeckError | None) -> DatasetInfo:
    """Add what is known of a dataset; a fault is told, not raised."""
    if found is None:
        return entry
    if isinstance(found, LoraDeckError):
        return entry.model_copy(update={"problem": found.message})
    return entry.model_copy(update={"dataset_type": found.dataset_type, "rows": found.rows})
