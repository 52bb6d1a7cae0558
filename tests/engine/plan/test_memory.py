"""The memory model against what was measured."""

from __future__ import annotations

import pytest

from engine.plan.memory import adapter_size, disk_needed, estimate
from engine.plan.parameters import TrainingParams
from tests.engine.plan.make import CARD, CPU, DEMO, GB, LLAMA_8B


@pytest.mark.parametrize(
    ("batch", "length", "checkpointing", "measured_gb"),
    [
        # A whole run through the engine, then TRL alone: SmolLM2-135M, fp32, rank 16, RSS.
        (2, 70, False, 1.72),
        (1, 128, False, 1.62),
        (2, 512, False, 4.59),
        (4, 512, False, 7.92),
        (2, 512, True, 3.06),
    ],
)
def test_within_15_percent_of_the_demo_model_on_a_cpu(
    batch: int, length: int, checkpointing: bool, measured_gb: float
) -> None:
    params = TrainingParams(
        batch_size=batch, gradient_checkpointing=checkpointing, gradient_accumulation_steps=1
    )
    memory = estimate(DEMO, params, length, CPU, adapter_size(DEMO, 16))
    assert memory.total == pytest.approx(measured_gb * GB, rel=0.15)
    assert set(memory.parts) == {"weights", "adapter", "activations", "logits", "framework"}
    assert memory.total == sum(memory.parts.values())


def test_the_adapter_has_the_size_that_peft_counts() -> None:
    assert adapter_size(DEMO, 16) == 4_884_480
    assert adapter_size(DEMO, 8) == 4_884_480 // 2


@pytest.mark.parametrize(
    ("params", "part", "gb"),
    [
        (TrainingParams(dtype="bfloat16"), "weights", 16.06),
        # 7.0 B linear weights at 0.5159 bytes, 1.05 B in embeddings and head at 2
        (TrainingParams(dtype="bfloat16", use_4bit=True), "weights", 5.70),
        (TrainingParams(dtype="bfloat16"), "adapter", 16 * 0.041943),
        (TrainingParams(dtype="bfloat16", optim="adamw_8bit"), "adapter", 10 * 0.041943),
        (
            TrainingParams(dtype="bfloat16", optim="adamw_8bit", use_4bit=True),
            "adapter",
            6 * 0.041943,
        ),
    ],
)
def test_an_8b_model_by_the_fields_formulas(params: TrainingParams, part: str, gb: float) -> None:
    memory = estimate(LLAMA_8B, params, 512, CARD, adapter_size(LLAMA_8B, 16))
    assert memory.parts[part] == pytest.approx(gb * GB, rel=0.01)


def test_qlora_of_an_8b_model_needs_about_what_is_published() -> None:
    params = TrainingParams(
        dtype="bfloat16",
        optim="adamw_8bit",
        use_4bit=True,
        gradient_checkpointing=True,
        batch_size=1,
    )
    memory = estimate(LLAMA_8B, params, 512, CARD, adapter_size(LLAMA_8B, 16))
    assert 6 * GB < memory.total < 8 * GB  # Unsloth publishes 6 as the floor


def test_disk_holds_the_checkpoints_and_the_adapter() -> None:
    full = disk_needed(DEMO, TrainingParams(), 0)
    assert full == 4 * (4 * 4_884_480 + 20_000_000) + 3 * 8 * 4_884_480
    assert disk_needed(DEMO, TrainingParams(optim="adamw_8bit"), 0) < full
    assert disk_needed(DEMO, TrainingParams(), 1_000_000) == full + 8_000_000
