"""Named presets: values that go before the rules, and after what the user sets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.errors import LoraDeckError
from engine.language import listed, mark, tr
from engine.plan.abilities import quantizes
from engine.plan.schedule import evaluation_rows
from engine.plan.sources import OURS
from engine.text import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.models.types import ModelShape
    from engine.plan.types import Device


@dataclass(frozen=True)
class Preset:
    """Values under a name; every other parameter follows the rules."""

    name: str
    description: str
    """A sentence for the user."""
    values: Mapping[str, Any]
    source: str
    """Where the values come from."""


PRESETS: tuple[Preset, ...] = (
    Preset(
        "classic",
        mark(
            "The parameters that most LoRA guides give, whatever the data: rank 16, 3 "
            "epochs, 4-bit."
        ),
        {
            "lora_rank": 16,
            "lora_alpha": 32,
            "lora_dropout": 0.05,
            "num_epochs": 3,
            "batch_size": 4,
            "gradient_accumulation_steps": 4,
            "learning_rate": 2e-4,
            "use_4bit": True,
            "max_seq_length": 512,
        },
        mark("LoRA guides"),
    ),
    Preset(
        "quick",
        mark("A trial of 30 steps without evaluation, to see that data, model and machine work."),
        {"max_steps": 30, "eval_rows": 0},
        OURS,
    ),
)


@dataclass(frozen=True)
class FittedPreset:
    """What of a preset can be kept for this model, these data and this device."""

    name: str = ""
    source: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Why a value of the preset was not taken."""


NO_PRESET = FittedPreset()


def find_preset(name: str) -> Preset | None:
    """Give the preset of a name; ``None`` for an empty name.

    Raises:
        LoraDeckError: There is no such preset; those that there are are named.
    """
    wanted = name.strip().lower()
    found = next((preset for preset in PRESETS if preset.name == wanted), None)
    if found is None and wanted:
        known = listed(preset.name for preset in PRESETS)
        shown = visible(name)[:60]
        raise LoraDeckError(
            tr("Unknown preset"),
            tr("There is no preset '{shown}'.", shown=shown),
            tr("Presets are: {known}.", known=known),
        )
    return found


def fit_preset(
    preset: Preset | None,
    overrides: Mapping[str, Any],
    *,
    rows: int,
    shape: ModelShape,
    device: Device,
) -> FittedPreset:
    """Keep of a preset what can be kept, and say why the rest cannot.

    Args:
        preset: The preset, or ``None``.
        overrides: What the user set; it goes before.
        rows: Rows of the dataset that can train.
        shape: The base model's.
        device: Where the run computes.
    """
    if preset is None:
        return NO_PRESET
    values = {key: value for key, value in preset.values.items() if key not in overrides}
    left_out: dict[str, str] = {}
    name = preset.name
    if values.get("use_4bit") and not quantizes(device):
        left_out["use_4bit"] = tr("the {name} preset's 4 bits cannot be had here", name=name)
    elif values.get("use_4bit") and device.kind == "cpu":
        left_out["use_4bit"] = tr(
            "the {name} preset's 4 bits would only slow a CPU down", name=name
        )
    if values.get("max_seq_length", 0) > shape.context:
        left_out["max_seq_length"] = tr(
            "the {name} preset's is more than the model reads", name=name
        )
    if "num_epochs" in overrides and "max_steps" in values:
        left_out["max_steps"] = tr("not the {name} preset's, as you set num_epochs", name=name)
    every = {**preset.values, **overrides}
    step = every.get("batch_size", 1) * every.get("gradient_accumulation_steps", 1)
    if step > rows - every.get("eval_rows", evaluation_rows(rows)):
        for key in values.keys() & {"batch_size", "gradient_accumulation_steps"}:
            left_out[key] = tr(
                "the {name} preset's steps are of more rows than there are", name=name
            )
    kept = {key: value for key, value in values.items() if key not in left_out}
    return FittedPreset(preset.name, preset.source, kept, left_out)
