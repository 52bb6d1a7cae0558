"""The datasets that lie in the home: finding, adding, removing; and exporting any."""

from __future__ import annotations

import asyncio
import difflib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import sample_datasets
from engine.data.book.names import checked_name, move_to_free
from engine.data.book.process import Reader
from engine.data.book.reports import ExportJob, FetchJob
from engine.data.containers.hub import fetched_dataset, is_hub_id
from engine.data.endings import ENDINGS, PACKED, is_dataset_name
from engine.data.scan_process import inspect_whole
from engine.data.words import shown
from engine.errors import ConflictError, DiskFullError, LoraDeckError, NotFoundError
from engine.files import size_of, sync_folder, sync_tree
from engine.language import listed, tr
from engine.server.book_wire import Exported, FoundDataset
from engine.server.dataset_listing import describe, is_whole_folder
from engine.server.reach import absolute
from engine.text import human_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.data.book.reports import Format, Report
    from engine.home import Home
    from engine.server.book_wire import ExportRequest
    from engine.server.wire import DatasetInfo
    from engine.tasks.record import TaskRecord

_ROOM_LEFT = 100_000_000
_FORMATS: dict[str, Format] = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv", ".parquet": "parquet",
}  # fmt: skip


def find_dataset(home: Home, name: str) -> FoundDataset:
    """Find a dataset of the home, or a sample, by its file's name, with or without its ending.

    Raises:
        NotFoundError: There is none; gives the nearest names.
        ConflictError: Several go by that name.
    """
    there = list(_there(home))
    exact = [one for one in there if one.name == name]
    for found in (exact, [one for one in there if _plain(one.name) == name]):
        own = [one for one in found if not one.sample] or found
        if len(own) > 1:
            names = listed(shown(one.name) for one in own)
            raise ConflictError(
                tr("Name not clear"),
                tr("'{name}' may be {names}.", name=shown(name), names=names),
                tr("Say which."),
            )
        if own:
            return own[0]
    near = difflib.get_close_matches(name, [one.name for one in there], n=3, cutoff=0.5)
    hint = tr("All of them: loradeck datasets")
    if near:
        names = listed(map(shown, near))
        hint = tr("Did you mean {names}? All of them: loradeck datasets", names=names)
    raise NotFoundError(
        tr("Dataset not found"),
        tr("There is no file and no dataset named '{name}'.", name=shown(name)),
        hint,
    )


async def add_dataset(home: Home, origin: str, called: str) -> DatasetInfo:
    """Copy a dataset into the home; it must be readable, though its rows may have faults.

    Args:
        home: Where it is kept.
        origin: An absolute path, or an id of the hub.
        called: The name it gets; empty for its own.

    Raises:
        LoraDeckError: It cannot be read, or the name is of no use.
        ConflictError: The name is taken.
        DiskFullError: There is too little room.
    """
    if is_hub_id(origin):
        if called:
            raise LoraDeckError(
                tr("Name not of use"),
                tr("A dataset of the hub keeps its own name, so that it is found again."),
                tr("Leave --name out."),
            )
        return await _add_from_hub(home, origin)
    source = Path(origin)
    inspection = await inspect_whole(home.cache, source)
    name = checked_name(home.datasets, called or source.name, _ending(source))
    await asyncio.to_thread(_copy, source, home.datasets / name)
    return describe(home.datasets / name, inspection)


async def _add_from_hub(home: Home, name: str) -> DatasetInfo:
    """Download a dataset of the hub into the home; what an interruption left is taken up again."""
    await _run("fetch", FetchJob(path=name, datasets=str(home.datasets)))
    folder = fetched_dataset(home.datasets, name)
    assert folder is not None  # noqa: S101 - it was just fetched
    return describe(folder, await inspect_whole(home.cache, folder))


async def export_dataset(request: ExportRequest) -> Exported:
    """Write a dataset to a file; nothing is written over unless that is asked for.

    Raises:
        LoraDeckError: It cannot be read, or the target is of no use.
        ConflictError: The target is there already.
    """
    source, target = absolute(request.path), absolute(request.target)
    form = request.format or _format_of(target)
    _check_target(source, target, request.force)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".export-") as aside:
        written = Path(aside) / target.name
        job = ExportJob(
            path=str(source), target=str(written), format=form, form=request.form,
            mapping=request.mapping,
        )  # fmt: skip
        done = await _run("export", job)
        written.chmod(0o600)
        await asyncio.to_thread(sync_tree, Path(aside))
        if request.force:
            written.replace(target)
        else:
            _place(written, target)
        sync_folder(target.parent)
    return Exported(
        path=str(target),
        format=form,
        rows=done.rows,
        left_out=done.left_out,
        size_bytes=target.stat().st_size,
    )


