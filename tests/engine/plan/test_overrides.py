"""What the user sets goes before the rules, and the rest of the plan follows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from engine.errors import LoraDeckError
from engine.plan.parameters import check_overrides, parse_overrides
from tests.engine.plan.make import APPLE, CARD, CPU, LLAMA_8B, OLD_CARD, plan_for

if TYPE_CHECKING:
    from engine.plan.types import Device

MAXWELL = OLD_CARD.model_copy(update={"name": "GTX 980", "capability": (5, 2)})


@pytest.mark.parametrize(
    ("pair", "value"),
    [
        ("num_epochs=4", 4),
        (" num_epochs = 4.0 ", 4),
        ("learning_rate=1e-4", 1e-4),
        ("use_4bit=yes", True),
        ("use_4bit=False", False),
        ("use_4bit=0", False),
        ("optim=adamw_8bit", "adamw_8bit"),
        ("max_steps=-1", -1),
    ],
)
def test_pairs_become_values(pair: str, value: object) -> None:
    (parsed,) = parse_overrides([pair]).values()
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        ("num_epochs=4.5", "integer"),
        ("num_epochs=0", "greater than or equal to 1"),
        ("num_epochs=" + "9" * 5_000, "maximum size"),
        ("seed=4294967296", "less than 4294967296"),
        ("learning_rate=nan", "finite"),
        ("learning_rate=inf", "finite"),
        ("lora_dropout=nan", "finite"),
        ("lora_dropout=1", "less than 1"),
        ("use_4bit=maybe", "boolean"),
        ("optim=sgd", "adamw_torch"),
        ("max_steps=0", "train nothing"),
        ("lora_rank=", "integer"),
        ("lora_rank", "form key=value"),
        ("=3", "form key=value"),
        ("\x1b]52;rank=3", "no parameter"),
    ],
)
def test_what_is_no_value_is_refused_with_words(pair: str, words: str) -> None:
    with pytest.raises(LoraDeckError) as caught:
        parse_overrides([pair])
    assert words in caught.value.message
    assert caught.value.hint
    assert "\x1b" not in caught.value.message
    assert len(caught.value.message) < 200


def test_the_nearest_parameter_is_named() -> None:
    with pytest.raises(LoraDeckError) as caught:
        parse_overrides(["learning_rat=1e-4"])
    assert caught.value.hint == "Did you mean learning_rate?"


def test_a_parameter_given_twice_is_refused() -> None:
    with pytest.raises(LoraDeckError, match="more than once"):
        parse_overrides(["seed=1", "seed=2"])


def test_true_is_no_number() -> None:
    with pytest.raises(LoraDeckError, match="number is wanted"):
        check_overrides({"lora_rank": True})


def test_what_was_set_is_said_beside_what_was_planned() -> None:
    choice = plan_for(12, num_epochs=3).choices["num_epochs"]
    assert (choice.value, choice.overridden) == (3, True)
    assert choice.reason == "set by you; the plan says 12"


@pytest.mark.parametrize(
    ("rows", "overrides", "follows"),
    [
        (10_000, {"batch_size": 1}, {"gradient_accumulation_steps": 16}),
        (10_000, {"gradient_accumulation_steps": 16}, {"batch_size": 1}),
        (10_000, {"gradient_accumulation_steps": 99}, {"batch_size": 1}),
        (12, {"batch_size": 4}, {"gradient_accumulation_steps": 1, "num_epochs": 24}),
        (12, {"lora_rank": 64}, {"lora_alpha": 128}),
        (12, {"num_epochs": 100}, {"save_steps": 60}),
        (12, {"max_steps": 3}, {"warmup_steps": 0, "save_steps": 3}),
        (12, {"lr_scheduler_type": "constant"}, {"warmup_steps": 0}),
        (3_000, {"num_epochs": 1}, {"warmup_steps": 9, "save_steps": 36}),
        (36, {"eval_rows": 20}, {"num_epochs": 9, "learning_rate": 1e-3}),
        (36, {"eval_rows": 0}, {"early_stopping_patience": 0}),
        (200, {"save_steps": 60}, {"early_stopping_patience": 0}),
    ],
)
def test_the_rest_follows(rows: int, overrides: dict[str, Any], follows: dict[str, Any]) -> None:
    params = plan_for(rows, **overrides).training_params.model_dump()
    assert {key: params[key] for key in follows} == follows
    assert {key: params[key] for key in overrides} == overrides


def test_max_steps_go_before_epochs() -> None:
    assert plan_for(12, max_steps=5).total_steps == 5


def test_memory_settings_that_were_set_stay() -> None:
    plan = plan_for(200, shape=LLAMA_8B, device=OLD_CARD, longest=512, use_4bit=False, batch_size=8)
    assert (plan.training_params.use_4bit, plan.training_params.batch_size) == (False, 8)
    assert not plan.memory.fits


@pytest.mark.parametrize(
    ("device", "overrides", "words"),
    [
        (CPU, {"eval_rows": 12}, "none to train on"),
        (CPU, {"optim": "adamw_8bit"}, "NVIDIA"),
        (APPLE, {"optim": "paged_adamw_8bit"}, "NVIDIA"),
        (APPLE, {"use_4bit": True}, "use_4bit"),
        (CPU, {"dtype": "float16"}, "CPU"),
        (CARD, {"max_seq_length": 8_193}, "8192"),
        (CPU, {"warmup_steps": 72}, "72 steps"),
        (CPU, {"warmup_steps": 5, "max_steps": 5}, "5 steps"),
        (CPU, {"warmup_steps": 2, "lr_scheduler_type": "constant"}, "no warm-up"),
        (CPU, {"batch_size": 13}, "13 rows, and 12 are trained on"),
        (CPU, {"batch_size": 4, "gradient_accumulation_steps": 4}, "16 rows, and 12"),
        (CPU, {"gradient_accumulation_steps": 64}, "64 rows, and 12"),
        (CPU, {"eval_rows": 6, "batch_size": 8}, "8 rows, and 6"),
        (CPU, {"early_stopping_patience": 3}, "eval_rows is 0"),
        (CPU, {"early_stopping_patience": 30, "eval_rows": 4}, "evaluations, one every"),
        (CPU, {"attn_implementation": "flash_attention_2"}, "in float32 on EPYC"),
        (OLD_CARD, {"attn_implementation": "flash_attention_2"}, "capability 8.0"),
        (CARD, {"attn_implementation": "flash_attention_2"}, "flash-attn is not installed"),
        (CARD, {"attn_implementation": "flash_attention_3"}, "Hopper"),
        (MAXWELL, {"use_4bit": True}, "Pascal"),
        (MAXWELL, {"optim": "adamw_8bit"}, "Pascal"),
    ],
)
def test_contradictions_are_refused(device: Device, overrides: dict[str, Any], words: str) -> None:
    with pytest.raises(LoraDeckError) as caught:
        plan_for(12, device=device, **overrides)
    assert words in caught.value.message
    assert caught.value.hint


def test_4bit_on_a_cpu_may_be_asked_for() -> None:
    plan = plan_for(12, use_4bit=True)
    assert (plan.training_params.dtype, plan.training_params.use_4bit) == ("float32", True)
    assert plan.memory.parts["weights"] < plan_for(12).memory.parts["weights"] / 2
