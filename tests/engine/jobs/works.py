"""Kinds of work for the tests of jobs, each told by its inputs what to do."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import LoraDeckError
from engine.jobs.spec import JobRefusedError
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
    if what == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if what in ("wait", "deaf"):
        (spec.partial / "waiting").touch()
        while True:
            signal.pause()
    if what == "parent":
        child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
        (spec.partial.parent / "child").write_text(str(child.pid))
    if what in ("die", "parent"):
        os.kill(os.getpid(), signal.SIGKILL)
    reporter.commit()
    spec.partial.rename(Path(spec.target))
    return made
