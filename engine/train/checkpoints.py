"""Checkpoints: complete or invisible. A manifest, written last, names every file and its size."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from engine.files import sync_tree, write_atomic

if TYPE_CHECKING:
    from pathlib import Path

_MANIFEST = "manifest.json"
_PREFIX = "checkpoint-"


def seal(checkpoint: Path) -> None:
    """Make a checkpoint that is fully written durable, then valid."""
    sizes = {
        str(path.relative_to(checkpoint)): path.stat().st_size
        for path in checkpoint.rglob("*")
        if path.is_file()
    }
    sync_tree(checkpoint)
    write_atomic(checkpoint / _MANIFEST, json.dumps(sizes, indent=1))


def is_complete(checkpoint: Path) -> bool:
    """Tell whether every file that the manifest names is there in its size."""
    try:
        sizes = json.loads((checkpoint / _MANIFEST).read_text(encoding="utf-8"))
        return all((checkpoint / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, AttributeError):
        return False


def newest(folder: Path) -> Path | None:
    """Give the complete checkpoint with the highest step; transformers takes any, valid or not."""
    found = [path for path in folder.glob(_PREFIX + "*") if path.name[len(_PREFIX) :].isdigit()]
    for checkpoint in sorted(found, key=step_of, reverse=True):
        if is_complete(checkpoint):
            return checkpoint
    return None


def step_of(checkpoint: Path) -> int:
    """Give the optimizer step that a checkpoint was taken at."""
    return int(checkpoint.name.removeprefix(_PREFIX))
