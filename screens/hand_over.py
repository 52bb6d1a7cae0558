"""What one dashboard hands on to the next, which speaks another language."""

from __future__ import annotations

from dataclasses import dataclass, field

from screens.next_plan import Wishes


@dataclass(frozen=True)
class Draft:
    """What was chosen for the next training, by names: another dashboard asks for it anew."""

    dataset: str = ""
    mapping: dict[str, str] = field(default_factory=dict)
    leave_out: bool = False
    base_model: str = ""
    wishes: Wishes = field(default_factory=Wishes)
    name: str = ""
    """Empty where the suggested one stands."""
