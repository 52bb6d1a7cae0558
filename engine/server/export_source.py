"""Finds the adapter that an export is about, and refuses what cannot be done before it begins."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import ConflictError, LoraDeckError, NotFoundError
from engine.jobs.spec import JobSpec
from engine.language import mark, tr
from engine.models.adapter_fit import holds_adapter
from engine.models.adapters import CONFIG
from engine.models.bases import Bases
from engine.models.catalog import find_model
from engine.models.hub import is_hub_id
from engine.models.scan_adapter import Origin, describe_adapter, read_json
from engine.results.export.inputs import ExportInputs
from engine.results.export.sizes import disk_needed, memory_needed
from engine.results.export.types import DIRECT
from engine.results.prompts import load_prompts
from engine.text import fault_of, visible

if TYPE_CHECKING:
    from engine.home import Home
    from engine.models.found import FoundModel
    from engine.models.types import ModelInfo
    from engine.results.export.types import ExportRequest
    from engine.tasks.record import TaskRecord
    from engine.tasks.store import TaskStore

_UNMERGEABLE = {
    "alora_invocation_tokens": mark(
        "'{name}': it works from certain tokens on (aLoRA), which merged weights cannot do."
    ),
    "layer_replication": mark(
        "'{name}': it uses layers several times, which merged weights cannot do."
    ),
}
_NEEDS_BINDING = mark("Install it: pip install 'loradeck[gguf]'")


def prepare_export(home: Home, store: TaskStore, request: ExportRequest) -> JobSpec:
    """Resolve everything that an export needs.

    Raises:
        NotFoundError: There is no such adapter, or its base is not here.
        ConflictError: Its task has not ended, or something lies where the export would go.
        LoraDeckError: The adapter or its base is of no use, or the format cannot carry it.
    """
    folder = _folder(home, store, request.source)
    found = describe_source(home, store, folder)
    inputs = _inputs(home, request, found)
    target = _target(home, inputs)
    base = Path(inputs.base)
    size = sum(one.stat().st_size for one in base.glob("*.safetensors")) if inputs.base else 0
    needs = request.format, request.quantize, size, found.size_bytes, inputs.parameters
    return JobSpec(
        kind="export",
        title=tr("{name} as {form}", name=inputs.name, form=inputs.form),
        task_id=found.task_id if found.task_name else "",
        inputs=inputs.model_dump(mode="json"),
        request=request,
        target=str(target),
        memory=memory_needed(request.format, inputs.parameters),
        disk=disk_needed(*needs),
    )


def describe_source(home: Home, store: TaskStore, folder: Path) -> FoundModel:
    """Say what an adapter's folder holds and on which base it stands.

    Raises:
        LoraDeckError: It cannot be used.
    """
    tasks = {task.id: (task.task_name, task.base_model) for task in store.all()}
    names = {path.name for path in folder.iterdir()}
    found = describe_adapter(folder, names, Bases(home), Origin.read(folder, tasks))
    if found.problem:
        raise LoraDeckError(
            tr("Adapter not usable"),
            tr("'{name}': {problem}.", name=visible(found.name), problem=found.problem),
            tr("Choose another one: loradeck models scan"),
        )
    return found


def _folder(home: Home, store: TaskStore, source: str) -> Path:
    """Find the folder of an adapter: by path, by its own name, or by the task that made it."""
    if Path(source).is_absolute():
        folder = Path(source)
    elif source and "/" not in source and _is_adapter(own := home.adapter(source)):
        folder = own
    else:
        task = _task(store, source)
        task.require_adapter()
        folder = home.adapter(task.task_name)
    if not _is_adapter(folder):
        raise NotFoundError(
            tr("No such adapter"),
            tr("There is no {file} in {folder}.", file=CONFIG, folder=visible(str(folder))),
            tr("Adapters that are here: loradeck models scan"),
        )
    return folder


def _task(store: TaskStore, source: str) -> TaskRecord:
    """Find the task that is meant.

    Raises:
        NotFoundError: There is none, nor an adapter of that name.
    """
    try:
        return store.find(source)
    except NotFoundError as error:
        raise NotFoundError(
            tr("No such adapter"),
            tr("There is no task and no adapter '{source}'.", source=visible(source)),
            tr("List them: loradeck tasks; loradeck models scan"),
        ) from error


def _is_adapter(folder: Path) -> bool:
    """Tell whether a folder is an adapter's, and not one that is still being written."""
    return not folder.name.startswith(".") and holds_adapter(folder)


