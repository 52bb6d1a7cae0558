"""A plan as plain text."""

from __future__ import annotations

import pytest

from engine.plan.hypothetical import named_device
from engine.plan.parameters import TrainingParams
from engine.plan.text import columns, plan_lines
from tests.engine.plan.make import CARD, GB, LLAMA_8B, plan_for

PLANS = {
    "few rows": plan_for(12),
    "wide values": plan_for(200, lr_scheduler_type="constant_with_warmup", max_steps=9_000_000),
    "does not fit": plan_for(
        1_000,
        shape=LLAMA_8B,
        device=CARD.model_copy(update={"memory_free": 8 * GB}),
        longest=4_000,
    ),
    "preset on another card": plan_for(
        5_000, device=named_device("RTX 3060 6GB"), longest=900, preset="classic"
    ),
    "Chinese": plan_for(12, dataset_file="/数据/" + "很长的文件夹名字" * 12 + "/事实.json"),
}


@pytest.mark.parametrize("name", PLANS)
def test_lines_stay_within_80_columns(name: str) -> None:
    lines = plan_lines(PLANS[name])
    assert max(columns(line) for line in lines) <= 80
    for key in TrainingParams.model_fields:
        assert any(line.startswith(f"{key} ") for line in lines)


def test_the_head_says_what_is_needed_beside_what_is_free() -> None:
    text = "\n".join(plan_lines(PLANS["few rows"]))
    assert "facts.json (alpaca, 12 rows)" in text
    assert "1.8 GB needed, 21.0 GB free" in text
    assert "72 steps (12 epochs of 12 rows, 2 a step)" in text


def test_memory_and_disk_are_shown_as_sums() -> None:
    text = " ".join("\n".join(plan_lines(PLANS["few rows"])).split())
    plan = PLANS["few rows"]
    assert all(f"{name} " in text for name in plan.memory.parts)
    assert "checkpoints 549 MB + adapter 59.1 MB + cache" in text
    corrected = plan.memory.model_copy(update={"measured": True})
    lines = plan_lines(plan.model_copy(update={"memory": corrected, "seconds": 750.0}))
    text = " ".join("\n".join(lines).split())
    assert "corrected by a step measured on this machine" in text
    assert "about 12 min 30 s on this machine, from earlier runs" in text


def test_preset_device_and_sources_are_told() -> None:
    text = " ".join("\n".join(plan_lines(PLANS["preset on another card"])).split())
    assert "preset classic: The parameters" in text
    assert "RTX 3060 6GB (6.4 GB, compute capability 8.6, not in this machine)" in text
    assert "of the classic preset; the plan says 0 [LoRA guides]" in text
    assert "[Axolotl's 165 LoRA configurations]" in text


def test_findings_stand_at_the_end_with_what_to_do() -> None:
    assert plan_lines(PLANS["does not fit"])[-2].startswith("error:    The run needs")


def test_control_characters_do_not_reach_the_terminal() -> None:
    text = "\n".join(plan_lines(plan_for(12, dataset_file="a\x1b]52;c;b\x07.json")))
    assert "\x1b" not in text
    assert "\x07" not in text


def test_tokens_of_a_sample_are_told_as_an_estimate() -> None:
    lines = "\n".join(plan_lines(plan_for(10_000, measured=500, longest=100)))
    assert "about 7" in lines
    assert "± 1.3%, from 500 of 10,000 rows" in " ".join(lines.split())
    assert "±" not in "\n".join(plan_lines(plan_for(100, longest=100)))
