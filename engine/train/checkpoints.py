"""Checkpoints: complete or invisible. Written aside, sealed by a manifest, renamed into place."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.files import digest, sync_folder, sync_tree, write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MANIFEST = "manifest.json"
_PREFIX = "checkpoint-"
_ASIDE = ".writing"


@contextmanager
def written_aside(folder: Path, step: int) -> Iterator[Path]:
    """Give a folder in which ``checkpoint-<step>`` is to be made; then seal it and move it here.

    Where the block raises, nothing of it is left: the disk may be full.
    """
    aside = folder / _ASIDE
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    sync_folder(folder.parent)  # the folder itself may be new
    try:
        yield aside
        _seal(made := named(aside, step))
        # Only a damaged one can be there: a run goes on from the newest that is whole
        shutil.rmtree(place := named(folder, step), ignore_errors=True)
        made.rename(place)
        sync_folder(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def clear_aside(folder: Path) -> None:
    """Remove what a process that was killed has left half written."""
    shutil.rmtree(folder / _ASIDE, ignore_errors=True)


def _seal(checkpoint: Path) -> None:
    """Make a checkpoint that is fully written durable, and note what it consists of."""
    files = {
        str(path.relative_to(checkpoint)): {"size": path.stat().st_size, "sha256": digest(path)}
        for path in sorted(checkpoint.rglob("*"))
        if path.is_file()
    }
    sync_tree(checkpoint)
    write_atomic(checkpoint / _MANIFEST, json.dumps(files, indent=1))


def is_complete(checkpoint: Path) -> bool:
    """Tell whether every file that the manifest names is there as it was written."""
    try:
        files = json.loads((checkpoint / _MANIFEST).read_text(encoding="utf-8"))
        return bool(files) and all(
            (path := checkpoint / name).stat().st_size == written["size"]
            and digest(path) == written["sha256"]
            for name, written in files.items()
        )
    except (OSError, ValueError, AttributeError, TypeError, KeyError):
        return False


def newest(folder: Path) -> Path | None:
    """Give the complete checkpoint with the highest step; transformers takes any, valid or not."""
    return next((one for one in _all(folder) if is_complete(one)), None)


def prune(folder: Path, keep: int, saved: int, best_step: int | None) -> None:
    """Remove all but the newest checkpoints and the best one.

    Those beyond the step just saved are damaged: the run went on from the newest that was whole.
    They would count as the newest, in the place of those that are written from now on.
    """
    until = [one for one in _all(folder) if step_of(one) <= saved]
    kept = {*until[:keep], named(folder, best_step or 0)}
    for checkpoint in _all(folder):
        if checkpoint not in kept:
            shutil.rmtree(checkpoint, ignore_errors=True)


def named(folder: Path, step: int) -> Path:
    """Give the place of a step's checkpoint."""
    return folder / f"{_PREFIX}{step}"


def step_of(checkpoint: Path) -> int:
    """Give the optimizer step that a checkpoint was taken at."""
    return int(checkpoint.name.removeprefix(_PREFIX))


def _all(folder: Path) -> list[Path]:
    """List the checkpoints of a folder, whole or not, the newest first."""
    found = [path for path in folder.glob(_PREFIX + "*") if path.name[len(_PREFIX) :].isdigit()]
    return sorted(found, key=step_of, reverse=True)
