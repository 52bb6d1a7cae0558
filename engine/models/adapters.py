"""Finished adapters: what their configuration says, before any weight is read."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.errors import LoraDeckError, NotFoundError
from engine.files import sync_tree
from engine.language import listed, tr
from engine.text import visible

if TYPE_CHECKING:
    from pathlib import Path

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
ORIGIN = "loradeck.json"
"""Says which task has made an adapter."""
_ATTENTION = frozenset({"q_proj", "k_proj", "v_proj", "o_proj", "qkv_proj", "query_key_value"})
_BEYOND = ("use_dora", "use_rslora", "modules_to_save", "rank_pattern", "alpha_pattern")
"""Settings of PEFT's that change what rank and alpha mean, or train more than LoRA does."""


class AdapterConfig(BaseModel):
    """What a LoRA adapter's configuration fixes for a training that starts from it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    base: str = Field(alias="base_model_name_or_path")
    rank: int = Field(alias="r", ge=1)
    alpha: int = Field(alias="lora_alpha", ge=1)
    targets: list[str] | str = Field(alias="target_modules")

    def params(self) -> dict[str, Any]:
        """Give the parameters that it fixes, under the plan's names."""
        names = {self.targets} if isinstance(self.targets, str) else set(self.targets)
        return {
            "lora_rank": self.rank,
            "lora_alpha": self.alpha,
            "target_modules": "attention" if names <= _ATTENTION else "all-linear",
        }


def is_adapter(folder: Path) -> bool:
    """Tell whether a finished adapter lies there; one with a leading dot is still being written."""
    try:
        return not folder.name.startswith(".") and (folder / WEIGHTS).is_file()
    except OSError:
        return False  # a name too long for the disk


def read_adapter(folder: Path) -> AdapterConfig:
    """Read the configuration of an adapter that can be trained further.

    Raises:
        NotFoundError: There is no adapter, it has no safetensors, or it is still being written.
        LoraDeckError: It is damaged, or no plain LoRA.
    """
    name = visible(folder.name)
    if not is_adapter(folder):
        raise NotFoundError(
            tr("No such adapter"),
            tr("There is no adapter '{name}' with {file}.", name=name, file=WEIGHTS),
            tr("Adapters are the results of completed tasks: loradeck tasks"),
        )
    try:
        written = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        if written.get("peft_type") != "LORA":
            kind = visible(str(written.get("peft_type")))
            raise _not_plain(name, tr("it is of the kind {kind}", kind=kind))
        beyond = [key for key in _BEYOND if written.get(key)]
        if beyond or written.get("bias", "none") != "none":
            raise _not_plain(name, tr("it uses {parts}", parts=listed(beyond) or "bias"))
        return AdapterConfig.model_validate(written)
    except (OSError, ValueError, AttributeError, ValidationError) as error:
        raise LoraDeckError(
            tr("Adapter not readable"),
            tr(
                "{file} of '{name}' is damaged: {reason}",
                file=CONFIG,
                name=name,
                reason=visible(str(error)).splitlines()[0],
            ),
            tr("Choose another one."),
        ) from error


def is_made_by(folder: Path, task_id: str) -> bool:
    """Tell whether an adapter's folder is what a task has made: names are given anew."""
    try:
        origin = json.loads((folder / ORIGIN).read_text(encoding="utf-8"))
        return bool(origin["task_id"] == task_id)
    except (OSError, ValueError, TypeError, KeyError):
        return False


def copy_adapter(folder: Path, to: Path) -> None:
    """Copy what a training starts from, durably: the adapter itself may be deleted meanwhile."""
    to.mkdir(mode=0o700)
    for name in (CONFIG, WEIGHTS):
        shutil.copyfile(folder / name, to / name)
    sync_tree(to)


def _not_plain(name: str, reason: str) -> LoraDeckError:
    """Refuse an adapter that rank, alpha and layers do not describe."""
    return LoraDeckError(
        tr("Not a plain LoRA"),
        tr("'{name}' cannot be trained further: {reason}.", name=name, reason=reason),
        tr("Train a new adapter on its base instead."),
    )
