"""Kinds of work for the tests of jobs, each told by its inputs what to do."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from engine.errors import LoraDeckError
from engine.jobs.spec import JobCancelledError, JobRefusedError
from engine.results.export.types import Exported

if TYPE_CHECKING:
    from engine.jobs.reporter import JobReporter
    from engine.jobs.spec import JobSpec


def work(spec: JobSpec, reporter: JobReporter) -> Exported:
    """Write something half, then do as the inputs say."""
    assert spec.partial is not None
    spec.partial.mkdir()
    (spec.partial / "half").write_text("written")
    reporter.stage("working", 0.2, 0.6)
    made = Exported(format="gguf", path=spec.target)
    what = spec.inputs["do"]
    if what == "fail":
        raise LoraDeckError("Not done", "It cannot be done.", "Try something else.")
    if what == "refuse":
        raise JobRefusedError("Refused", "It speaks otherwise.", "", made)
    if what == "fault":
        raise ValueError("nobody\x1bforesaw")
    if what == "full":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if what in ("wait", "deaf", "muddle"):
        _wait(what, spec.partial)
    if what == "parent":
        child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
        (spec.partial.parent / "child").write_text(str(child.pid))
    if what in ("die", "parent"):
        os.kill(os.getpid(), signal.SIGKILL)
    reporter.commit()
    spec.partial.rename(Path(spec.target))
    return made


def _wait(what: str, partial: Path) -> NoReturn:
    """Wait for an end; a deaf work hears of none, and a muddled one makes another fault of it."""
    if what == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    (partial / "waiting").touch()
    try:
        while True:
            signal.pause()
    except JobCancelledError:
        if what == "muddle":  # as an import does that is broken off
            raise ImportError("half a module") from None
        raise
