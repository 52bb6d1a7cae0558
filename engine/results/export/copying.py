"""Copies an adapter so that it stands for itself: with tokenizer, template and settings."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import LoraDeckError
from engine.files import digest
from engine.language import tr
from engine.models.adapters import CONFIG, WEIGHTS

if TYPE_CHECKING:
    from engine.results.export.inputs import ExportInputs

_TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "tokenizer.model",
    "vocab.json",
    "merges.txt",
)
_TEMPLATE, _SETTINGS = "chat_template.jinja", "generation_config.json"
_CARD = ("README.md", "loss.svg", "LICENSE", "LICENSE.txt")


def copy_whole(inputs: ExportInputs, folder: Path) -> None:
    """Copy an adapter, and from its base what it lacks; the questions it was judged by stay here.

    Args:
        inputs: The adapter and its base, which may be missing.
        folder: Where to write to; made here.

    Raises:
        LoraDeckError: The disk gave back other weights than were written.
    """
    own, base = Path(inputs.adapter), Path(inputs.base) if inputs.base else None
    folder.mkdir(mode=0o700)
    for name in (WEIGHTS, *_CARD):
        _copy(own, folder, name)
    tokenizer = own if (own / "tokenizer.json").is_file() or base is None else base
    for name in _TOKENIZER:
        _copy(tokenizer, folder, name)
    for name in (_TEMPLATE, _SETTINGS):
        if not _copy(own, folder, name) and base is not None:
            _copy(base, folder, name)
    config = json.loads((own / CONFIG).read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = inputs.base_name
    (folder / CONFIG).write_text(json.dumps(config, indent=2), encoding="utf-8")
    if digest(own / WEIGHTS) != digest(folder / WEIGHTS):
        raise LoraDeckError(
            tr("Copy differs"),
            tr("{file} reads otherwise than it was written.", file=WEIGHTS),
            tr("Check the disk."),
        )


def _copy(source: Path, folder: Path, name: str) -> bool:
    """Copy a file that is there; tell whether it is."""
    if not (source / name).is_file():
        return False
    shutil.copyfile(source / name, folder / name)
    return True
