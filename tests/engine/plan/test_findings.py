"""What a plan warns of, and what refuses it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from engine.data.types import Finding
from engine.errors import DiskFullError, LoraDeckError
from engine.plan.findings import leave_out, overlap_finding, refuse_impossible
from engine.plan.parameters import TrainingParams, parse_overrides
from engine.plan.types import Holder
from tests.engine.plan.make import AMD_CARD, BF16_CPU, CARD, CPU, GB, LLAMA_8B, QWEN_14B, plan_for

if TYPE_CHECKING:
    from engine.plan.types import Device, Plan


def found(plan: Plan, code: str) -> Finding | None:
    """Pick a finding by its code."""
    return next((finding for finding in plan.findings if finding.code == code), None)


def card(free_gb: float) -> Device:
    """A card with so much free."""
    return CARD.model_copy(update={"memory_free": int(free_gb * GB)})


def test_rows_that_are_cut_are_counted_exactly() -> None:
    plan = plan_for(100, longest=100, max_seq_length=90)
    over = [count - 90 for count in plan.lengths.counts if count > 90]
    warning = found(plan, "rows-cut")
    assert warning
    assert (plan.rows_cut, plan.tokens_cut) == (len(over), sum(over))
    assert warning.message.startswith(f"{len(over)} of 100 measured rows are longer than 90")
    assert f"{sum(over)} of " in warning.message
    assert "max_seq_length=100" in warning.hint


def test_a_sample_is_called_a_sample() -> None:
    warning = found(plan_for(10_000, measured=500, longest=100, max_seq_length=64), "rows-cut")
    assert warning
    assert "of 500 measured rows" in warning.message


def test_at_most_one_row_in_twenty_is_cut_by_itself() -> None:
    plan = plan_for(1_000, shape=LLAMA_8B, device=card(9.67), longest=4_000)
    assert plan.memory.fits
    assert 0 < plan.rows_cut <= 50
    warning = found(plan, "rows-cut")
    assert warning
    assert "9.7 GB of memory" in warning.hint


@pytest.mark.parametrize(
    ("free_gb", "overrides"),
    [
        (9.2, {}),
        (9.2, {"max_seq_length": 4_000}),
        (20.0, {"use_4bit": False, "batch_size": 8}),
        (12.0, {"gradient_checkpointing": False}),
    ],
)
def test_what_is_named_as_fitting_fits(free_gb: float, overrides: dict[str, Any]) -> None:
    plan = plan_for(1_000, shape=LLAMA_8B, device=card(free_gb), longest=4_000, **overrides)
    error = found(plan, "memory")
    assert error
    assert error.level == "error"
    assert error.hint.startswith("It would fit with: ")
    pairs = re.findall(r"--set (\S+)", error.hint)
    advised = overrides | parse_overrides(pairs)
    again = plan_for(1_000, shape=LLAMA_8B, device=card(free_gb), longest=4_000, **advised)
    assert again.memory.fits
    refuse_impossible(again)


def test_a_smaller_model_is_named_where_nothing_else_helps() -> None:
    error = found(plan_for(100, shape=QWEN_14B, device=card(4)), "memory")
    assert error
    assert "smaller model" in error.hint


def test_too_little_memory_is_refused() -> None:
    with pytest.raises(LoraDeckError, match="Not enough memory") as caught:
        refuse_impossible(plan_for(100, shape=QWEN_14B, device=card(4)))
    assert "4.0 GB are free" in caught.value.message


def test_too_little_disk_is_refused() -> None:
    with pytest.raises(DiskFullError, match=r"608 MB, 200 MB are free"):
        refuse_impossible(plan_for(12, disk_free=200_000_000))


def test_a_sound_plan_is_not_refused() -> None:
    refuse_impossible(plan_for(12))


@pytest.mark.parametrize(
    ("rows", "overrides", "device", "code"),
    [
        (2, {}, CPU, "few-steps"),
        (12, {"num_epochs": 1}, CPU, "few-steps"),
        (12, {"dtype": "bfloat16"}, CPU, "slow-dtype"),
        (12, {}, CPU.model_copy(update={"note": "The card is not used."}), "device"),
        (12, {}, CARD.model_copy(update={"note": "Of 2 cards."}), "device"),
        (12, {"use_4bit": True, "dtype": "bfloat16"}, BF16_CPU, "slow-dtype"),
        (12, {"dtype": "float32"}, BF16_CPU, "slow-dtype"),
        (12, {}, AMD_CARD, "amd"),
        (60, {"eval_rows": 40}, CPU, "small-split"),
    ],
)
def test_advice(rows: int, overrides: dict[str, Any], device: Device, code: str) -> None:
    advice = found(plan_for(rows, device=device, **overrides), code)
    assert advice
    assert advice.level in ("warning", "note")


def test_who_holds_a_large_part_of_the_card_is_named() -> None:
    held = (
        Holder(pid=123, name="python\x1b", memory=int(9.1 * GB)),
        Holder(pid=7, name="Xorg", memory=GB // 10),
    )
    roomy = found(plan_for(200, device=CARD.model_copy(update={"holders": held})), "card-held")
    assert roomy
    assert roomy.message == "python␛ (pid 123) holds 9.1 GB of the card."
    assert roomy.level == "note"
    full = card(4).model_copy(update={"holders": held})
    told = plan_for(200, shape=LLAMA_8B, device=full).findings
    assert [one.level for one in told if one.code == "card-held"] == ["warning"]


def test_disk_is_told_by_its_parts() -> None:
    plan = plan_for(12, measured=12)
    assert plan.disk_parts == {
        "checkpoints": 4 * (12 * 9_768_960 + 20_000_000),
        "adapter": 4 * 9_768_960 + 20_000_000,
        "cache": 8 * plan.lengths.estimated_total,
    }
    assert plan.disk_needed == sum(plan.disk_parts.values())
    small = plan_for(12, device=CARD, optim="adamw_8bit")
    assert small.disk_parts["checkpoints"] < plan.disk_parts["checkpoints"]


def test_nothing_is_said_of_a_plain_run() -> None:
    assert plan_for(200).findings == ()


def error(count: int, code: str = "no-answer") -> Finding:
    """An error about so many rows."""
    return Finding(
        level="error", code=code, message=f"{count} rows.", hint="", count=count, rows=(1,)
    )


@pytest.mark.parametrize(
    ("counts", "asked", "level"),
    [((3,), False, "warning"), ((7, 4), False, "error"), ((7, 4), True, "warning")],
)
def test_few_faulty_rows_are_left_out_and_more_only_where_asked(
    counts: tuple[int, ...], asked: bool, level: str
) -> None:
    told = leave_out([error(count) for count in counts], 1_000, asked=asked)
    assert {one.level for one in told} == {level}
    assert {"Left out" in one.message for one in told} == {level == "warning"}


def test_not_all_rows_can_be_left_out() -> None:
    assert leave_out([error(5)], 5, asked=True) == [error(5)]


def test_errors_about_the_whole_dataset_stay() -> None:
    assert leave_out([error(0, "memory"), error(1)], 1_000, asked=True)[0].level == "error"


def test_held_out_rows_that_are_trained_too_are_told() -> None:
    (told,) = overlap_finding([1, 1, 1, 1, 2, 2, 2, 2], TrainingParams(eval_rows=2))
    assert told.count == 2
    assert told.message.startswith("2 of 2 held-out rows")
    assert overlap_finding([1, 1, 1, 1, 2, 3], TrainingParams(eval_rows=2)) == []
