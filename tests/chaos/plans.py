"""What is trained: short runs that hang on everything a resumed run must bring back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.server.wire import TrainRequest

if TYPE_CHECKING:
    from pathlib import Path

_SHORT = {
    "num_epochs": 10,
    "batch_size": 2,
    "gradient_accumulation_steps": 1,
    "learning_rate": 1e-3,
    "lora_rank": 8,
    "lora_alpha": 16,
    "lora_dropout": 0.05,
    "max_seq_length": 192,
    "warmup_steps": 2,
    "eval_rows": 2,
    "early_stopping_patience": 0,
    "gradient_checkpointing": False,
    "dtype": "bfloat16",
    "save_steps": 7,
    "seed": 42,
}
KINDS: tuple[dict[str, Any], ...] = (
    _SHORT,
    {**_SHORT, "dtype": "float32", "lora_dropout": 0.0, "eval_rows": 0, "seed": 7},
    {**_SHORT, "num_epochs": 60, "early_stopping_patience": 2, "save_steps": 5, "seed": 8},
)
"""Dropout and evaluation; neither, in another number format; a run that ends early."""


def request_of(number: int, dataset: Path, model: Path, epochs: int | None) -> TrainRequest:
    """Ask for one training; every parameter that memory or time could change is set.

    Args:
        number: Counted from 0; kinds take turns.
        epochs: In place of the kind's own.
    """
    overrides = dict(KINDS[number % len(KINDS)])
    if epochs:
        overrides["num_epochs"] = epochs
    return TrainRequest(
        task_name=f"task-{number}",
        dataset_file=str(dataset),
        base_model=str(model),
        overrides=overrides,
    )
