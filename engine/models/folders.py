"""What a model folder must hold: configuration, safetensors weights, tokenizer."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from engine.errors import LoraDeckError, WeightsMissingError
from engine.language import tr
from engine.models.architecture import check_architecture
from engine.models.config import read_config, read_shape
from engine.models.facts import has_template, licence_of_folder
from engine.models.types import ModelInfo, Source
from engine.text import fault_of

if TYPE_CHECKING:
    from pathlib import Path

SOURCE_FILE = "source.json"
INDEX_FILE = "model.safetensors.index.json"
_SHARD = re.compile(r"(.+-)\d{5}-of-(\d{5})\.safetensors")
_LONGEST_HEADER = 100_000_000  # bytes; the format's own limit
_PICKLES = ("pytorch_model*.bin", "*.pt", "*.pth", "*.ckpt")


def describe_folder(name: str, source: Source, folder: Path) -> ModelInfo:
    """Give a folder's model, ready to be trained.

    Raises:
        LoraDeckError: A part is missing or broken, or the weights are not safetensors.
    """
    check_folder(folder)
    return ModelInfo(
        name=name,
        source=source,
        state="ready",
        path=str(folder),
        size_bytes=sum(file.stat().st_size for file in weight_files(folder)),
        shape=read_shape(folder),
        description=read_source(folder).get("description", ""),
        template=has_template(folder),
        licence=licence_of_folder(folder),
    )


def describe_unweighted(name: str, folder: Path) -> ModelInfo:
    """Give the model of a folder without weights: its configuration and tokenizer suffice to plan.

    Raises:
        LoraDeckError: One of these is missing or broken.
    """
    check_architecture(folder, read_config(folder))
    _check_tokenizer(folder)
    return ModelInfo(
        name=name,
        source="folder",
        state="absent",
        path=str(folder),
        size_bytes=None,
        shape=read_shape(folder),
        template=has_template(folder),
        licence=licence_of_folder(folder),
        problem=tr("its weights are not here"),
    )


def check_folder(folder: Path) -> None:
    """Check that a folder holds a whole language model that can be trained.

    Raises:
        LoraDeckError: Says what is missing or wrong, and what to do.
    """
    if (folder / "adapter_config.json").is_file() and not (folder / "config.json").is_file():
        raise _unusable(
            folder, tr("it holds a LoRA adapter, not a base model"), tr("Name its base model.")
        )
    check_architecture(folder, read_config(folder))
    if missing := missing_weights(folder):
        raise _weights_missing(folder, missing)
    for file in weight_files(folder):
        if not is_whole(file):
            raise _unusable(
                folder,
                tr(
                    "{name} is cut short, or no safetensors file (a Git LFS pointer?)",
                    name=file.name,
                ),
                tr("Fetch the model again, whole."),
            )
    _check_tokenizer(folder)


def _check_tokenizer(folder: Path) -> None:
    """Check that a folder holds a tokenizer.

    Raises:
        LoraDeckError: It does not.
    """
    if not (folder / "tokenizer.json").is_file():
        raise _unusable(
            folder,
            tr("it has no tokenizer.json"),
            tr(
                "Fetch the model again with all its files; with transformers: "
                "AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)"
            ),
        )


def is_complete(folder: Path) -> bool:
    """Tell whether a folder holds a model that can be trained."""
    try:
        check_folder(folder)
    except LoraDeckError:
        return False
    return True


def weight_files(folder: Path) -> list[Path]:
    """List the weights; Mistral's second copy of them in another layout does not count."""
    found = sorted(folder.glob("*.safetensors"))
    return [file for file in found if not file.name.startswith("consolidated")]


def missing_weights(folder: Path) -> list[str]:
    """Name the weight files that should be there and are not (a link may lead nowhere)."""
    there = {file.name for file in weight_files(folder) if file.is_file()}
    wanted = _indexed(folder) or _numbered(there) or there or {"model.safetensors"}
    return sorted(wanted - there)


def read_source(folder: Path) -> dict[str, str]:
    """Read where a converted model came from; empty for any other model."""
    try:
        values = json.loads((folder / SOURCE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(k): str(v) for k, v in values.items()} if isinstance(values, dict) else {}


def is_whole(file: Path) -> bool:
    """Tell whether a safetensors file is as long as its header says."""
    header = read_weights_header(file)
    try:
        ends = [entry["data_offsets"][1] for entry in (header or {}).values()]
        with file.open("rb") as stream:
            begin = 8 + int.from_bytes(stream.read(8), "little")
        return bool(ends) and file.stat().st_size == begin + max(ends)
    except (OSError, TypeError, LookupError):
        return False


def read_weights_header(file: Path) -> dict[str, Any] | None:
    """Read a safetensors file's table of tensors; ``None`` where there is none that can be read."""
    if not file.is_file():
        return None  # a FIFO would be waited for
    try:
        with file.open("rb") as stream:
            size = int.from_bytes(stream.read(8), "little")
            if size > min(_LONGEST_HEADER, file.stat().st_size):
                return None
            header = json.loads(stream.read(size))
        header.pop("__metadata__", None)
    except (OSError, ValueError, AttributeError, RecursionError):
        return None
    return {name: entry for name, entry in header.items() if isinstance(entry, dict)}


def _indexed(folder: Path) -> set[str]:
    """Name the weight files that the index of a model in several parts lists."""
    try:
        index = json.loads((folder / INDEX_FILE).read_text(encoding="utf-8"))
        return {str(name) for name in index["weight_map"].values()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return set()


def _numbered(there: set[str]) -> set[str]:
    """Name all parts of which one is there: ``model-00001-of-00003.safetensors``."""
    return {
        f"{match[1]}{part:05}-of-{match[2]}.safetensors"
        for match in map(_SHARD.fullmatch, there)
        if match
        for part in range(1, int(match[2]) + 1)
    }


def _weights_missing(folder: Path, missing: list[str]) -> LoraDeckError:
    """Say which weights are missing, or that there are only pickled ones."""
    pickled = next((file for kind in _PICKLES for file in folder.glob(kind)), None)
    if pickled and not weight_files(folder):
        return _unusable(
            folder,
            tr("its weights are pickled ({name}), and pickles can run code", name=pickled.name),
            tr("Only safetensors are read. Fetch a safetensors version of this model."),
        )
    message = tr("{folder}: {file} is missing.", folder=folder, file=missing[0])
    return WeightsMissingError(tr("Model not usable"), message, tr("Fetch the model again, whole."))


def _unusable(folder: Path, reason: str, hint: str) -> LoraDeckError:
    """Put a fault of a folder into words."""
    return LoraDeckError(tr("Model not usable"), fault_of(folder, reason), hint)
