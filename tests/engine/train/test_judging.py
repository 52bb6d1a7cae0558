"""What a training is worth is measured at its end, and on the way without changing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import load_file

from engine.results.prompts import load_prompts
from engine.results.report import judge
from engine.results.report.files import load_report
from engine.tasks.events import (
    AdapterSaved,
    AnswersCompared,
    BestKept,
    PhaseEntered,
    ReportFailed,
    ReportMade,
    SampleAnswered,
    StepLogged,
    StopTested,
    TaskCompleted,
    TaskStopped,
)
from engine.train import judging, sampling
from engine.train.adjustments import Adjustments
from engine.train.trainer import train
from tests.engine.train.runs import SETTINGS, Kept, plan_of, spec_of, write_rows

if TYPE_CHECKING:
    from pathlib import Path

    from engine.tasks.events import Event
    from engine.train.spec import TaskSpec

SHORT = {"max_steps": 6, "save_steps": 2}
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty rows of several lengths."""
    return write_rows(tmp_path_factory.mktemp("data") / "rows.jsonl", 40)


@pytest.fixture
def samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let samples be taken, though they cost more than such short steps."""
    monkeypatch.setattr(sampling, "SHARE", 1e6)
    monkeypatch.setattr(sampling, "_LONGEST", 4)
    monkeypatch.setattr(judge, "_MOST_ASKED", 1)


def _spec(folder: Path, rows: Path, model: Path, **more: object) -> TaskSpec:
    """Make a task."""
    return spec_of(plan_of(rows, model, **{**SETTINGS, **more}), folder)


def _run(spec: TaskSpec, kept: Kept | None = None) -> Kept:
    """Train it."""
    kept = kept or Kept()
    train(spec, kept)
    return kept


def _weights(spec: TaskSpec) -> dict[str, torch.Tensor]:
    """Read the finished adapter."""
    return load_file(spec.output / "adapter_model.safetensors")


def _same_weights(one: TaskSpec, other: TaskSpec) -> bool:
    """Tell whether two adapters are the same, bit for bit."""
    weights = _weights(other)
    return all(torch.equal(weight, weights[name]) for name, weight in _weights(one).items())


def test_base_and_adapter_are_judged_on_the_held_out_rows(
    rows: Path, model: Path, tmp_path: Path
) -> None:
    spec = _spec(tmp_path, rows, model)
    kept = _run(spec)
    report = load_report(spec.folder)
    (best,) = kept.of(BestKept)
    assert report.adapter.loss == pytest.approx(best.eval_loss, rel=1e-6)
    assert report.base.loss > report.adapter.loss
    assert (report.judged_on, report.judged_rows) == ("held-out", 8)
    assert 0 <= report.base.token_accuracy < report.adapter.token_accuracy <= 1
    asked = [one.question for one in load_prompts(spec.folder)]
    assert len(report.answers) >= 4
    assert [one.question for one in report.answers] == asked[: len(report.answers)]
    assert [one.step for one in report.train_curve] == list(range(1, 17))
    assert [one.step for one in report.eval_curve] == [5, 10, 15, 16]
    assert (report.steps, report.best_step) == (16, best.step)
    (compared,), (tested,), (made,) = (
        kept.of(AnswersCompared), kept.of(StopTested), kept.of(ReportMade),
    )  # fmt: skip
    assert compared.adapter_answer == report.answers[0].adapter
    assert (tested.asked, tested.ended) == (report.asked, report.ended)
    assert made.adapter_loss == report.adapter.loss
    assert load_report(spec.output) == report
    assert "loss.svg" in (spec.folder / "report.md").read_text(encoding="utf-8")
    assert f"{report.adapter.loss:.4f}" in (spec.output / "README.md").read_text(encoding="utf-8")
    assert (spec.output / "loss.svg").exists()


def test_the_base_is_the_model_without_its_adapter(rows: Path, model: Path, tmp_path: Path) -> None:
    spec = _spec(tmp_path, rows, model, max_steps=1, learning_rate=1e-9)
    _run(spec)
    report = load_report(spec.folder)
    assert report.base.loss == pytest.approx(report.adapter.loss, rel=1e-4)
    assert [one.base for one in report.answers] == [one.adapter for one in report.answers]
    assert "hardly learned" in report.advice


def test_training_rows_are_judged_where_none_are_held_out(
    rows: Path, model: Path, tmp_path: Path
) -> None:
    spec = _spec(tmp_path, rows, model, eval_rows=0, max_steps=3)
    _run(spec)
    report = load_report(spec.folder)
    assert report.judged_on == "training"
    assert report.overfitting == "unknown"
    assert "No rows were held out" in report.advice
    assert "trained on" in (spec.folder / "report.md").read_text(encoding="utf-8")


@pytest.mark.usefixtures("samples")
@pytest.mark.parametrize("more", [{}, {"gradient_checkpointing": True}, {"use_4bit": True}])
def test_samples_change_nothing_of_the_training(
    more: dict[str, object],
    rows: Path,
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with_samples = _spec(tmp_path / "with", rows, model, **{**SHORT, "lora_dropout": 0.1, **more})
    kept = _run(with_samples)
    assert [one.step for one in kept.of(SampleAnswered)] == [2, 4]
    assert {one.question for one in kept.of(SampleAnswered)} == {
        load_prompts(with_samples.folder)[0].question
    }
    monkeypatch.setattr(sampling, "SHARE", 0.0)
    without = spec_of(with_samples.plan, tmp_path / "without")
    plain = _run(without)
    assert not plain.of(SampleAnswered)
    assert [one.loss for one in kept.of(StepLogged)] == [one.loss for one in plain.of(StepLogged)]
    assert _same_weights(with_samples, without)


@pytest.mark.usefixtures("samples")
@pytest.mark.parametrize("held_out", [8, 0])
def test_a_resumed_run_has_all_samples(
    held_out: int, rows: Path, model: Path, tmp_path: Path
) -> None:
    whole = _spec(tmp_path / "whole", rows, model, **SHORT, eval_rows=held_out)
    _run(whole)
    paused = spec_of(whole.plan, tmp_path / "paused")
    _run(paused, Kept(lambda event: isinstance(event, StepLogged) and event.step == 2))
    _run(paused)
    report = load_report(paused.folder)
    assert [one.step for one in report.samples] == [2, 4]
    assert report.samples == load_report(whole.folder).samples
    assert report.sample_question
    assert _same_weights(whole, paused)


def test_a_report_that_fails_costs_no_adapter(
    rows: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("CUDA error: \x1b[2J")

    monkeypatch.setattr(judging, "make_report", fail)
    spec = _spec(tmp_path, rows, model, max_steps=2)
    kept = _run(spec)
    assert kept.of(ReportFailed)[0].reason == "RuntimeError: CUDA error: ␛[2J"
    assert kept.of(AdapterSaved)
    assert kept.of(TaskCompleted)
    assert "not judged" in (spec.output / "README.md").read_text(encoding="utf-8")
    assert not (spec.folder / "report.json").exists()


def _answering(event: Event) -> bool:
    """Tell when base and adapter are about to be asked."""
    return isinstance(event, PhaseEntered) and event.phase == "answering"


def test_a_stop_while_answering_is_made_up_for(rows: Path, model: Path, tmp_path: Path) -> None:
    spec = _spec(tmp_path, rows, model, max_steps=4)
    stopped = _run(spec, Kept(_answering))
    assert stopped.of(TaskStopped)
    assert not spec.output.exists()
    assert not spec.partial.exists()
    assert Adjustments.load(spec.folder).judging == 0
    again = _run(spec)
    assert not again.of(StepLogged)
    assert again.of(ReportMade)
    assert load_report(spec.output).steps == 4


def test_a_process_that_was_killed_twice_while_answering_asks_no_more(
    rows: Path, model: Path, tmp_path: Path
) -> None:
    class Killed(BaseException):
        """What no handler stops, as a kill."""

    class Killing(Kept):
        def report(self, event: Event) -> None:
            super().report(event)
            if isinstance(event, AnswersCompared):
                adjustments = Adjustments.load(spec.folder)
                begun.append(adjustments.judging)
                raise Killed

    begun: list[int] = []
    spec = _spec(tmp_path, rows, model, max_steps=2)
    with pytest.raises(Killed):
        _run(spec, Killing())
    assert begun == [1]
    Adjustments(judging=2).save(spec.folder)
    kept = _run(spec)
    assert "killed twice" in kept.of(ReportFailed)[0].reason
    assert kept.of(TaskCompleted)
    assert spec.output.exists()
