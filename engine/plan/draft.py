"""A plan in the making: values are chosen one after the other, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from engine.plan.parameters import TrainingParams
from engine.plan.types import Choice

if TYPE_CHECKING:
    from collections.abc import Mapping

Value = TypeVar("Value", bool, int, float, str)


@dataclass
class Draft:
    """Collects choices; what the user set goes before what a rule says."""

    overrides: Mapping[str, Any]
    choices: dict[str, Choice] = field(default_factory=dict)

    def choose(self, key: str, value: Value, reason: str) -> Value:
        """Settle a parameter, and give the value that later rules must follow."""
        if key not in self.overrides:
            self.choices[key] = Choice(value=value, reason=reason)
            return value
        chosen: Value = self.overrides[key]
        words = "set by you" if chosen == value else f"set by you; the plan says {_plain(value)}"
        self.choices[key] = Choice(value=chosen, reason=words, overridden=True)
        return chosen

    def switch(self, key: str) -> None:
        """Settle a switch as the user set it; else off, until memory asks for it."""
        chosen = self.overrides.get(key)
        words = "" if chosen is None else "set by you"
        self.choices[key] = Choice(value=bool(chosen), reason=words, overridden=chosen is not None)

    def replace(self, key: str, value: Value, reason: str) -> None:
        """Change a planned value after a look at the whole; never one that the user set."""
        if key not in self.overrides:
            self.choices[key] = Choice(value=value, reason=reason)

    def params(self) -> TrainingParams:
        """Give the values that have been settled so far; the others at their defaults."""
        return TrainingParams(**{key: choice.value for key, choice in self.choices.items()})

    def in_order(self) -> dict[str, Choice]:
        """Give the choices in the order of the parameters' declaration."""
        return {key: self.choices[key] for key in TrainingParams.model_fields}


def _plain(value: Any) -> str:
    """Write a value as an override would be written."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
