"""``loradeck plan`` and ``loradeck train``."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import LoraDeckError
from engine.language import listed, tr
from engine.plan.own_device import asked_device, own_device
from engine.plan.parameters import parse_overrides
from engine.plan.presets import PRESETS, find_preset
from engine.plan.text import plan_lines
from engine.server.wire import PlanRequest, TrainRequest
from engine.tasks.record import check_task_name
from tui.cli.dataset_names import Dataset, dataset_path
from tui.cli.follow import follow_to_end, settle_interrupt
from tui.cli.from_report import request_again
from tui.cli.options import LeaveOut, Maps, mapping_of
from tui.cli.output import Json, JsonEvents, print_json, print_json_line, print_text
from tui.cli.pulling import ensure_model
from tui.cli.session import model_name, with_engine

if TYPE_CHECKING:
    from engine.plan.own_device import FindsDevice
    from engine.plan.types import Plan
    from engine.server.client import EngineClient
    from engine.tasks.record import TaskRecord

TRAIN_EXAMPLE = "Example: loradeck train rows.json --model demo --name my-first --set num_epochs=5"
PLAN_EXAMPLE = (
    "Example: loradeck plan rows.json --model demo --device 'RTX 3060 6GB' --set lora_rank=8"
)

Model = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        show_default=False,
        help="demo, a name from 'loradeck models', a folder, a GGUF file or a hub id.",
    ),
]
From = Annotated[
    str,
    typer.Option(
        "--from",
        metavar="TASK",
        show_default=False,
        help="Train the adapter of a completed task further, or one of the home by its name; "
        "its base need not be named.",
    ),
]
FromReport = Annotated[
    str,
    typer.Option(
        "--from-report",
        metavar="FILE|TASK",
        show_default=False,
        help="Do the run once more that a report is on: a report.json, an adapter's folder, or a "
        "task. FILE says where its dataset lies now.",
    ),
]
Name = Annotated[
    str, typer.Option("--name", "-n", show_default=False, help="The task's and its adapter's name.")
]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        "-s",
        metavar="KEY=VALUE",
        help="Override a parameter of the plan; may be given several times.",
    ),
]
Preset = Annotated[
    str,
    typer.Option(
        "--preset",
        metavar="NAME",
        show_default=False,
        help="Start from named values rather than the rules: "
        + ", ".join(preset.name for preset in PRESETS)
        + ".",
    ),
]
PlanDevice = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="CARD",
        show_default=False,
        help="Plan for a card of this machine, by number, name or UUID, for cpu, or for a card "
        "that is not here: 'RTX 3060 6GB', 'memory=24GB,capability=8.9'.",
    ),
]
TrainDevice = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="CARD",
        show_default=False,
        help="Train on this card and no other, by its number, name or UUID, or on cpu; auto leaves "
        "it to the plan.",
    ),
]
Detach = Annotated[bool, typer.Option("--detach", "-d", help="Start the task and return.")]


def plan(
    dataset: Dataset,
    model: Model = "",
    overrides: Sets = None,
    maps: Maps = None,
    *,
    adapter: From = "",
    device: PlanDevice = "",
    preset: Preset = "",
    leave_out: LeaveOut = False,
    json: Json = False,
) -> None:
    """Show every parameter of a run with its reason; nothing is started."""
    request = _request(
        dataset, model, overrides, maps, leave_out=leave_out, preset=preset, adapter=adapter
    )
    request.device = device
    made = with_engine(lambda client: _plan(client, request, asked_device, quiet=json))
    if json:
        print_json(made)
    else:
        _print_plan(made)


def train(
    dataset: Dataset = "",
    model: Model = "",
    overrides: Sets = None,
    maps: Maps = None,
    *,
    name: Name,
    adapter: From = "",
    from_report: FromReport = "",
    device: TrainDevice = "",
    preset: Preset = "",
    leave_out: LeaveOut = False,
    detach: Detach = False,
    json: JsonEvents = False,
) -> None:
    """Train an adapter, and follow it until it is done.

    The training runs in the engine: it goes on when this command or its terminal ends.
    Exit status: 0 completed, 1 failed, 2 bad input, 130 interrupted.
    """
    named = check_task_name(name)
    if from_report:
        _refuse_beside_report(model, adapter, preset, maps, leave_out=leave_out)
        changes = parse_overrides(overrides or [])
        wanted = with_engine(
            lambda client: request_again(client, from_report, dataset, changes, device)
        )
    else:
        wanted = _request(
            dataset, model, overrides, maps, leave_out=leave_out, preset=preset, adapter=adapter
        )
        wanted.device = device
    request = TrainRequest(task_name=named, **wanted.model_dump())
    created: list[TaskRecord] = []
    try:
        with_engine(lambda client: _start(client, request, created, quiet=json))
    except KeyboardInterrupt:
        if created:
            settle_interrupt(created[0])
        raise typer.Exit(130) from None
    task = created[0]
    if json:
        print_json_line({"type": "task_created", "task": task.model_dump(mode="json")})
    elif detach:
        told = {"id": task.id, "name": task.task_name, "state": tr(task.status)}
        print_text(
            tr("Task {id} '{name}' is {state}. Follow it with: loradeck tasks follow {id}", **told)
        )
    if detach:
        return
    follow_to_end(task, json=json)


def _request(
    dataset: str,
    model: str,
    overrides: list[str] | None,
    maps: list[str] | None,
    *,
    leave_out: bool,
    preset: str,
    adapter: str,
) -> PlanRequest:
    """Check what can be checked before a model is fetched; only the engine knows the datasets."""
    find_preset(preset)
    if not dataset:
        raise LoraDeckError(
            tr("Dataset missing"),
            tr("Say which file to train on."),
            tr("For example: loradeck train rows.json --model demo --name my-first"),
        )
    if not (model or adapter):
        raise LoraDeckError(
            tr("Base model missing"),
            tr("Say which base model to train."),
            tr("For example: --model demo; or --from TASK to train its adapter further."),
        )
    return PlanRequest(
        dataset_file=dataset,
        base_model=model_name(model) if model else "",
        adapter=adapter,
        overrides=parse_overrides(overrides or []),
        mapping=mapping_of(maps),
        leave_out=leave_out,
        preset=preset,
    )


def _refuse_beside_report(
    model: str, adapter: str, preset: str, maps: list[str] | None, *, leave_out: bool
) -> None:
    """Refuse what would make it another run; single parameters may be set."""
    given = {
        "--model": model,
        "--from": adapter,
        "--preset": preset,
        "--map": maps,
        "--leave-out": leave_out,
    }
    if beside := [option for option, value in given.items() if value]:
        raise LoraDeckError(
            tr("Options do not fit together"),
            tr("--from-report says all that {options} would.", options=listed(beside)),
            tr("Leave one of them out; --set changes a parameter."),
        )


async def _plan(
    client: EngineClient, request: PlanRequest, find: FindsDevice, *, quiet: bool
) -> Plan:
    """Find the device and inspect the dataset before a model is fetched for it, then plan."""
    if request.device:
        find(request.device, await client.devices())
    request.dataset_file = await dataset_path(client, request.dataset_file)
    await client.inspect(request.dataset_file, request.mapping)
    # A folder is here already; one without weights can be planned for
    if request.base_model and not _is_folder(request.base_model):
        await ensure_model(client, request.base_model, quiet=quiet)
    return await client.plan(request)


def _is_folder(model: str) -> bool:
    """Tell whether a model is given by a folder's path."""
    return Path(model).is_dir()


async def _start(
    client: EngineClient, request: TrainRequest, created: list[TaskRecord], *, quiet: bool
) -> None:
    """Show the plan, then create the task; an interrupt meanwhile does not leave it unknown."""
    made = await _plan(client, request, own_device, quiet=quiet)
    if not quiet:
        _print_plan(made)
    creating = asyncio.ensure_future(client.train(request))
    try:
        created.append(await asyncio.shield(creating))
    except asyncio.CancelledError:
        created.append(await creating)
        raise


def _print_plan(made: Plan) -> None:
    """Print a plan for people."""
    for line in plan_lines(made):
        print_text(line)
