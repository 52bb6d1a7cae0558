"""What the planner decides, for datasets, models and devices of all sizes."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING

import pytest

from engine.errors import LoraDeckError
from engine.plan.parameters import TrainingParams
from tests.engine.plan.make import (
    AMD_CARD,
    APPLE,
    BF16_CPU,
    CARD,
    CPU,
    DEMO,
    DEVICES,
    GB,
    LLAMA_8B,
    OLD_CARD,
    QWEN_14B,
    SHAPES,
    plan_for,
)

if TYPE_CHECKING:
    from engine.models.types import ModelShape
    from engine.plan.types import Device

ROWS = (1, 2, 6, 12, 30, 31, 36, 200, 300, 301, 1_000, 3_000, 10_000, 50_000)


IN_WORDS = {"dtype", "target_modules", "attn_implementation", "early_stopping_patience"}
"""Reasons without a number."""


@pytest.mark.parametrize(
    ("rows", "held_out", "epochs", "effective", "rank", "rate", "steps"),
    [
        (6, 0, 24, 2, 32, 1e-3, 72),
        (12, 0, 12, 2, 32, 1e-3, 72),
        (30, 0, 5, 2, 32, 1e-3, 75),
        (31, 5, 6, 2, 32, 1e-3, 78),
        (36, 5, 8, 4, 32, 5e-4, 64),
        (200, 20, 5, 4, 32, 5e-4, 225),
        (1_000, 50, 3, 8, 32, 4.7e-4, 357),
        (3_000, 150, 3, 16, 32, 4.7e-4, 537),
        (10_000, 500, 2, 16, 32, 4.7e-4, 1_188),
        (50_000, 1_000, 1, 16, 64, 4.7e-4, 3_063),
    ],
)
def test_demo_model_on_a_cpu(
    rows: int, held_out: int, epochs: int, effective: int, rank: int, rate: float, steps: int
) -> None:
    plan = plan_for(rows)
    params = plan.training_params
    assert (params.eval_rows, params.num_epochs, params.lora_rank) == (held_out, epochs, rank)
    assert (params.effective_batch, params.learning_rate) == (effective, rate)
    assert (plan.total_steps, plan.train_rows) == (steps, rows - held_out)


@pytest.mark.parametrize("rows", range(6, 31))
def test_few_rows_get_enough_steps_to_learn(rows: int) -> None:
    assert 40 <= plan_for(rows).total_steps <= 100


@pytest.mark.parametrize(
    ("shape", "rows", "rate"),
    [
        (LLAMA_8B, 12, 2.9e-4),
        (LLAMA_8B, 100, 2e-4),
        (LLAMA_8B, 1_000, 2e-4),
        (QWEN_14B, 1_000, 1e-4),
        (DEMO, 1_000, 4.7e-4),
    ],
)
def test_learning_rate_falls_with_size_and_rows(shape: ModelShape, rows: int, rate: float) -> None:
    assert plan_for(rows, shape=shape, device=CARD).training_params.learning_rate == rate


@pytest.mark.parametrize(("rows", "shape", "device"), product(ROWS, SHAPES, DEVICES))
def test_every_parameter_has_its_reason(rows: int, shape: str, device: str) -> None:
    plan = plan_for(rows, shape=SHAPES[shape], device=DEVICES[device], longest=500)
    assert list(plan.choices) == list(TrainingParams.model_fields)
    assert {key: choice.value for key, choice in plan.choices.items()} == (
        plan.training_params.model_dump()
    )
    for key, choice in plan.choices.items():
        assert not choice.overridden
        assert choice.source
        assert re.search(r"\d", choice.reason) or key in IN_WORDS, f"{key}: {choice.reason}"
    assert plan.training_params.warmup_steps < plan.total_steps
    assert 1 <= plan.training_params.save_steps <= plan.total_steps


@pytest.mark.parametrize(
    ("device", "dtype", "optim"),
    [
        (CPU, "float32", "adamw_torch"),
        (BF16_CPU, "bfloat16", "adamw_torch"),
        (CARD, "bfloat16", "adamw_torch"),
        (OLD_CARD, "float16", "adamw_torch"),
        (AMD_CARD, "bfloat16", "adamw_torch"),
        (APPLE, "bfloat16", "adamw_torch"),
        (APPLE.model_copy(update={"bf16": False}), "float32", "adamw_torch"),
    ],
)
def test_numbers_and_optimizer_suit_the_device(device: Device, dtype: str, optim: str) -> None:
    params = plan_for(200, device=device).training_params
    assert (params.dtype, params.optim, params.use_4bit) == (dtype, optim, False)


@pytest.mark.parametrize(
    ("free_gb", "settings"),
    [
        # batch, accumulation, 4-bit, checkpointing
        (80, (16, 1, False, False)),
        (40, (4, 4, False, False)),
        (23, (1, 16, False, False)),
        (19.2, (1, 16, False, True)),
        (12, (1, 16, True, False)),
        (8.4, (2, 8, True, True)),
    ],
)
def test_memory_is_saved_at_the_least_cost_first(
    free_gb: float, settings: tuple[int, int, bool, bool]
) -> None:
    card = CARD.model_copy(update={"memory_free": int(free_gb * GB)})
    plan = plan_for(10_000, shape=LLAMA_8B, device=card, longest=512)
    params = plan.training_params
    assert plan.memory.fits
    assert settings == (
        params.batch_size,
        params.gradient_accumulation_steps,
        params.use_4bit,
        params.gradient_checkpointing,
    )


def test_a_cpu_is_never_given_4bit_by_itself() -> None:
    short = CPU.model_copy(update={"memory_free": 10 * GB})
    plan = plan_for(100, shape=LLAMA_8B, device=short)
    assert not plan.training_params.use_4bit
    assert not plan.memory.fits


@pytest.mark.parametrize(("longest", "length"), [(20, 64), (64, 64), (65, 128), (700, 704)])
def test_length_is_the_least_that_cuts_nothing(longest: int, length: int) -> None:
    plan = plan_for(100, longest=longest)
    assert plan.training_params.max_seq_length == length
    assert (plan.rows_cut, plan.tokens_cut) == (0, 0)


def test_length_ends_at_the_models_context() -> None:
    plan = plan_for(100, longest=8_200)
    cut = [count for count in plan.lengths.counts if count > 8_192]
    assert plan.training_params.max_seq_length == 8_192
    assert (plan.rows_cut, plan.tokens_cut) == (len(cut), sum(cut) - 8_192 * len(cut))


def test_a_model_without_configuration_is_refused() -> None:
    with pytest.raises(LoraDeckError, match="configuration"):
        plan_for(12, shape=None)


def test_no_rows_are_refused() -> None:
    with pytest.raises(LoraDeckError, match="no rows"):
        plan_for(0, longest=0)
