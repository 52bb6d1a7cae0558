"""What a model's folder or a GGUF file holds, by configuration and headers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from engine.errors import LoraDeckError
from engine.language import tr
from engine.models.config import read_shape
from engine.models.folders import check_folder, weight_files
from engine.models.found import FoundModel
from engine.models.gguf_header import GgufHeader, read_header
from engine.models.scan_adapter import LONGEST_JSON, read_json
from engine.text import visible

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from engine.models.bases import Bases
    from engine.models.scan_adapter import Origin

_PART = re.compile(r"(.+)-(\d{5})-of-(\d{5})\.gguf", re.IGNORECASE)
_PICKLES = re.compile(r"pytorch_model.*\.bin")


def is_model(files: Collection[str]) -> bool:
    """Tell whether a folder's files are those of a model with weights, readable ones or not."""
    weights = any(name.endswith(".safetensors") or _PICKLES.fullmatch(name) for name in files)
    return "config.json" in files and weights


def describe_model(folder: Path, bases: Bases, origin: Origin | None) -> FoundModel:
    """Describe a model's folder: merged by LoRADeck where it says so, else a base model."""
    base = bases.find(origin.base) if origin else None
    return FoundModel(
        kind="merged" if origin else "base",
        name=folder.name,
        path=str(folder),
        size_bytes=sum(file.stat().st_size for file in weight_files(folder) if file.is_file()),
        base=base.name if base else origin.base if origin else "",
        base_here=base is not None,
        base_path=(base.path or "") if base else "",
        task_id=origin.task_id if origin else "",
        task_name=origin.task_name if origin else "",
        **_model_facts(folder),
    )


def _model_facts(folder: Path) -> dict[str, str | bool]:
    """Give a model's architecture, whether it has a chat template, and what is wrong with it."""
    try:
        if (folder / "config.json").stat().st_size > LONGEST_JSON:
            return {"problem": tr("its config.json is too long for a configuration")}
        check_folder(folder)
        architecture = read_shape(folder).architecture
    except LoraDeckError as error:
        return {"problem": visible(error.message.removeprefix(f"{folder}: "))}
    return {"architecture": visible(architecture), "chat_template": _has_template(folder)}


def _has_template(folder: Path) -> bool:
    """Tell whether a model's folder brings a chat template."""
    if (folder / "chat_template.jinja").is_file():
        return True
    try:
        return bool(read_json(folder / "tokenizer_config.json").get("chat_template"))
    except (OSError, ValueError, RecursionError):
        return False


def describe_gguf(file: Path, bases: Bases, origin: Origin | None) -> FoundModel | None:
    """Describe a GGUF file by its header; ``None`` for all but the first of several parts."""
    part = _PART.fullmatch(file.name)
    if part and int(part[2]) != 1:
        return None
    parts = _parts(file, part) if part else [file]
    there = [one.stat().st_size for one in parts if one.is_file()]
    found = FoundModel(
        kind="gguf",
        name=file.name,
        path=str(file),
        size_bytes=sum(there),
        task_id=origin.task_id if origin else "",
        task_name=origin.task_name if origin else "",
    )
    try:
        header = read_header(file)
    except LoraDeckError as error:
        problem = visible(error.message.removeprefix(f"{file}: "))
        return found.model_copy(update={"problem": problem})
    name = (origin.base if origin else "") or _base_of(header)
    base = bases.find(name)
    facts = {
        "base": base.name if base else name,
        "base_here": base is not None,
        "base_path": base.path if base else "",
        "architecture": visible(header.architecture)[:40],
        "quantization": _quantization(header),
        "chat_template": "tokenizer.chat_template" in header.metadata,
        "problem": _gguf_problem(header, len(parts), there),
    }
    return found.model_copy(update=facts)


def _parts(file: Path, part: re.Match[str]) -> list[Path]:
    """Name all parts of a model in several files, the one at hand being the first."""
    count = min(int(part[3]), 1000)
    return [
        file.with_name(f"{part[1]}-{number:05}-of-{part[3]}.gguf") for number in range(1, count + 1)
    ]


def _gguf_problem(header: GgufHeader, parts: int, there: list[int]) -> str:
    """Say what is wrong with a GGUF file."""
    if header.metadata.get("general.type") == "adapter":
        return tr(
            "it is a LoRA adapter in GGUF, which runs only together with its base in llama.cpp"
        )
    if len(there) < parts:
        return tr("{there} of its {parts} parts are here", there=len(there), parts=parts)
    if not header.tensors:
        return tr("it holds no weights")
    if there[0] < header.data_at + _end_of_weights(header):
        return tr("it is cut short: weights are missing at its end")
    return ""


def _end_of_weights(header: GgufHeader) -> int:
    """Give where the last tensor ends, in bytes from the first one's beginning."""
    from gguf import GGML_QUANT_SIZES

    offset, kind, elements = header.last
    block, size = next((at for name, at in GGML_QUANT_SIZES.items() if name == kind), (1, 0))
    return offset + elements // block * size


def _quantization(header: GgufHeader) -> str:
    """Name the number format of a GGUF file's weights; empty where it does not say."""
    from gguf import LlamaFileType

    value = header.metadata.get("general.file_type")
    known = {int(kind): kind.name for kind in LlamaFileType}
    name = known.get(value, "") if isinstance(value, int) else ""
    return name.removeprefix("MOSTLY_").removeprefix("ALL_")


def _base_of(header: GgufHeader) -> str:
    """Give the base model that a file's own metadata name, as ``org/name`` where they do so."""
    url = str(header.metadata.get("general.base_model.0.repo_url") or "")
    hub = re.search(r"huggingface\.co/([\w.-]+/[\w.-]+)", url)
    name = hub[1] if hub else str(header.metadata.get("general.base_model.0.name") or "")
    return visible(name)[:100]
