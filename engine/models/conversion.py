"""Turn a GGUF file into a model folder, in a child process: this one loads no torch."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import LoraDeckError
from engine.language import for_child, tr
from engine.models.config import shape_of_gguf
from engine.models.disk import require_space
from engine.models.folders import is_complete
from engine.models.types import Report
from engine.text import fault_of

if TYPE_CHECKING:
    from engine.home import Home

Convert = Callable[[Path, Path, str, str, Report], None]
"""Takes the GGUF file, the folder to make, the origin, a description and where to report."""

_CHILD_ENV = {
    "HF_HUB_OFFLINE": "1",  # everything is in the file
    "TOKENIZERS_PARALLELISM": "false",
    "TQDM_DISABLE": "1",
    "KMP_BLOCKTIME": "0",
    "OMP_WAIT_POLICY": "PASSIVE",
}


def converted_folder(home: Home, gguf: Path) -> Path:
    """Give the place of a GGUF file's converted copy; a changed file gets another one."""
    state = gguf.stat()
    key = f"{gguf.resolve()}\0{state.st_size}\0{state.st_mtime_ns}"
    digest = hashlib.sha256(os.fsencode(key)).hexdigest()[:8]
    return home.models / f"{gguf.stem}-{digest}"


def converted_size(parameters: int) -> int:
    """Estimate a converted model's bytes: bfloat16, and its tokenizer."""
    return 2 * parameters + 20_000_000


def convert_in_process(
    gguf: Path, target: Path, origin: str, description: str, report: Report
) -> None:
    """Convert in a child process; the folder is complete afterwards, or not there.

    Raises:
        LoraDeckError: The child failed; what it wrote is removed.
    """
    report("converting", 0.0)
    command = [sys.executable, "-P", "-m", "engine.models.convert"]
    command += [str(gguf), str(target), origin, description]
    with subprocess.Popen(
        command,
        env=os.environ | _CHILD_ENV | for_child(),
        stdin=subprocess.PIPE,  # it closes when this process ends, and then the child ends too
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as child:
        last = _follow(child, report)
    if child.returncode or not is_complete(target):
        remove_leftovers(target)
        raise _failed(gguf, child.returncode, last)


def make_from_gguf(
    home: Home, gguf: Path, report: Report, *, convert: Convert = convert_in_process
) -> None:
    """Convert a GGUF file once; the caller holds the model's lock.

    Raises:
        DiskFullError: Too little room.
        LoraDeckError: The file is broken, or of an architecture that cannot be converted.
    """
    target = converted_folder(home, gguf)
    if is_complete(target):
        return
    require_space(home.models, converted_size(shape_of_gguf(gguf).parameters))
    remove_leftovers(target)
    convert(gguf, target, str(gguf), gguf.name, report)


def remove_leftovers(target: Path) -> None:
    """Remove what an interrupted conversion left, and a target that is not complete."""
    for stale in target.parent.glob(f".{target.name}.*.partial"):
        shutil.rmtree(stale, ignore_errors=True)
    if target.exists() and not is_complete(target):
        shutil.rmtree(target)


def _follow(child: subprocess.Popen[str], report: Report) -> str:
    """Pass the child's progress on; give the last line that was none."""
    assert child.stdout is not None  # noqa: S101 (a pipe was asked for)
    last = ""
    for line in child.stdout:
        if (step := _step(line)) is not None:
            report("converting", step)
        elif line.strip():
            last = line.strip()
    return last


def _step(line: str) -> float | None:
    """Read a progress line: ``{"progress": 0.5}``."""
    try:
        values: Any = json.loads(line)
        return float(values["progress"])
    except (ValueError, TypeError, KeyError):
        return None


def _failed(gguf: Path, code: int, last: str) -> LoraDeckError:
    """Put a failed conversion into words; -9 is often the kernel short of memory."""
    reason = last or tr("exit code {code}", code=code)
    if code == -9:
        reason = tr("the machine ran out of memory")
    return LoraDeckError(
        tr("GGUF file not converted"),
        fault_of(gguf, reason),
        tr("Choose a file of another architecture, or the model's safetensors version."),
    )
