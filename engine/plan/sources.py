"""Where the rules of a plan come from, as far as several rules come from there."""

from __future__ import annotations

from engine.language import mark

AXOLOTL = mark("Axolotl's 165 LoRA configurations")
MEASURED = mark("ours, measured")
OURS = mark("ours")
REGRET = mark("LoRA Without Regret (TRL docs)")
