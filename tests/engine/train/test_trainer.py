"""Whole trainings: what they go through leaves no trace in the result, or is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file

from engine.errors import LoraDeckError
from engine.tasks.events import (
    BestKept,
    CheckpointSaved,
    Evaluated,
    MemoryProbed,
    MicroBatchHalved,
    PhaseEntered,
    RolledBack,
    StepLogged,
    StoppedEarly,
    StopTested,
    TaskCompleted,
    TaskStarted,
    TaskStopped,
)
from engine.train import deck_trainer, passes
from engine.train import probe as probe_module
from engine.train.adjustments import Adjustments
from engine.train.prepare import prepare
from engine.train.trainer import train
from tests.engine.train.runs import SETTINGS, Kept, plan_of, spec_of, write_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engine.tasks.events import Event
    from engine.train.rows import Row

# PEFT and TRL ask transformers by names that are on their way out
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty rows of several lengths."""
    return write_rows(tmp_path_factory.mktemp("data") / "rows.jsonl", 40)


def _train(
    folder: Path, rows: Path, model: Path, reporter: Kept | None = None, **more: object
) -> Kept:
    """Train in a folder."""
    reporter = reporter or Kept()
    train(spec_of(plan_of(rows, model, **{**SETTINGS, **more}), folder), reporter)
    return reporter


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    """Read the finished adapter."""
    return load_file(folder / "adapter" / "adapter_model.safetensors")


def _losses(kept: Kept) -> dict[int, float]:
    """Give the loss of each step, as it was reported last."""
    return {event.step: event.loss for event in kept.of(StepLogged)}


def test_a_run_tells_what_it_does(rows: Path, model: Path, tmp_path: Path) -> None:
    kept = _train(tmp_path, rows, model)
    (probed,) = kept.of(MemoryProbed)
    assert probed.fixed < probed.measured < probed.free
    assert 0 < probed.trained < probed.tokens
    steps = kept.of(StepLogged)
    assert [step.step for step in steps] == list(range(1, 17))
    assert (steps[-1].tokens_left, steps[-1].eval_tokens_left) == (0, kept.of(Evaluated)[-1].tokens)
    assert steps[0].eval_tokens_left == 4 * steps[-1].eval_tokens_left
    assert steps[0].tokens_left > steps[8].tokens_left > 0
    assert all(step.tokens > 0 and step.learning_rate > 0 for step in steps)
    evaluations = kept.of(Evaluated)
    assert [one.step for one in evaluations] == [5, 10, 15, 16]
    (best,) = kept.of(BestKept)
    assert best.eval_loss == min(one.eval_loss for one in evaluations)
    (tested,) = kept.of(StopTested)
    assert 0 <= tested.ended <= tested.asked
    assert tested.asked in (4, 8)  # the second four only where the first were quick
    phases = [event.phase for event in kept.of(PhaseEntered)]
    assert phases == ["preparing", "loading", "training", "saving", "answering"]
    assert kept.of(TaskCompleted)


def test_a_paused_run_goes_on_bit_for_bit(rows: Path, model: Path, tmp_path: Path) -> None:
    whole = _train(tmp_path / "whole", rows, model, lora_dropout=0.1)
    first = Kept(lambda event: isinstance(event, StepLogged) and event.step == 7)
    _train(tmp_path / "paused", rows, model, first, lora_dropout=0.1)
    assert first.of(TaskStopped)[0].step == 8  # the step after the one that asked for it
    second = _train(tmp_path / "paused", rows, model, lora_dropout=0.1)
    assert second.of(TaskStarted)[0].resumed_from == 8
    assert _losses(first) | _losses(second) == _losses(whole)
    for name, weight in _weights(tmp_path / "whole").items():
        assert torch.equal(weight, _weights(tmp_path / "paused")[name])


def test_a_checkpoint_never_goes_before_the_events_that_led_to_it(
    rows: Path, model: Path, tmp_path: Path
) -> None:
    durable: dict[int, int] = {}

    class Looking(Kept):
        """Notes how far the events were durable when a checkpoint had been written."""

        def report(self, event: Event) -> None:
            if isinstance(event, CheckpointSaved):
                durable[event.step] = self.durable
                assert len(self.events) == self.durable
            super().report(event)

    kept = _train(tmp_path, rows, model, Looking(), max_steps=6)
    assert list(durable) == [one.step for one in kept.of(CheckpointSaved)] == [5, 6]
    last = kept.events[durable[5] - 1]
    assert isinstance(last, Evaluated)
    assert last.step == 5


