"""What a run had to change in its plan to go on; kept in its folder, so that it stays changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from engine.files import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from engine.plan.parameters import TrainingParams

_FILE = "adjustments.json"
_SLOWER = 3.0
"""The rate's divisor after a roll-back (rules.md)."""
_TIGHTER = 0.3
"""The largest gradient norm after a roll-back."""


class Adjustments(BaseModel):
    """Changes to a plan that memory or the loss asked for while it ran."""

    model_config = ConfigDict(frozen=True)

    pass_tokens: int | None = None
    """Tokens in one forward pass at most, before what ``killed`` halves; ``None`` as planned."""
    gradient_checkpointing: bool = False
    """Activations are computed twice, though the plan had room for them."""
    killed: int = 0
    """How often the process was killed twice at one place, as the kernel does where memory ends:
    each time passes are halved, from the second on activations are computed twice."""
    judging: int = 0
    """How often the process was killed while it judged the adapter."""
    rolled_back: bool = False
    """Loss or gradient were no number once: the rest runs at a lower rate."""

    @classmethod
    def load(cls, folder: Path) -> Adjustments:
        """Read a task folder's; none where there is no file or it is damaged."""
        try:
            return cls.model_validate_json((folder / _FILE).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return cls()

    def save(self, folder: Path) -> None:
        """Write them to a task folder."""
        write_atomic(folder / _FILE, self.model_dump_json())

    def budget(self, planned: int, longest_row: int) -> int:
        """Give the tokens of one forward pass that the run goes on with."""
        return max(longest_row, (self.pass_tokens or planned) >> self.killed)

    def apply(self, params: TrainingParams) -> TrainingParams:
        """Give the parameters that the run goes on with."""
        changes: dict[str, object] = {}
        if self.gradient_checkpointing or self.killed > 1:
            changes["gradient_checkpointing"] = True
        if self.rolled_back:
            changes["learning_rate"] = params.learning_rate / _SLOWER
            changes["max_grad_norm"] = min(params.max_grad_norm, _TIGHTER)
        return params.model_copy(update=changes)
