"""A plan in the making: values are chosen one after the other, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from engine.language import tr
from engine.plan.parameters import TrainingParams, as_override
from engine.plan.presets import NO_PRESET
from engine.plan.types import Choice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.plan.presets import FittedPreset

Value = TypeVar("Value", bool, int, float, str)


@dataclass
class Draft:
    """Collects choices: what the user set goes before a preset, and that before the rules.

    What the adapter fixes that is trained further goes before all of them.
    """

    overrides: Mapping[str, Any]
    preset: FittedPreset = NO_PRESET
    adapter: Mapping[str, Any] = field(default_factory=dict)
    choices: dict[str, Choice] = field(default_factory=dict)

    @property
    def fixed(self) -> dict[str, Any]:
        """Give what no rule may change."""
        return {**self.preset.values, **self.overrides, **self.adapter}

    def choose(self, key: str, value: Value, reason: str, source: str) -> Value:
        """Settle a parameter, and give the value that later rules must follow."""
        if key not in self.fixed:
            if key in self.preset.left_out:
                left_out = self.preset.left_out[key]
                reason = tr("{reason}; {left_out}", reason=reason, left_out=left_out)
            self.choices[key] = Choice(value=value, reason=reason, source=tr(source))
            return value
        chosen: Value = self.fixed[key]
        self.choices[key] = self._fixed_choice(key, "" if chosen == value else as_override(value))
        return chosen

    def switch(self, key: str) -> None:
        """Settle a switch as it was set; else off, until memory asks for it."""
        unset = Choice(value=False, reason="")
        self.choices[key] = self._fixed_choice(key, "") if key in self.fixed else unset

    def replace(self, key: str, value: Value, reason: str, source: str) -> None:
        """Change a planned value after a look at the whole; never one that was set."""
        if key not in self.fixed:
            self.choose(key, value, reason, source)

    def params(self) -> TrainingParams:
        """Give the values that have been settled so far; the others at their defaults."""
        return TrainingParams(**{key: choice.value for key, choice in self.choices.items()})

    def in_order(self) -> dict[str, Choice]:
        """Give the choices in the order of the parameters' declaration."""
        return {key: self.choices[key] for key in TrainingParams.model_fields}

    def _fixed_choice(self, key: str, planned: str) -> Choice:
        """Say who set a value, and what the rules say where they say otherwise."""
        if key in self.adapter:
            words = tr("of the adapter that is trained further")
            return Choice(value=self.fixed[key], reason=words, source="PEFT")
        user = key in self.overrides
        words = tr("set by you") if user else tr("of the {name} preset", name=self.preset.name)
        if planned:
            words = tr("{who}; the plan says {planned}", who=words, planned=planned)
        source = "" if user else tr(self.preset.source)
        return Choice(value=self.fixed[key], reason=words, source=source, overridden=user)
