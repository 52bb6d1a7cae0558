"""The work of an export: merge, convert, ask, and hand over what speaks like the adapter."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import LoraDeckError
from engine.files import size_of, sync_folder, sync_tree
from engine.jobs.spec import JobRefusedError
from engine.language import tr
from engine.results.export.copying import copy_whole
from engine.results.export.inputs import ExportInputs
from engine.results.export.papers import write_papers
from engine.results.export.types import Exported

if TYPE_CHECKING:
    from engine.jobs.reporter import JobReporter
    from engine.jobs.spec import JobSpec
    from engine.results.export.types import Agreement


def work(spec: JobSpec, reporter: JobReporter) -> Exported:
    """Make what was asked for beside its target, and give it its name when it has passed.

    Raises:
        LoraDeckError: It cannot be made.
        JobRefusedError: It was made, and does not speak like the adapter.
    """
    began = time.monotonic()
    inputs = ExportInputs.model_validate(spec.inputs)
    assert spec.partial is not None  # noqa: S101 - an export has a target
    target, partial = Path(spec.target), spec.partial
    make_room(partial)
    made = partial / "made"
    gate = _make(inputs, partial, made, reporter)
    exported = Exported(
        format=inputs.request.format,
        quantize=inputs.request.quantize if inputs.request.format == "gguf" else "",
        gate=tuple(gate),
        forced=any(not one.passed for one in gate) and inputs.request.force,
        seconds=time.monotonic() - began,
    )
    refuse(exported)
    write_papers(inputs, made, exported, spec.task_id)
    sync_tree(made)
    reporter.commit()
    _name(made, target)
    return exported.model_copy(update={"path": str(target), "size_bytes": size_of(target)})


def refuse(exported: Exported) -> None:
    """Refuse what did not pass the gate, unless that was forced.

    Raises:
        JobRefusedError: With what was found.
    """
    failed = next((one for one in exported.gate if not one.passed), None)
    if failed is None or exported.forced:
        return
    raise JobRefusedError(
        tr("Does not speak like the adapter"),
        f"{failed.name}: {failed.problem}",
        tr("Nothing was written. It can be made anyway (--force)."),
        exported,
    )


def _make(
    inputs: ExportInputs, partial: Path, made: Path, reporter: JobReporter
) -> list[Agreement]:
    """Make what was asked for; give what the gate found of it."""
    if inputs.request.format == "adapter":
        reporter.stage(tr("copying"), 0.0, 1.0)
        copy_whole(inputs, made)
        return []
    # Only here: a copy needs none of the libraries, which take some seconds
    from engine.results.export.forms import Adapter, make_gguf, make_merged

    adapter = Adapter.of(inputs)
    if inputs.request.format == "merged":
        return make_merged(adapter, made, reporter, 1.0).found
    merged = partial / "merged"
    gate = make_merged(adapter, merged, reporter, 0.5)
    made.mkdir(mode=0o700)
    if gate.passed or inputs.request.force:
        make_gguf(adapter, merged, made, gate, reporter)
    return gate.found


def make_room(partial: Path) -> None:
    """Make the folder to write in.

    Raises:
        LoraDeckError: Nothing may be written there.
    """
    try:
        partial.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial.mkdir(mode=0o700)
    except OSError as error:
        raise LoraDeckError(
            tr("Folder not writable"),
            tr(
                "{folder} cannot be written: {reason}.",
                folder=partial.parent,
                reason=error.strerror or error,
            ),
            tr("Name another one (--out)."),
        ) from error


def _name(made: Path, target: Path) -> None:
    """Give what was made its name, unless something has got that meanwhile.

    Raises:
        LoraDeckError: It has.
    """
    if target.exists():
        raise LoraDeckError(
            tr("Folder taken"),
            tr("{path} appeared meanwhile.", path=target),
            tr("Name another one (--out)."),
        )
    made.rename(target)
    sync_folder(target.parent)
