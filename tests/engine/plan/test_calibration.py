"""What a run measured corrects the next plan of its kind, and of no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.plan.calibration import Calibrations
from engine.plan.memory import estimate
from engine.tasks.events import MemoryProbed
from tests.engine.plan.make import plan_for

if TYPE_CHECKING:
    from pathlib import Path

    from engine.plan.types import Plan

MB = 10**6


def _probed(plan: Plan, *, fixed: int = 0, slope: float = 1.0, tokens: int = 400) -> MemoryProbed:
    """Measure what the memory model expects of a batch, but for so much."""
    assert plan.model.shape
    parts = estimate(
        plan.model.shape,
        plan.training_params.model_copy(update={"batch_size": 1}),
        tokens,
        plan.device,
        trained_share=0.5,
        row_tokens=min(tokens, plan.lengths.longest),
    ).parts
    before = parts["weights"] + parts["adapter"] + parts["framework"] - 200 * MB + fixed
    in_pass = parts["activations"] + parts["logits"] + parts["gradients"]
    return MemoryProbed(
        tokens=tokens,
        trained=tokens // 2,
        predicted=plan.memory.total,
        measured=before + 200 * MB + int(slope * in_pass) + parts["optimizer"],
        fixed=before,
        free=10**12,
    )


def _after(*runs: MemoryProbed, plan: Plan, pace: float | None = None) -> Calibrations:
    """Learn from runs, one after the other."""
    known = Calibrations()
    for probed in runs:
        known = known.with_run(plan, probed, 0, pace, None)
    return known


def test_a_run_as_expected_changes_nothing() -> None:
    plan = plan_for(100)
    known = _after(_probed(plan), plan=plan)
    again = plan_for(100, calibrations=known)
    assert again.memory.measured
    assert again.memory.total == pytest.approx(plan.memory.total, rel=1e-3)


def test_what_was_there_before_and_what_a_pass_took_are_told_apart() -> None:
    plan = plan_for(100)
    known = _after(_probed(plan, fixed=300 * MB, slope=1.5), plan=plan)
    now = plan_for(100, calibrations=known).memory.parts
    assert now["framework"] == pytest.approx(plan.memory.parts["framework"] + 300 * MB)
    assert now["activations"] == pytest.approx(1.5 * plan.memory.parts["activations"], rel=1e-3)
    assert now["weights"] == plan.memory.parts["weights"]


def test_a_small_batch_tells_no_slope_and_a_larger_one_is_believed() -> None:
    plan = plan_for(100)
    assert not any(
        one.tokens
        for one in _after(_probed(plan, tokens=40, slope=2.9), plan=plan).measured.values()
    )
    (found,) = _after(
        _probed(plan, slope=2.5), _probed(plan, slope=1.2, tokens=4_000), plan=plan
    ).measured.values()
    assert (found.slope, found.tokens) == (pytest.approx(1.2, rel=1e-2), 4_000)
    (kept,) = _after(
        _probed(plan, slope=1.2, tokens=4_000), _probed(plan, slope=2.5), plan=plan
    ).measured.values()
    assert kept.tokens == 4_000


def test_a_run_that_had_to_compute_twice_is_told_apart() -> None:
    plan = plan_for(100)
    probed = _probed(plan, slope=0.4).model_copy(update={"gradient_checkpointing": True})
    known = _after(probed, plan=plan)
    assert not plan_for(100, calibrations=known).memory.measured
    assert plan_for(100, calibrations=known, gradient_checkpointing=True).memory.measured


@pytest.mark.parametrize(
    "text",
    ['{"measured": {"a": {"slope": NaN}}}', "[]", "\xff", '{"measured": {"a": {"slope": 1e308}}}'],
)
def test_a_file_with_senseless_values_is_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.json").write_text(text, encoding="latin-1")
    assert Calibrations.load(tmp_path / "c.json") == Calibrations()
    assert Calibrations.load(tmp_path) == Calibrations()


def test_the_highest_slope_is_kept_and_wild_ones_are_bounded() -> None:
    plan = plan_for(100)
    known = _after(_probed(plan, slope=1.4), _probed(plan, slope=1.1), plan=plan)
    (found,) = known.measured.values()
    assert found.slope == pytest.approx(1.4, rel=1e-3)
    (wild,) = _after(_probed(plan, slope=50.0), plan=plan).measured.values()
    assert wild.slope == 3.0


def test_a_peak_above_the_probes_counts() -> None:
    plan = plan_for(100)
    probed = _probed(plan)
    known = Calibrations().with_run(plan, probed, probed.measured + 500 * MB, None, None)
    assert plan_for(100, calibrations=known).memory.total > plan.memory.total + 100 * MB


def test_runs_of_another_kind_are_not_corrected() -> None:
    plan = plan_for(100)
    known = _after(_probed(plan, slope=2.0), plan=plan)
    assert not plan_for(100, calibrations=known, gradient_checkpointing=True).memory.measured


def test_time_comes_from_timed_runs() -> None:
    plan = plan_for(100, eval_rows=0, num_epochs=2)
    assert plan.seconds is None
    known = _after(_probed(plan), plan=plan, pace=0.01)
    again = plan_for(100, calibrations=known, eval_rows=0, num_epochs=2)
    assert again.seconds == pytest.approx(2 * plan.lengths.total * 0.01)
    evaluated = plan_for(100, calibrations=known, eval_rows=10, num_epochs=2, save_steps=5)
    evaluations = -(-evaluated.total_steps // 5)
    share = 2 * 0.9 + evaluations * 0.1 / 3
    assert evaluated.seconds == pytest.approx(share * plan.lengths.total * 0.01)


def test_a_damaged_file_is_as_none(tmp_path: Path) -> None:
    path = tmp_path / "calibrations.json"
    assert Calibrations.load(path) == Calibrations()
    path.write_text("{")
    assert Calibrations.load(path) == Calibrations()
    plan = plan_for(100)
    known = _after(_probed(plan), plan=plan)
    known.save(path)
    assert Calibrations.load(path) == known
