"""Puts a report together, once the training has ended and its result is in memory."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib.metadata import version
from platform import python_version
from statistics import mean
from typing import TYPE_CHECKING, Any

from engine.language import speaking
from engine.plan.device_names import choice_of
from engine.results.report.advice import advise
from engine.results.report.curves import eval_curve, overfitting, samples, train_curve
from engine.results.report.judge import judge_answers, judge_rows, rows_to_judge
from engine.results.report.types import Report
from engine.tasks.events import AnswersCompared, ReportMade
from engine.text import human_bytes
from engine.train.probe import peak_memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from transformers import PreTrainedTokenizerBase

    from engine.results.report.judge import Answers
    from engine.results.report.types import JudgedAnswer
    from engine.train.deck_trainer import DeckTrainer
    from engine.train.prepare import Prepared
    from engine.train.spec import Reporter, TaskSpec

PACKAGES = ("torch", "transformers", "trl", "peft", "bitsandbytes", "loradeck")
"""Those whose versions a run hangs on."""


@dataclass(frozen=True)
class Trained:
    """A training that has come to its end."""

    spec: TaskSpec
    prepared: Prepared
    trainer: DeckTrainer
    tokenizer: PreTrainedTokenizerBase
    seconds: float
    """How long it took until here."""
    loss: float
    """Of the last epoch's steps, averaged."""


def make_report(trained: Trained, reporter: Reporter) -> Report:
    """Judge base and adapter, and lay out all that is known of the run; tells what it finds.

    Raises:
        StoppedError: The worker was asked to stop meanwhile.
    """
    began = time.monotonic()
    scores = _scores(trained, lambda: reporter.stop_requested)
    said = judge_answers(
        trained.trainer,
        trained.tokenizer,
        trained.prepared.prompts,
        trained.seconds,
        lambda: reporter.stop_requested,
    )
    if said.judged:
        reporter.report(_compared(said.judged[0]))
    if said.stop:
        reporter.report(said.stop)
    report = Report.model_validate(
        {**_of_run(trained), **_of_plan(trained.spec), **scores, **_answered(said), "advice": ""}
    )
    with speaking("en"):  # as its documents
        report = report.model_copy(update={"advice": advise(report)})
    reporter.report(
        ReportMade(
            judged_on=report.judged_on,
            base_loss=report.base.loss,
            adapter_loss=report.adapter.loss,
            advice=advise(report),
            seconds=time.monotonic() - began,
        )
    )
    return report


def _scores(trained: Trained, broken: Callable[[], bool]) -> dict[str, Any]:
    """Judge held-out rows, or else some of those that were trained."""
    prepared, trainer = trained.prepared, trained.trainer
    tokens = prepared.summary.tokens * float(trainer.state.epoch or 0.0)
    seed = trained.spec.plan.training_params.seed
    rows = rows_to_judge(prepared.evaluation or prepared.train, tokens, seed)
    base, adapter = judge_rows(trainer, rows, broken)
    return {
        "judged_on": "held-out" if prepared.evaluation else "training",
        "judged_rows": len(rows),
        "judged_tokens": sum(row.trained for row in rows),
        "base": base,
        "adapter": adapter,
    }


def _answered(said: Answers) -> dict[str, Any]:
    """Sum the answers up."""
    judged, stop = said.judged, said.stop
    return {
        "answers": judged,
        "base_chrf": mean(one.base_chrf for one in judged) if judged else None,
        "adapter_chrf": mean(one.adapter_chrf for one in judged) if judged else None,
        "exact_of": sum(one.short for one in judged),
        "base_exact": sum(one.base_exact for one in judged),
        "adapter_exact": sum(one.adapter_exact for one in judged),
        "ended": stop.ended if stop else 0,
        "asked": stop.asked if stop else 0,
        "longest_answer": stop.limit if stop else 0,
    }


def _of_run(trained: Trained) -> dict[str, Any]:
    """Say what the training went through."""
    state = trained.trainer.state
    train, held_out = train_curve(state.log_history), eval_curve(state.log_history)
    then = samples(state.log_history)
    return {
        "created_at": time.time(),
        "seconds": trained.seconds,
        "steps": state.global_step,
        "best_step": state.best_global_step or state.global_step,
        "train_loss": trained.loss,
        "train_curve": train,
        "eval_curve": held_out,
        "overfitting": overfitting(train, held_out),
        "samples": then,
        "sample_question": trained.prepared.prompts[0].question if then else "",
        "peak_memory": peak_memory(),
        "versions": {"python": python_version(), **{name: version(name) for name in PACKAGES}},
    }


def _of_plan(spec: TaskSpec) -> dict[str, Any]:
    """Say what it takes to train the same again."""
    plan, dataset = spec.plan, spec.plan.dataset
    return {
        "task_id": spec.task_id,
        "task_name": spec.task_name,
        "base_model": plan.base_model,
        "training_params": plan.training_params.model_dump(mode="json"),
        "dataset_file": plan.dataset_file,
        "dataset_type": dataset.dataset_type,
        "dataset_sha256": dataset.sha256,
        "dataset_rows": dataset.rows,
        "mapping": dataset.shape.columns if dataset.shape else {},
        "leave_out": plan.leave_out,
        "started_from": plan.adapter,
        "device": f"{plan.device.name}, {human_bytes(plan.device.memory_total)} of memory",
        "chosen_device": choice_of(plan.device),
    }


def _compared(first: JudgedAnswer) -> AnswersCompared:
    """Tell the first answers."""
    return AnswersCompared(
        question=first.question,
        reference=first.reference,
        base_answer=first.base,
        adapter_answer=first.adapter,
    )
