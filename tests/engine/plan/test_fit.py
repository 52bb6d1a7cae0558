"""What is given up first where memory is short, and what is named where nothing fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.plan.fit import Need, _by_speed
from engine.plan.nearest import nearest, smaller_model
from engine.plan.parameters import TrainingParams
from tests.engine.plan.make import (
    AMD_CARD,
    BF16_CPU,
    CARD,
    CPU,
    DEMO,
    GB,
    LLAMA_8B,
    QWEN_14B,
    lengths_of,
    model_of,
    plan_for,
)

if TYPE_CHECKING:
    from engine.plan.types import Device


def card(free_gb: float, like: Device = CARD) -> Device:
    """A card with so much free."""
    return like.model_copy(update={"memory_free": int(free_gb * GB)})


@pytest.mark.parametrize(
    ("tokens", "first", "second"),
    [
        # Long rows: one at a time keeps a card busy, and recomputing costs a third.
        (2_048, (False, 8), (False, 4)),
        # Short rows: eight recomputed ones are faster than one or two at a time.
        (64, (False, 8), (True, 8)),
    ],
)
def test_the_fastest_setting_is_tried_first(
    tokens: int, first: tuple[bool, int], second: tuple[bool, int]
) -> None:
    need = Need(LLAMA_8B, lengths_of(100, tokens), CARD)
    params = TrainingParams(max_seq_length=tokens)
    order = _by_speed(need, params, [False, True], [8, 4, 2, 1])
    assert order[:2] == [first, second]
    assert order[-1] == (True, 1)


@pytest.mark.parametrize(
    ("free_gb", "optim"), [(80, "adamw_torch"), (24, "adamw_8bit"), (20, "adamw_8bit")]
)
def test_8_bits_are_taken_where_they_save_over_a_hundredth(free_gb: float, optim: str) -> None:
    plan = plan_for(5_000, shape=LLAMA_8B, device=card(free_gb), longest=256, lora_rank=16)
    assert plan.training_params.optim == optim
    assert plan.memory.fits


def test_amd_cards_get_8_bits_only_where_nothing_else_fits() -> None:
    roomy = plan_for(5_000, shape=LLAMA_8B, device=AMD_CARD, longest=256)
    assert roomy.training_params.optim == "adamw_torch"


def test_a_bf16_cpu_halves_the_weights_and_4_bits_go_back_to_32() -> None:
    plain, quantized = plan_for(12, device=BF16_CPU), plan_for(12, device=BF16_CPU, use_4bit=True)
    assert plain.memory.parts["weights"] == DEMO.parameters * 2
    assert plain.training_params.dtype == "bfloat16"
    assert quantized.training_params.dtype == "float32"


@pytest.mark.parametrize(
    ("longest", "batch"), [(32, 16), (64, 16), (100, 8), (512, 2), (1_000, 1), (5_000, 1)]
)
def test_a_cpu_gets_about_a_thousand_tokens_at_once(longest: int, batch: int) -> None:
    params = plan_for(5_000, longest=longest).training_params
    assert (params.batch_size, params.effective_batch) == (batch, 16)


def test_a_cpu_is_told_4_bits_with_the_number_format_that_they_need() -> None:
    short = BF16_CPU.model_copy(update={"memory_free": 11 * GB})
    need = Need(LLAMA_8B, lengths_of(100, 64), short)
    changes = nearest(need, plan_for(100, shape=LLAMA_8B, device=short).training_params)
    assert changes is not None
    assert changes["use_4bit"] is True
    assert changes["dtype"] == "float32"


def test_the_largest_smaller_model_that_fits_is_named() -> None:
    models = [
        model_of("demo", DEMO),
        model_of("8b", LLAMA_8B),
        model_of("14b", QWEN_14B),
        model_of("unknown", None),
    ]
    plan = plan_for(100, shape=QWEN_14B, device=card(9), models=models, longest=64)
    error = next(finding for finding in plan.findings if finding.code == "memory")
    assert error.hint == "No setting helps; choose a smaller model: 8b"
    params = plan.training_params
    assert smaller_model(Need(DEMO, lengths_of(100, 64), CPU), params, models) is None


def test_a_smaller_model_that_cannot_read_the_rows_is_not_named() -> None:
    short = model_of("short", DEMO.model_copy(update={"context": 128}))
    need = Need(QWEN_14B, lengths_of(100, 512), card(4))
    assert smaller_model(need, TrainingParams(), [short]) is None
