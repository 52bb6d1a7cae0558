"""The next training's plan: what the user wishes of it, and what came of that."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from engine.errors import LoraDeckError
from engine.language import tr
from screens.format import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.plan.types import Device, Plan


@dataclass(frozen=True)
class Wishes:
    """A preset, the values that the user set, the adapter to train further, and the device."""

    preset: str = ""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    adapter: str = ""
    """The task that made it; empty for a new one."""
    device: Device | None = None
    """As it was when it was chosen; ``None`` leaves it to the plan."""

    def having(self, key: str, value: Any) -> Wishes:
        """Set a value."""
        return replace(self, overrides={**self.overrides, key: value})

    def without(self, key: str) -> Wishes:
        """Take a value back."""
        kept = {name: value for name, value in self.overrides.items() if name != key}
        return replace(self, overrides=kept)

    @property
    def device_handle(self) -> str:
        """What the engine is asked to plan for; empty for what the plan takes by itself."""
        if self.device is None:
            return ""
        from engine.plan.device_names import handle_of

        return handle_of(self.device)

    @property
    def device_words(self) -> str:
        """Name the chosen device; empty where none was."""
        if self.device is None:
            return ""
        from screens.sums import place_words

        return place_words(self.device)

    @property
    def words(self) -> str:
        """Say what is wished, briefly; empty where nothing is."""
        values, adapter = len(self.overrides), one_line(self.adapter)
        parts = [tr("✎ set by you: {values}", values=values)] if values else []
        parts += [tr("preset {name}", name=self.preset)] if self.preset else []
        parts += [tr("trains {name} further", name=adapter)] if adapter else []
        parts += [tr("device {name}", name=self.device_words)] if self.device else []
        return " · ".join(parts)


@dataclass(frozen=True)
class NextPlan:
    """The plan as it is now."""

    wishes: Wishes
    outcome: Plan | LoraDeckError | None
    """``None`` while it is being made."""

    @property
    def plan(self) -> Plan | None:
        """The plan, once it is made."""
        return None if isinstance(self.outcome, LoraDeckError) else self.outcome

    @property
    def only_to_look(self) -> str:
        """Say why a plan for a card that is not here starts nothing; empty for any other plan."""
        looks = self.plan is not None and self.plan.device.hypothetical
        return tr("Only to look at: this card is not in this machine.") if looks else ""

    @property
    def refusal(self) -> LoraDeckError | None:
        """Why there is no plan."""
        return self.outcome if isinstance(self.outcome, LoraDeckError) else None

    @property
    def refused(self) -> frozenset[str]:
        """The values that the refusal names."""
        words = self.refusal.message if self.refusal else ""
        return frozenset(key for key in self.wishes.overrides if f"{key}=" in words)
