"""Datasets: list, upload, inspect."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter, UploadFile

import sample_datasets
from engine.data.inspect import inspect_dataset, refuse_errors
from engine.data.types import Inspection
from engine.errors import DiskFullError, LoraDeckError
from engine.server.context import Service
from engine.server.service import absolute
from engine.server.wire import DatasetInfo, PathRequest

if TYPE_CHECKING:
    from typing import BinaryIO

router = APIRouter(tags=["datasets"])
_ENDINGS = (".json", ".jsonl")
_NAME_BYTES = 200
_ROOM_LEFT = 100_000_000


@router.get("/datasets")
async def datasets(service: Service) -> list[DatasetInfo]:
    """The datasets in the home, then the samples."""
    samples = Path(sample_datasets.__file__).parent
    return await asyncio.to_thread(
        lambda: [*_listed(service.home.datasets, sample=False), *_listed(samples, sample=True)]
    )


@router.post("/datasets/inspect")
async def inspect(request: PathRequest) -> Inspection:
    """Detect a dataset's format and check its rows."""
    return await asyncio.to_thread(inspect_dataset, absolute(request.path))


@router.post("/upload-dataset", status_code=201)
async def upload(service: Service, file: UploadFile) -> DatasetInfo:
    """Keep a dataset in the home; one that cannot train is refused and leaves nothing behind."""
    return await asyncio.to_thread(_keep, service.home.datasets, file.filename or "", file.file)


def _keep(folder: Path, name: str, content: BinaryIO) -> DatasetInfo:
    """Write an upload aside, look at it, then give it a name that is free."""
    name = re.sub(r"[^\w.\- ]", "_", Path(name.replace("\\", "/")).name).lstrip(".")
    while len(name.encode()) > _NAME_BYTES:
        name = name[1:]
    if not name.endswith(_ENDINGS):
        raise LoraDeckError(
            "File not of use",
            f"'{name}' does not end in .json or .jsonl.",
            "Give the file its right ending.",
        )
    with tempfile.TemporaryDirectory(dir=folder, prefix=".upload-") as aside:
        path = Path(aside) / name
        with path.open("wb") as target:
            shutil.copyfileobj(content, target)
            if shutil.disk_usage(folder).free < _ROOM_LEFT:
                raise DiskFullError(
                    "Disk full",
                    f"There is too little room in {folder}.",
                    "Remove what you do not need, then upload again.",
                )
            os.fsync(target.fileno())
        try:
            refuse_errors(inspect_dataset(path))
        except LoraDeckError as error:  # named as its owner knows it
            words = error.message.replace(str(path), name)
            raise LoraDeckError(error.title, words, error.hint) from error
        path.chmod(0o600)
        return _describe(path.rename(_free(folder / name)), sample=False)


def _free(path: Path) -> Path:
    """Number a name that is taken."""
    candidate, number = path, 2
    while candidate.exists():
        candidate = path.with_stem(f"{path.stem}-{number}")
        number += 1
    return candidate


def _listed(folder: Path, *, sample: bool) -> list[DatasetInfo]:
    """Describe the dataset files that lie in a folder."""
    files = sorted(
        path
        for path in folder.iterdir()
        if path.suffix in _ENDINGS and not path.name.startswith(".")
    )
    return [_describe(path, sample=sample) for path in files]


def _describe(path: Path, *, sample: bool) -> DatasetInfo:
    """Look at one dataset; a fault is told, not raised."""
    entry = DatasetInfo(
        name=path.name,
        path=str(path),
        size_bytes=path.stat().st_size,
        sample=sample,
        dataset_type=None,
        rows=0,
    )
    try:
        found = inspect_dataset(path)
    except LoraDeckError as error:
        return entry.model_copy(update={"problem": error.message})
    return entry.model_copy(update={"dataset_type": found.dataset_type, "rows": found.rows})