def test_a_resumed_run_stops_as_early_as_one_that_was_not_paused(
    rows: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter([3.0, 1.0, 2.0, 2.5, 2.6, 2.7, 2.8])
    monkeypatch.setattr(passes.Passes, "evaluate", lambda *_: (next(losses), 100))
    early = {"num_epochs": 20, "early_stopping_patience": 3}
    first = Kept(lambda event: isinstance(event, StepLogged) and event.step == 17)
    _train(tmp_path, rows, model, first, **early)
    second = _train(tmp_path, rows, model, **early)
    assert [event.step for event in second.of(Evaluated)] == [20, 25]
    assert [event.step for event in second.of(StoppedEarly)] == [25]


def test_the_best_checkpoint_is_the_result(
    rows: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter([3.0, 1.0, 2.0, 2.5, 2.6, 2.7])
    monkeypatch.setattr(
        passes.Passes,
        "evaluate",
        lambda *_: (next(losses), 100),  # worse and worse after step 10
    )
    kept = _train(
        tmp_path, rows, model, num_epochs=20, early_stopping_patience=3, learning_rate=1e-3
    )
    assert [event.step for event in kept.of(StoppedEarly)] == [25]
    assert [(event.step, event.eval_loss) for event in kept.of(BestKept)] == [(10, 1.0)]
    best = load_file(tmp_path / "task/checkpoints/checkpoint-10/adapter_model.safetensors")
    for name, weight in _weights(tmp_path).items():
        assert torch.equal(weight, best[name])


def test_a_run_that_stopped_early_is_not_trained_on_when_it_is_resumed(
    rows: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter([1.0, 2.0, 2.0, 2.0])
    monkeypatch.setattr(passes.Passes, "evaluate", lambda *_: (next(losses), 100))
    settings = {"num_epochs": 20, "early_stopping_patience": 3}
    first = _train(tmp_path, rows, model, **settings)
    (tmp_path / "adapter").rename(tmp_path / "first")
    again = _train(tmp_path, rows, model, **settings)
    assert not again.of(StepLogged)
    assert again.of(BestKept)[0].step == first.of(BestKept)[0].step == 5
    assert torch.equal(
        next(iter(_weights(tmp_path).values())),
        next(iter(load_file(tmp_path / "first/adapter_model.safetensors").values())),
    )


class Faulty:
    """Passes that fail in the place of an allocator."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, most: int, error: Exception) -> None:
        self.failures = 0
        whole = passes.Passes.loss

        def loss(this: passes.Passes, some: Sequence[Row]) -> torch.Tensor:
            computed = whole(this, some)
            if sum(len(row.input_ids) for row in some) > most and torch.is_grad_enabled():
                self.failures += 1
                raise error
            return computed

        monkeypatch.setattr(passes.Passes, "loss", loss)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ],
)
def test_out_of_memory_halves_the_passes_and_loses_nothing(
    rows: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    settings = {"batch_size": 4, "gradient_accumulation_steps": 1, "lora_dropout": 0.0}
    whole = _train(tmp_path / "whole", rows, model, **settings)
    faulty = Faulty(monkeypatch, most=90, error=error)
    kept = _train(tmp_path / "short", rows, model, **settings)
    assert faulty.failures
    halvings = [event.tokens for event in kept.of(MicroBatchHalved)]
    assert halvings == sorted(halvings, reverse=True)
    assert halvings[-1] <= 90
    assert Adjustments.load(tmp_path / "short/task").pass_tokens == halvings[-1]
    # The same rows in every step, at the same effective batch: only rounding differs
    assert _losses(kept) == pytest.approx(_losses(whole), rel=1e-4)
    tokens = [event.tokens for event in whole.of(StepLogged)]
    assert [event.tokens for event in kept.of(StepLogged)] == tokens


def test_a_probe_that_takes_more_than_is_free_shrinks_the_passes(
    rows: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(rows, model, **SETTINGS, batch_size=4, gradient_accumulation_steps=1)
    free = iter([10_000, 10**12])
    monkeypatch.setattr(probe_module, "_free", lambda: next(free))
    train(spec_of(plan, tmp_path), kept := Kept())
    assert len(kept.of(MicroBatchHalved)) == 1
    assert len(kept.of(MemoryProbed)) == 1
    assert kept.of(TaskCompleted)


def test_out_of_memory_in_mid_run_goes_on_from_the_step_under_way(
    rows: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"batch_size": 4, "gradient_accumulation_steps": 1}

    class Late(Kept):
        def report(self, event: Event) -> None:
            super().report(event)
            if isinstance(event, StepLogged) and event.step == 6:
                Faulty(monkeypatch, most=90, error=MemoryError())

    kept = _train(tmp_path, rows, model, Late(), **settings)
    assert kept.of(MicroBatchHalved)[0].step >= 6
    assert [event.step for event in kept.of(StepLogged)] == list(range(1, 17))
    assert kept.of(TaskCompleted)


def test_a_resumed_run_remembers_what_did_not_fit(
    rows: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"batch_size": 4, "gradient_accumulation_steps": 1}
    faulty = Faulty(monkeypatch, most=90, error=MemoryError())
    stopped = Kept(lambda event: isinstance(event, StepLogged) and event.step == 3)
    _train(tmp_path, rows, model, stopped, **settings)
    failures = faulty.failures
    assert failures
    kept = _train(tmp_path, rows, model, **settings)
    assert faulty.failures == failures
    assert not kept.of(MicroBatchHalved)


def test_out_of_memory_in_an_evaluation_goes_on(
    rows: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, left = passes.Passes.evaluate, [1]

    def evaluate(this: passes.Passes, *more: Any) -> tuple[float, int]:
        if left:
            left.pop()
            raise MemoryError
        return whole(this, *more)

    monkeypatch.setattr(passes.Passes, "evaluate", evaluate)
    kept = _train(tmp_path, rows, model)
    assert len(kept.of(MicroBatchHalved)) == 1
    assert [one.step for one in kept.of(Evaluated)] == [5, 10, 15, 16]


def test_rows_whose_answers_are_cut_off_are_no_steps(model: Path, tmp_path: Path) -> None:
    lines = [{"prompt": "Q" * (5 if n % 4 else 200), "completion": "A"} for n in range(40)]
    dataset = tmp_path / "rows.jsonl"
    dataset.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    plan = plan_of(dataset, model, max_seq_length=64, leave_out=True, **SETTINGS)
    assert plan.train_rows == 30 - 8
    train(spec_of(plan, tmp_path), kept := Kept())
    assert kept.of(StepLogged)[-1].step == plan.total_steps
    assert not kept.of(StoppedEarly)


def test_a_held_out_row_that_is_no_number_is_named(
    rows: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = _held_out(rows, model, tmp_path / "first")
    Poison(monkeypatch, row=held, times=1000, training=False)
    with pytest.raises(LoraDeckError, match=f"row {held} of the dataset"):
        _train(tmp_path / "second", rows, model)


def _held_out(rows: Path, model: Path, folder: Path) -> int:
    """Give the number of a held-out row."""
    prepared = prepare(spec_of(plan_of(rows, model, **SETTINGS), folder), model, Kept())
    assert prepared.evaluation is not None
    return int(prepared.evaluation[0]["row"])


def test_one_row_that_does_not_fit_is_refused_with_words(
    rows: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Faulty(monkeypatch, most=0, error=MemoryError())
    with pytest.raises(LoraDeckError, match=r"One row of \d+ tokens does not fit"):
        _train(tmp_path, rows, model)
    assert Adjustments.load(tmp_path / "task").gradient_checkpointing


def test_other_errors_are_not_taken_for_a_lack_of_memory(
    rows: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Faulty(monkeypatch, most=0, error=RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes do not"):
        _train(tmp_path, rows, model)


class Poison:
    """A row whose loss is no number, so many times; each row at times where none is named."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        *,
        row: int,
        times: float,
        value: float = torch.nan,
        training: bool = True,
    ) -> None:
        self.left = times
        whole = passes.Passes.loss

        def loss(this: passes.Passes, some: Sequence[Row]) -> torch.Tensor:
            computed = whole(this, some)
            asked = torch.is_grad_enabled() or not training
            if self.left > 0 and asked and row in [one.number for one in some]:
                self.left -= 0.5  # the step itself, and the search for the row
                return computed * value
            return computed

        monkeypatch.setattr(passes.Passes, "loss", loss)


def _poisoned(event: Event) -> bool:
    """Tell when the poison begins: after the first checkpoint."""
    return isinstance(event, CheckpointSaved) and event.step == 5


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_a_loss_that_is_no_number_rolls_back_once(
    value: float, rows: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Reporter(Kept):
        def report(self, event: Event) -> None:
            super().report(event)
            if _poisoned(event) and len(self.of(RolledBack)) == 0:
                Poison(monkeypatch, row=12, times=1, value=value)

    kept = _train(tmp_path, rows, model, Reporter())
    (back,) = kept.of(RolledBack)
    assert (back.to_step, back.row) == (back.step // 5 * 5, 12)
    assert kept.of(TaskCompleted)
    first, again = (one for one in kept.of(StepLogged) if one.step == back.to_step + 1)
    assert again.learning_rate == pytest.approx(first.learning_rate / 3)
    assert [one.step for one in kept.of(StepLogged)][-1] == 16
    for weight in _weights(tmp_path).values():
        assert weight.isfinite().all()


def test_a_row_that_does_it_again_is_named(
    rows: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Reporter(Kept):
        def report(self, event: Event) -> None:
            super().report(event)
            if _poisoned(event) and len(self.of(CheckpointSaved)) == 1:
                Poison(monkeypatch, row=12, times=1000)

    kept = Reporter()
    with pytest.raises(LoraDeckError, match="row 12 of the dataset"):
        _train(tmp_path, rows, model, kept)
    assert len(kept.of(RolledBack)) == 1
    # A worker that takes the task up again does not start the whole story anew
    with pytest.raises(LoraDeckError, match="row 12 of the dataset"):
        _train(tmp_path, rows, model, more := Kept())
    assert not more.of(RolledBack)


def test_a_gradient_that_is_no_number_touches_no_weight(
    rows: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = deck_trainer.DeckTrainer.gradients
    left = [1]

    def gradients(this: deck_trainer.DeckTrainer, some: Sequence[Row]) -> torch.Tensor:
        loss = whole(this, some)
        if this.state.global_step == 7 and left:
            left.pop()
            next(one for one in this.model.parameters() if one.grad is not None).grad.fill_(
                torch.nan
            )
        return loss

    monkeypatch.setattr(deck_trainer.DeckTrainer, "gradients", gradients)
    kept = _train(tmp_path, rows, model)
    (back,) = kept.of(RolledBack)
    assert (back.step, back.to_step, back.row) == (7, 5, 0)
    assert kept.of(TaskCompleted)


@pytest.mark.parametrize("setting", ["use_4bit", "gradient_checkpointing"])
def test_other_ways_to_train(setting: str, rows: Path, model: Path, tmp_path: Path) -> None:
    plain = _train(tmp_path / "plain", rows, model, max_steps=3)
    kept = _train(tmp_path / "other", rows, model, max_steps=3, **{setting: True})
    off = 0.05 if setting == "use_4bit" else 1e-5
    assert _losses(kept) == pytest.approx(_losses(plain), rel=off)


def test_the_probe_computes_twice_where_the_run_does(
    rows: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[bool] = []
    backward = passes.Passes.backward

    def watched(this: passes.Passes, *more: Any) -> torch.Tensor:
        calls.append(this._base.is_activation_checkpointing)
        return backward(this, *more)

    monkeypatch.setattr(passes.Passes, "backward", watched)
    _train(tmp_path, rows, model, max_steps=2, gradient_checkpointing=True)
    assert calls == [True, True, True]  # the probe, and two steps


def test_attention_alone_is_trained_where_that_is_asked(
    rows: Path, model: Path, tmp_path: Path
) -> None:
    _train(tmp_path, rows, model, max_steps=2, target_modules="attention")
    layers = {name.split(".")[-3] for name in _weights(tmp_path)}
    assert layers == {"q_proj", "k_proj", "v_proj", "o_proj"}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU with a limited allocator")
def test_a_real_allocator_limit(rows: Path, model: Path, tmp_path: Path) -> None:
    long = write_rows(tmp_path / "long.jsonl", 64, lambda n: "word " * 300)
    settings = {"batch_size": 64, "gradient_accumulation_steps": 1, "max_seq_length": 2048}
    torch.cuda.set_per_process_memory_fraction(0.005)
    try:
        kept = _train(tmp_path, long, model, **settings, eval_rows=0, save_steps=1)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert kept.of(MicroBatchHalved)
    assert kept.of(TaskCompleted)
