"""What an adapter's folder holds, by its configuration and the header of its weights."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.files import read_plain
from engine.language import listed, mark, tr
from engine.models.adapters import CONFIG, ORIGIN, WEIGHTS
from engine.models.folders import is_whole, read_weights_header
from engine.models.found import FoundModel
from engine.text import visible

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from engine.models.bases import Bases

PICKLE = "adapter_model.bin"
LONGEST_JSON = 16_000_000
"""Bytes of a configuration; a longer one is none."""
_SWITCHES = {"use_dora": "DoRA", "use_rslora": "rsLoRA", "lora_bias": mark("LoRA bias")}
_LISTS = {"rank_pattern": mark("rank pattern"), "alpha_pattern": mark("alpha pattern")}
_MOST_NAMED = 8


@dataclass(frozen=True)
class Origin:
    """What ``loradeck.json`` beside a model says."""

    task_id: str = ""
    task_name: str = ""
    base: str = ""

    @classmethod
    def read(cls, folder: Path, tasks: Mapping[str, tuple[str, str]]) -> Origin | None:
        """Read it; ``None`` where LoRADeck has not made what lies there.

        Args:
            folder: The model's folder.
            tasks: Name and base model of each task that is still listed, by id.
        """
        try:
            written = read_json(folder / ORIGIN)
        except (OSError, ValueError, RecursionError):
            return None
        task_id = str(written.get("task_id") or "")
        name, base = tasks.get(task_id, ("", ""))
        return cls(task_id, name, base or str(written.get("base") or ""))


def read_json(file: Path) -> dict[str, Any]:
    """Read a JSON object of bearable length.

    Raises:
        OSError: It cannot be read.
        ValueError: It is too long, or no JSON object.
    """
    if file.stat().st_size > LONGEST_JSON:
        raise ValueError(tr("it is too long for a configuration"))
    value = json.loads(read_plain(file))
    if not isinstance(value, dict):
        raise ValueError(tr("it is no JSON object"))  # noqa: TRY004 - as of any other broken JSON
    return value


def describe_adapter(
    folder: Path, files: Collection[str], bases: Bases, origin: Origin | None
) -> FoundModel:
    """Describe an adapter's folder and say whether its base is here."""
    try:
        config = read_json(folder / CONFIG)
    except (OSError, ValueError, RecursionError) as error:
        words = visible(str(error)).partition("\n")[0]
        return _found(
            folder,
            origin,
            problem=tr("its {file} is damaged: {reason}", file=CONFIG, reason=words),
        )
    named = str(config.get("base_model_name_or_path") or "")
    # The task says what its base is called; the path beside it may be that of an earlier home
    base = (bases.find(origin.base) if origin else None) or bases.find(named)
    header = read_weights_header(folder / WEIGHTS)
    found = _found(
        folder,
        origin,
        base=base.name if base else named,
        base_here=base is not None,
        base_path=(base.path or "") if base else "",
        architecture=base.shape.architecture if base and base.shape else "",
        size_bytes=_size(folder, files),
        rank=_whole(config.get("r")),
        alpha=_number(config.get("lora_alpha")),
        targets=_names(config.get("target_modules")),
        variants=_variants(config),
    )
    problem = _unusable(config, folder, files)
    if not problem and base and header:
        problem = bases.misfit(base, header)
    return found.model_copy(update={"problem": problem})


def _unusable(config: dict[str, Any], folder: Path, files: Collection[str]) -> str:
    """Say why an adapter cannot be used, whatever its base."""
    kind = visible(str(config.get("peft_type")))[:40]
    if kind != "LORA":
        return tr("it is of the kind {kind}, no LoRA", kind=kind)
    if _whole(config.get("r")) is None:
        return tr("its {file} gives no rank", file=CONFIG)
    if WEIGHTS in files:
        whole = is_whole(folder / WEIGHTS)
        return "" if whole else tr("its {file} is cut short or damaged", file=WEIGHTS)
    if PICKLE in files:
        return tr("its weights are pickled ({name}), and pickles can run code", name=PICKLE)
    return tr("its {file} is missing", file=WEIGHTS)


def _variants(config: dict[str, Any]) -> tuple[str, ...]:
    """Name what goes beyond plain LoRA."""
    found = [tr(words) for key, words in _SWITCHES.items() if config.get(key)]
    found += [tr(words) for key, words in _LISTS.items() if config.get(key)]
    if saved := _names(config.get("modules_to_save")):
        found.append(f"modules_to_save: {listed(saved)}")
    if (bias := config.get("bias", "none")) not in ("none", None):
        found.append(f"bias: {visible(str(bias))[:20]}")
    return tuple(found)


def _names(value: Any) -> tuple[str, ...]:
    """Give names that a configuration lists, or its one pattern for them."""
    listed = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(sorted(str(name)[:80] for name in listed))[:_MOST_NAMED]


def _whole(value: Any) -> int | None:
    """Give a rank: a whole number from 1 on."""
    fits = isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1_000_000
    return value if fits else None


def _number(value: Any) -> float | None:
    """Give a number as JSON may carry it again."""
    fits = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9
    return float(value) if fits else None


def _size(folder: Path, files: Collection[str]) -> int:
    """Sum up the bytes of an adapter's weights."""
    return sum((folder / name).stat().st_size for name in (WEIGHTS, PICKLE) if name in files)


def _found(folder: Path, origin: Origin | None, **more: Any) -> FoundModel:
    """Begin with what every adapter has."""
    return FoundModel(
        kind="adapter",
        name=folder.name,
        path=str(folder),
        task_id=origin.task_id if origin else "",
        task_name=origin.task_name if origin else "",
        **more,
    )
