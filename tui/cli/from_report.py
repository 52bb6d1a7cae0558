"""``loradeck train --from-report``: the same run once more, from what its report says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import LoraDeckError
from engine.language import tr
from engine.plan.own_device import own_device
from engine.server.wire import PlanRequest
from engine.text import visible
from tui.cli.dataset_names import dataset_path
from tui.cli.report import find_report

if TYPE_CHECKING:
    from engine.data.types import Inspection
    from engine.results.report.types import Report
    from engine.server.client import EngineClient


async def request_again(
    client: EngineClient, given: str, dataset: str, overrides: dict[str, Any], device: str = ""
) -> PlanRequest:
    """Ask for the run that a report is on: same rows, base, parameters and start.

    Args:
        given: A report's file, an adapter's folder, or a task.
        dataset: Where the rows lie now; empty for where they lay.
        overrides: What is to be different.
        device: Where to compute instead of where the report's run was told to; empty for there.

    Raises:
        LoraDeckError: There is no such report, its dataset is gone or has changed, or the device
            that was chosen for it is not here.
    """
    report = await find_report(client, given)
    device = device or await _old_device(client, report)
    path = await dataset_path(client, dataset) if dataset else _old_place(report)
    found, mapping = await _inspected(client, path, report)
    if found.sha256 != report.dataset_sha256:
        raise LoraDeckError(
            tr("Dataset changed"),
            tr(
                "{path} is not what '{name}' was trained on: its SHA-256 is {found}…, not {told}….",
                path=visible(path),
                name=visible(report.task_name),
                found=found.sha256[:12],
                told=report.dataset_sha256[:12],
            ),
            tr("Put the old file back, or give its place: loradeck train FILE --from-report …"),
        )
    return PlanRequest(
        dataset_file=path,
        base_model=report.base_model,
        # The engine knows an adapter of its home by name
        adapter=Path(report.started_from).name,
        overrides={**report.training_params, **overrides},
        mapping=mapping,
        leave_out=report.leave_out,
        device=device,
    )


def _old_place(report: Report) -> str:
    """Give where the rows lay.

    Raises:
        LoraDeckError: They lie there no more.
    """
    if not Path(report.dataset_file).exists():
        raise LoraDeckError(
            tr("Dataset gone"),
            tr(
                "{path}, which '{name}' was trained on, is not there any more.",
                path=visible(report.dataset_file),
                name=visible(report.task_name),
            ),
            tr("Give its new place: loradeck train FILE --from-report …"),
        )
    return report.dataset_file


async def _old_device(client: EngineClient, report: Report) -> str:
    """Give what the user had chosen to compute on; empty where the plan chose.

    Raises:
        LoraDeckError: This machine has no such device.
    """
    if report.chosen_device:
        try:
            own_device(report.chosen_device, await client.devices())
        except LoraDeckError as error:
            raise LoraDeckError(
                error.title,
                tr(
                    "'{name}' was trained on {device}, as its user had chosen. {fault}",
                    name=visible(report.task_name),
                    device=visible(report.device),
                    fault=error.message,
                ),
                tr("Choose another: --device CARD; or --device auto to leave it to the plan."),
            ) from error
    return report.chosen_device


async def _inspected(
    client: EngineClient, path: str, report: Report
) -> tuple[Inspection, dict[str, str]]:
    """Look at the rows; the mapping that comes along is needed where they are read otherwise."""
    try:
        found = await client.inspect(path)
    except LoraDeckError:
        if not report.mapping:
            raise
        return await client.inspect(path, report.mapping), report.mapping
    same = found.shape is not None and found.shape.columns == report.mapping
    return found, {} if same else report.mapping
