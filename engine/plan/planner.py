"""The planner: decides every parameter of a run, each with a reason. A pure function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.errors import LoraDeckError
from engine.plan import checks, choosing, findings
from engine.plan.draft import Draft
from engine.plan.fit import Need
from engine.plan.memory import disk_needed
from engine.plan.parameters import TrainingParams, check_overrides
from engine.plan.schedule import total_steps
from engine.plan.types import Device, Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.data.types import Finding, Inspection, Lengths
    from engine.models.types import ModelInfo, ModelShape


@dataclass(frozen=True)
class _Subject:
    """What a plan is made for."""

    need: Need
    rows: int
    disk_free: int
    leave_out: bool

    def disk_needed(self, params: TrainingParams) -> int:
        """Count what the run writes, in bytes."""
        return disk_needed(self.need.shape, params, self.need.lengths.estimated_total)


def make_plan(
    *,
    inspection: Inspection,
    lengths: Lengths,
    model: ModelInfo,
    device: Device,
    overrides: Mapping[str, Any],
    disk_free: int,
    leave_out: bool = False,
    dataset_file: str,
    base_model: str,
) -> Plan:
    """Decide every parameter of a run. Reads nothing and changes nothing.

    Args:
        inspection: Of the dataset; refused earlier where it cannot train.
        lengths: Of its rows, with the model's own template and tokenizer.
        model: The base model; its shape must be known.
        device: Where the run computes, and what is free there now.
        overrides: What the user set; checked here.
        disk_free: Bytes free where the checkpoints go.
        leave_out: Whether the user wants faulty rows left out however many they are.
        dataset_file: As the user named it.
        base_model: As the user named it.

    Returns:
        The plan; where it cannot run, a finding of level ``error`` says so, and what would.

    Raises:
        LoraDeckError: An override out of range, or against the data, the model or the device;
            a dataset too small to split; a model without a configuration.
    """
    overrides = check_overrides(dict(overrides))
    shape = _shape(model)
    checks.check_against_device(overrides, device)
    checks.check_against_model(overrides, shape)
    subject = _Subject(
        Need(shape, lengths, device), inspection.rows - inspection.faulty, disk_free, leave_out
    )
    draft = Draft(overrides)
    train_rows = choosing.choose_all(draft, subject.need, subject.rows)
    params = draft.params()
    steps = _steps(train_rows, params)
    checks.check_schedule(overrides, steps)
    rows_cut, tokens_cut = findings.cut(lengths, params.max_seq_length)
    return Plan(
        base_model=base_model,
        dataset_file=dataset_file,
        training_params=params,
        choices=draft.in_order(),
        model=model,
        dataset=inspection,
        lengths=lengths,
        device=device,
        memory=subject.need.memory(params),
        disk_needed=subject.disk_needed(params),
        disk_free=disk_free,
        train_rows=train_rows,
        total_steps=steps,
        rows_cut=rows_cut,
        tokens_cut=tokens_cut,
        leave_out=leave_out,
        findings=(
            *findings.leave_out(inspection.findings, inspection.rows, asked=leave_out),
            *_findings(subject, params, steps),
        ),
    )


def _shape(model: ModelInfo) -> ModelShape:
    """Give the model's sizes."""
    if model.shape is None:
        raise LoraDeckError(
            "Model not at hand",
            f"The configuration of {model.name} has not been fetched, so nothing can be planned.",
            f"Fetch it first: loradeck models pull {model.name}",
        )
    return model.shape


def _steps(rows: int, params: TrainingParams) -> int:
    """Count the optimizer steps of the run."""
    return total_steps(
        rows,
        params.batch_size,
        params.gradient_accumulation_steps,
        params.num_epochs,
        params.max_steps,
    )


def _findings(subject: _Subject, params: TrainingParams, steps: int) -> list[Finding]:
    """Collect what the plan itself has to say, what refuses it first."""
    need = subject.need
    by_row = [*need.lengths.findings, *findings.unanswered_finding(need, params)]
    return [
        *findings.leave_out(by_row, need.lengths.measured, asked=subject.leave_out),
        *findings.memory_finding(need, params, need.memory(params)),
        *findings.disk_finding(subject.disk_needed(params), subject.disk_free),
        *findings.cut_finding(need, params),
        *findings.advice(params, need.device, steps),
    ]
