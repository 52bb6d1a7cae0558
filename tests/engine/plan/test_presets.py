"""Presets: named values between the rules and what the user sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from engine.errors import LoraDeckError
from engine.plan.parameters import check_overrides
from engine.plan.presets import PRESETS, find_preset
from tests.engine.plan.make import APPLE, CARD, CPU, DEMO, plan_for

if TYPE_CHECKING:
    from engine.plan.types import Device

CLASSIC = {
    "lora_rank": 16,
    "lora_alpha": 32,
    "lora_dropout": 0.05,
    "num_epochs": 3,
    "batch_size": 4,
    "gradient_accumulation_steps": 4,
    "learning_rate": 2e-4,
    "use_4bit": True,
    "max_seq_length": 512,
}


def changed(device: Device, rows: int = 5_000, **more: Any) -> dict[str, Any]:
    """Give what the classic preset does not decide, of what it would."""
    params = plan_for(rows, device=device, preset="classic", **more).training_params.model_dump()
    return {key: params[key] for key, value in CLASSIC.items() if params[key] != value}


def test_classic_is_what_the_guides_give() -> None:
    assert changed(CARD) == {}


def test_a_preset_says_so_and_what_the_rules_would() -> None:
    plan = plan_for(5_000, device=CARD, preset=" Classic ")
    assert plan.preset == "classic"
    choice = plan.choices["lora_rank"]
    assert choice.reason == "of the classic preset; the plan says 32"
    assert (choice.overridden, choice.source) == (False, "LoRA guides")


def test_what_the_user_sets_goes_before_a_preset() -> None:
    plan = plan_for(5_000, device=CARD, preset="classic", lora_rank=64, batch_size=2)
    params = plan.training_params
    assert (params.lora_rank, params.lora_alpha, params.batch_size) == (64, 32, 2)
    assert plan.choices["lora_rank"].overridden


@pytest.mark.parametrize(
    ("device", "words"), [(CPU, "would only slow a CPU down"), (APPLE, "cannot be had here")]
)
def test_4bit_is_left_out_with_words_where_it_is_no_use(device: Device, words: str) -> None:
    plan = plan_for(5_000, device=device, preset="classic")
    assert plan.training_params.use_4bit is False
    assert words in plan.choices["use_4bit"].reason
    assert plan_for(12, device=CPU, preset="classic", use_4bit=True).training_params.use_4bit


def test_a_step_of_more_rows_than_there_are_is_left_out() -> None:
    assert changed(CARD, 12) == {"batch_size": 2, "gradient_accumulation_steps": 1}
    assert changed(CARD, 16) == {}
    assert changed(CARD, 36, eval_rows=25) == {"batch_size": 2, "gradient_accumulation_steps": 1}


def test_a_length_over_the_models_is_left_out() -> None:
    short = DEMO.model_copy(update={"context": 256})
    plan = plan_for(5_000, shape=short, device=CARD, preset="classic")
    assert plan.training_params.max_seq_length == 128
    assert "more than the model reads" in plan.choices["max_seq_length"].reason


def test_quick_is_30_steps_without_evaluation() -> None:
    plan = plan_for(5_000, preset="quick")
    assert (plan.total_steps, plan.training_params.eval_rows) == (30, 0)
    assert plan.training_params.early_stopping_patience == 0
    assert plan_for(5_000, preset="quick", num_epochs=1).total_steps == 313


def test_an_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(LoraDeckError) as caught:
        plan_for(12, preset="clasic\x1b")
    assert "\x1b" not in caught.value.message
    assert caught.value.hint == "Presets are: classic, quick."


def test_no_name_is_no_preset() -> None:
    assert find_preset("") is None
    assert plan_for(12).preset == ""


def test_presets_are_within_the_ranges() -> None:
    for preset in PRESETS:
        assert check_overrides(preset.values) == preset.values
        assert preset.description.endswith(".")
