"""What would fit where a plan does not: other settings, or a smaller model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engine.plan.abilities import has_8bit_optimizer, quantizes
from engine.plan.fit import Need, longest_fitting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.models.types import ModelInfo
    from engine.plan.parameters import TrainingParams

_MOST_PASSES = 1024
"""The largest accumulation that the parameters allow."""


def nearest(need: Need, params: TrainingParams) -> dict[str, Any] | None:
    """Find the nearest settings that would fit: each saves more than the one before.

    Returns:
        What to set, or ``None`` where no setting of this model would fit.
    """
    changes: dict[str, Any] = {}
    for relax in _RELAXATIONS:
        changes |= relax(need, params)
        candidate = params.model_copy(update=changes)
        if need.memory(candidate).fits:
            return changes
        if shorter := longest_fitting(need, candidate, need.lengths.p50):
            return changes | {"max_seq_length": shorter.max_seq_length}
    return None


def smaller_model(
    need: Need, params: TrainingParams, candidates: Sequence[ModelInfo]
) -> ModelInfo | None:
    """Find the largest of other models, smaller than this one, that would fit these data.

    Args:
        need: What does not fit; the lengths are taken as they are, though another tokenizer
            will count a little differently.
        params: As they were planned for this model.
        candidates: Models that can be chosen.
    """
    smaller = sorted(
        (
            info
            for info in candidates
            if info.shape and info.shape.parameters < need.shape.parameters
        ),
        key=lambda info: info.shape.parameters if info.shape else 0,
        reverse=True,
    )
    return next((info for info in smaller if _would_fit(need, params, info)), None)


def _would_fit(need: Need, params: TrainingParams, info: ModelInfo) -> bool:
    """Tell whether another model could be trained with the same parameters."""
    if info.shape is None or info.shape.context < need.row_tokens(params):
        return False
    return replace(need, shape=info.shape).memory(params).fits


def _batch_of_one(_need: Need, params: TrainingParams) -> dict[str, Any]:
    """Take one row at a time, at the same effective batch."""
    if params.batch_size == 1:
        return {}
    passes = min(params.effective_batch, _MOST_PASSES)
    return {"batch_size": 1, "gradient_accumulation_steps": passes}


def _checkpointing(_need: Need, params: TrainingParams) -> dict[str, Any]:
    """Compute activations twice."""
    return {} if params.gradient_checkpointing else {"gradient_checkpointing": True}


def _eight_bit_optimizer(need: Need, params: TrainingParams) -> dict[str, Any]:
    """Keep the optimizer's state in 8 bits."""
    possible = has_8bit_optimizer(need.device) and params.optim == "adamw_torch"
    return {"optim": "adamw_8bit"} if possible else {}


def _four_bit(need: Need, params: TrainingParams) -> dict[str, Any]:
    """Quantize the base model, where that is possible; on a CPU it computes in 32 bits then."""
    if params.use_4bit or not quantizes(need.device):
        return {}
    return {"use_4bit": True} | ({"dtype": "float32"} if need.device.kind == "cpu" else {})


_RELAXATIONS: tuple[Callable[[Need, TrainingParams], dict[str, Any]], ...] = (
    _batch_of_one,
    _checkpointing,
    _eight_bit_optimizer,
    _four_bit,
)