def _inputs(home: Home, request: ExportRequest, found: FoundModel) -> ExportInputs:
    """Put together what the job needs, and refuse what the format cannot carry."""
    base = Bases(home).find(found.base) if found.base_here else None
    config = read_json(Path(found.path) / CONFIG)
    if request.format != "adapter":
        _refuse_unmergeable(found, config)
        if base is None:
            raise _refuse_missing(home, found)
        _check_prompts(Path(found.path))
    if request.format == "gguf":
        _refuse_unchecked(request)
    return ExportInputs(
        request=request,
        name=found.name,
        adapter=found.path,
        base=base.path or "" if base else "",
        base_name=_known_name(found, base, config),
        parameters=base.shape.parameters if base and base.shape else 0,
    )


def _known_name(found: FoundModel, base: ModelInfo | None, config: dict[str, Any]) -> str:
    """Name the base so that it means something elsewhere: a path of this machine does not."""
    named = str(config.get("base_model_name_or_path") or "")
    if is_hub_id(named):
        return named
    return base.name if base and not Path(base.name).is_absolute() else Path(found.base).name


def _refuse_unmergeable(found: FoundModel, config: dict[str, Any]) -> None:
    """Refuse an adapter that no merged weights can stand for."""
    for key, words in _UNMERGEABLE.items():
        if config.get(key):
            raise LoraDeckError(
                tr("Adapter not mergeable"),
                tr(words, name=visible(found.name)),
                tr("Export it as adapter (--format adapter)."),
            )


def _check_prompts(folder: Path) -> None:
    """Refuse an adapter whose prompts are damaged; it need not have any.

    Raises:
        LoraDeckError: They are.
    """
    try:
        load_prompts(folder)
    except NotFoundError:
        return


def _refuse_missing(home: Home, found: FoundModel) -> LoraDeckError:
    """Say why a base cannot be used: it is not here, or what the catalog has against it."""
    name = visible(found.base)
    try:
        find_model(home, found.base)
    except NotFoundError:
        pass
    except LoraDeckError as error:
        return error
    if Path(found.base).is_absolute():
        hint = tr("Put it back there; or export it as adapter.")
    else:
        hint = tr("Fetch it: loradeck models pull {name}; or export it as adapter.", name=name)
    return NotFoundError(
        tr("Base model not here"),
        tr(
            "'{name}' stands on {base}, which is not on this machine.",
            name=visible(found.name),
            base=name,
        ),
        hint,
    )


def _refuse_unchecked(request: ExportRequest) -> None:
    """Refuse a GGUF file that cannot be asked here, or not be made at all."""
    if importlib.util.find_spec("xllamacpp") is not None:
        return
    if request.quantize not in DIRECT:
        raise LoraDeckError(
            tr("Quantizer not installed"),
            tr("{kind} is made by llama.cpp, which is not installed here.", kind=request.quantize),
            tr(_NEEDS_BINDING),
        )
    if not request.force:
        raise LoraDeckError(
            tr("GGUF cannot be checked"),
            tr("Without llama.cpp here nobody can tell whether the file speaks like the adapter."),
            tr("Install it: pip install 'loradeck[gguf]'; or have it unchecked (--force)."),
        )


def _target(home: Home, inputs: ExportInputs) -> Path:
    """Give the folder to make.

    Raises:
        ConflictError: Something lies there.
        LoraDeckError: It is no place for a folder.
    """
    out = inputs.request.out
    target = Path(out) if out else home.export(f"{inputs.name}-{inputs.form.replace(' ', '-')}")
    try:
        taken = target.exists() or target.is_symlink()
        # Two ways of writing one place are one place; "x/.." is there only when x is
        target = Path(os.path.realpath(target))
        taken = taken or target.exists()
    except OSError as error:
        raise LoraDeckError(
            tr("Folder not usable"),
            fault_of(visible(str(target)), error.strerror),
            tr("Name another one."),
        ) from error
    if taken:
        raise ConflictError(
            tr("Folder taken"),
            tr("{path} is there already.", path=visible(str(target))),
            tr("Remove it, or name another one (--out FOLDER)."),
        )
    if blocked := next((one for one in target.parents if one.exists() and not one.is_dir()), None):
        raise LoraDeckError(
            tr("Folder not usable"),
            tr("{path} is a file.", path=visible(str(blocked))),
            tr("Name another one (--out)."),
        )
    return target
