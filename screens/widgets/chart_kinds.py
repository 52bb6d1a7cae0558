"""The charts of a training, in the order of their keys."""

from __future__ import annotations

from typing import Literal

from engine.language import mark

ChartKind = Literal["loss", "rate", "norm", "speed"]

TITLES: dict[ChartKind, str] = {
    "loss": mark("Loss"),
    "rate": mark("Learning rate"),
    "norm": mark("Gradient norm"),
    "speed": mark("Tokens/s"),
}
