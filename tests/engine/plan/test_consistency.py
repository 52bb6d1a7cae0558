"""Whatever the data, model, device and overrides: a plan agrees with itself."""

from __future__ import annotations

import random
from typing import Any

import pytest

from engine.errors import LoraDeckError
from engine.plan.cards import CARDS
from engine.plan.findings import refuse_impossible
from engine.plan.hypothetical import named_device
from engine.plan.pacing import evaluation_count
from engine.plan.parameters import TrainingParams, check_overrides
from engine.plan.presets import PRESETS
from engine.plan.text import columns, plan_lines
from tests.engine.plan.make import DEVICES, GB, SHAPES, model_of, plan_for

SETS: dict[str, list[Any]] = {
    "lora_rank": [1, 64, 1024],
    "num_epochs": [1, 20],
    "batch_size": [1, 4, 32],
    "gradient_accumulation_steps": [1, 8],
    "use_4bit": [False, True],
    "max_seq_length": [64, 2_048],
    "optim": ["adamw_torch", "adamw_8bit", "paged_adamw_8bit"],
    "dtype": ["float32", "bfloat16", "float16"],
    "gradient_checkpointing": [False, True],
    "attn_implementation": ["sdpa", "flash_attention_2", "flash_attention_3"],
    "eval_rows": [0, 3, 100],
    "early_stopping_patience": [0, 2],
    "save_steps": [1, 1_000],
    "max_steps": [1, 500],
    "warmup_steps": [0, 20],
    "lr_scheduler_type": ["constant", "linear"],
    "target_modules": ["attention"],
}


def subject(seed: int) -> dict[str, Any]:
    """Draw a dataset, a model, a device, a preset and up to four overrides."""
    draw = random.Random(seed)  # noqa: S311
    device = draw.choice([*DEVICES.values(), named_device(draw.choice(CARDS).name)])
    if draw.random() < 0.5:
        free = int(device.memory_total * draw.random())
        device = device.model_copy(update={"memory_free": free})
    chosen = draw.sample(sorted(SETS), draw.randint(0, 4))
    return {
        "rows": draw.choice([1, 2, 12, 31, 100, 3_000, 40_000]),
        "measured": 50,
        "longest": draw.choice([5, 64, 300, 2_000, 20_000]),
        "shape": draw.choice(list(SHAPES.values())),
        "device": device,
        "preset": draw.choice(["", "", *(preset.name for preset in PRESETS)]),
        "kernels": frozenset(draw.sample(["flash_attention_2", "flash_attention_3"], 1)),
        "models": [model_of(name, shape) for name, shape in SHAPES.items()],
        "disk_free": draw.choice([GB // 10, 1_000 * GB]),
        **{key: draw.choice(SETS[key]) for key in chosen},
    }


@pytest.mark.parametrize("seed", range(400))
def test_plans_agree_with_themselves(seed: int) -> None:
    wanted = subject(seed)
    try:
        plan = plan_for(**wanted)
    except LoraDeckError:
        assert wanted.keys() & SETS.keys(), "without an override nothing is refused"
        return
    params = plan.training_params
    assert {key: one.value for key, one in plan.choices.items()} == params.model_dump()
    assert check_overrides(params.model_dump()) == params.model_dump()
    assert all(params.model_dump()[key] == wanted[key] for key in wanted.keys() & SETS.keys())
    for key, choice in plan.choices.items():
        assert choice.reason, key
        assert choice.source or choice.overridden, key
    assert plan.train_rows + params.eval_rows == wanted["rows"]
    assert params.effective_batch <= plan.train_rows or plan.train_rows == 1
    assert params.warmup_steps < plan.total_steps
    assert params.eval_rows or not params.early_stopping_patience
    if params.early_stopping_patience:
        evaluations = evaluation_count(plan.total_steps, params.save_steps)
        assert params.early_stopping_patience < evaluations
    assert plan.memory.total == sum(plan.memory.parts.values())
    assert plan.disk_needed == sum(plan.disk_parts.values())
    told = {finding.code: finding for finding in plan.findings if finding.level == "error"}
    assert plan.memory.fits == ("memory" not in told)
    assert all(finding.hint for finding in told.values())
    assert max(columns(line) for line in plan_lines(plan)) <= 80
    if told:
        with pytest.raises(LoraDeckError):
            refuse_impossible(plan)
    else:
        refuse_impossible(plan)


def test_every_parameter_but_a_few_is_drawn() -> None:
    assert len(SETS) > 0.6 * len(TrainingParams.model_fields)