def remove_dataset(home: Home, tasks: Sequence[TaskRecord], name: str) -> None:
    """Remove a dataset of the home.

    Raises:
        LoraDeckError: It is no name of anything in a folder.
        NotFoundError: There is none of that name in the home.
        ConflictError: A task that has not ended reads it.
    """
    path = home.dataset(name)
    if name.startswith(".") or not os.path.lexists(path):
        if any(one.name == name and one.sample for one in _there(home)):
            raise ConflictError(
                tr("Sample not removable"),
                tr("'{name}' came with the program.", name=shown(name)),
                "",
            )
        raise NotFoundError(
            tr("Dataset not found"),
            tr("There is no dataset named '{name}' in the home.", name=shown(name)),
            tr("Only those in the home are removed. See: loradeck datasets"),
        )
    for task in tasks:
        if not task.status.ended and Path(task.dataset_file).is_relative_to(path):
            raise ConflictError(
                tr("Dataset in use"),
                tr(
                    "The task '{name}' is {state} and reads '{name_}'.",
                    name=task.task_name,
                    state=tr(task.status),
                    name_=shown(name),
                ),
                tr("Wait for it, or cancel it: loradeck tasks cancel {id}", id=task.id),
            )
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _there(home: Home) -> Iterator[FoundDataset]:
    """Give the datasets of the home, then the samples."""
    samples = Path(str(sample_datasets.__file__)).parent
    for folder, sample in ((home.datasets, False), (samples, True)):
        for path in sorted(folder.iterdir()):
            if path.name.startswith((".", "__")) or (path.is_dir() and sample):
                continue
            if is_whole_folder(path) or is_dataset_name(path.name):
                yield FoundDataset(name=path.name, path=str(path), sample=sample)


def _plain(name: str) -> str:
    """Take a file's endings off its name."""
    for endings in (PACKED, ENDINGS):
        name = next((name.removesuffix(one) for one in endings if name.endswith(one)), name)
    return name


def _ending(path: Path) -> str:
    """Give a file's ending, with what it is packed with; a folder has none."""
    if path.is_dir():
        return ""
    packed = path.suffix.lower() in PACKED
    return "".join(path.suffixes[-2 if packed else -1 :]).lower()


def _copy(source: Path, target: Path) -> None:
    """Copy a file or folder whole, for the user alone."""
    size = size_of(source) if source.is_dir() else source.stat().st_size
    free = shutil.disk_usage(target.parent).free
    if free < size + _ROOM_LEFT:
        raise DiskFullError(
            tr("Too little disk space"),
            tr(
                "{needed} are needed in {folder}, {free} are free.",
                needed=human_bytes(size),
                folder=target.parent,
                free=human_bytes(free),
            ),
            tr("Make room, or put the home on another disk."),
        )
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".adding-") as folder:
        aside = Path(folder) / target.name
        if source.is_dir():
            shutil.copytree(source, aside, copy_function=shutil.copyfile)
        else:
            shutil.copyfile(source, aside)
            aside.chmod(0o600)
        sync_tree(Path(folder))
        _place(aside, target)
    sync_folder(target.parent)


def _place(aside: Path, target: Path) -> None:
    """Give what was written aside its name, over nothing."""
    if aside.is_dir():
        aside.rename(target)
    else:
        move_to_free(aside, target)


def _format_of(target: Path) -> Format:
    """Take the format from the target's ending."""
    found = _FORMATS.get(target.suffix.lower())
    if found is None:
        raise LoraDeckError(
            tr("Format not known"),
            tr(
                "'{name}' does not end in .jsonl, .json, .csv or .parquet.", name=shown(target.name)
            ),
            tr("Give it such an ending, or name the format: --format jsonl"),
        )
    return found


def _check_target(source: Path, target: Path, force: bool) -> None:
    """Refuse to write where something is, or where nothing can be."""
    if not target.parent.is_dir():
        raise NotFoundError(
            tr("Folder not found"),
            tr("There is no folder {folder}.", folder=shown(target.parent)),
            tr("Make it first."),
        )
    if not os.access(target.parent, os.W_OK):
        raise LoraDeckError(
            tr("Folder not writable"),
            tr("{folder} cannot be written.", folder=shown(target.parent)),
            tr("Choose another."),
        )
    if target.is_dir():
        raise ConflictError(
            tr("Target is a folder"),
            tr("{path} is a folder.", path=shown(target)),
            tr("Name a file."),
        )
    if os.path.lexists(target) and not force:
        raise ConflictError(
            tr("File exists"),
            tr("{path} is there already.", path=shown(target)),
            tr("To write over it: --force"),
        )
    if target.exists() and source.exists() and target.samefile(source):
        raise ConflictError(
            tr("Same file"),
            tr("{path} is the dataset itself.", path=shown(target)),
            tr("Choose another target."),
        )


async def _run(what: str, job: ExportJob | FetchJob) -> Report:
    """Do the work in a process of its own; give its last report."""
    reader = await Reader.start(what, job.path, job)
    try:
        while not (report := await reader.report()).complete:
            if report.failure is not None:
                raise report.failure.error()
        return report
    finally:
        await reader.end()
