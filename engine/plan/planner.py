"""The planner: decides every parameter of a run, each with a reason. A pure function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.errors import LoraDeckError
from engine.language import tr
from engine.plan import checks, choosing, findings
from engine.plan.advice import advice
from engine.plan.calibration import Calibrations
from engine.plan.disk import disk_parts
from engine.plan.draft import Draft
from engine.plan.duration import predicted_seconds
from engine.plan.fit import Need
from engine.plan.pacing import evaluation_count
from engine.plan.parameters import TrainingParams, check_overrides
from engine.plan.presets import find_preset, fit_preset
from engine.plan.schedule import total_steps
from engine.plan.types import Device, Plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.data.types import Finding, Inspection, Lengths
    from engine.models.types import ModelInfo, ModelShape


@dataclass(frozen=True)
class _Subject:
    """What a plan is made for."""

    need: Need
    rows: int
    disk_free: int
    leave_out: bool
    smaller: Sequence[ModelInfo]

    def disk(self, params: TrainingParams) -> dict[str, int]:
        """Count what the run writes, in bytes by part."""
        return disk_parts(self.need.shape, params, self.need.lengths.estimated_total)


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
    preset: str = "",
    adapter: str = "",
    adapter_params: Mapping[str, Any] | None = None,
    kernels: frozenset[str] = frozenset(),
    models: Sequence[ModelInfo] = (),
    calibrations: Calibrations | None = None,
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
        preset: A named preset whose values go before the rules; empty for none.
        adapter: Names the adapter that the training starts from; empty where it starts anew.
        adapter_params: What that adapter fixes.
        kernels: Attention kernels that are installed beside PyTorch's own.
        models: What else could be trained, to name one where this model does not fit.
        calibrations: What runs on this machine have measured; nothing where it is ``None``.

    Returns:
        The plan; where it cannot run, a finding of level ``error`` says so, and what would.

    Raises:
        LoraDeckError: An override out of range, or against the data, the model, the device or
            another override; an unknown preset; a dataset too small to split; a model without a
            configuration.
    """
    overrides = check_overrides(dict(overrides))
    shape = _shape(model)
    checks.check_against_device(overrides, device)
    checks.check_against_model(overrides, shape)
    need = Need(shape, lengths, device, kernels, calibrations or Calibrations())
    rows = inspection.rows - inspection.faulty
    subject = _Subject(need, rows, disk_free, leave_out, models)
    fitted = fit_preset(find_preset(preset), overrides, rows=rows, shape=shape, device=device)
    checks.check_against_adapter(overrides, adapter_params or {})
    draft = Draft(overrides, fitted, adapter_params or {})
    train_rows = choosing.choose_all(draft, need, rows)
    params = draft.params()
    steps = _steps(train_rows, params)
    _check_whole(overrides, params, need, steps)
    disk = subject.disk(params)
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
        memory=need.memory(params),
        disk_parts=disk,
        disk_needed=sum(disk.values()),
        disk_free=disk_free,
        train_rows=train_rows,
        total_steps=steps,
        seconds=predicted_seconds(need, params, train_rows, steps),
        adapter=adapter,
        preset=fitted.name,
        rows_cut=rows_cut,
        tokens_cut=tokens_cut,
        leave_out=leave_out,
        findings=(
            *findings.weights_finding(model),
            *findings.leave_out(inspection.findings, inspection.rows, asked=leave_out),
            *_findings(subject, params, train_rows, steps),
        ),
    )


def _shape(model: ModelInfo) -> ModelShape:
    """Give the model's sizes."""
    if model.shape is None:
        raise LoraDeckError(
            tr("Model not at hand"),
            tr(
                "The configuration of {name} has not been fetched, so nothing can be planned.",
                name=model.name,
            ),
            tr("Fetch it first: loradeck models pull {name}", name=model.name),
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


def _check_whole(
    overrides: Mapping[str, Any], params: TrainingParams, need: Need, steps: int
) -> None:
    """Refuse overrides that the rest of the plan contradicts."""
    checks.check_schedule(overrides, steps)
    checks.check_attention(overrides, params, need.device, need.kernels)
    checks.check_early_stopping(overrides, params, evaluation_count(steps, params.save_steps))


def _findings(
    subject: _Subject, params: TrainingParams, train_rows: int, steps: int
) -> list[Finding]:
    """Collect what the plan itself has to say, what refuses it first."""
    need = subject.need
    memory = need.memory(params)
    by_row = [*need.lengths.findings, *findings.unanswered_finding(need, params)]
    return [
        *findings.leave_out(by_row, need.lengths.measured, asked=subject.leave_out),
        *findings.memory_finding(need, params, memory, subject.smaller),
        *findings.disk_finding(sum(subject.disk(params).values()), subject.disk_free),
        *findings.cut_finding(need, params),
        *advice(params, need.device, memory, train_rows, steps),
    ]
