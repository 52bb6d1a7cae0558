"""Named sets of values that go before the planner's rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Preset:
    """Values that a plan starts from; what they leave out is planned."""

    name: str
    description: str
    values: Mapping[str, Any]


PRESETS: tuple[Preset, ...] = (
    Preset(
        "classic",
        "The parameters that most tutorials train with, whatever the dataset.",
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
    ),
)
