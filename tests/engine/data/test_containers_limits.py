"""Files made to fill memory or time are refused, at once and with a reason."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.engine.data.hostile import BOMBS

if TYPE_CHECKING:
    from pathlib import Path

# A process of its own, so that its memory is its own
_READ = """
import json, resource, sys, time
from pathlib import Path
from engine.data.containers.source import open_source
from engine.errors import LoraDeckError

start = time.monotonic()
try:
    list(None for _ in open_source(Path(sys.argv[1])).rows())
    told = None
except LoraDeckError as error:
    told = [error.title, error.message, error.hint]
try:  # what getrusage says on Linux goes back to before the exec
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
except OSError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([told, time.monotonic() - start, peak]))
"""


@pytest.mark.parametrize("name", BOMBS)
def test_refused_with_a_reason_in_little_memory(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    BOMBS[name](path)
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(path)], capture_output=True, text=True, check=False
    )
    path.unlink()
    assert done.returncode == 0, done.stderr[-2000:]
    told, seconds, peak = json.loads(done.stdout)
    assert told is not None, "read to its end"
    title, message, hint = told
    assert title
    assert name in message
    assert hint
    assert seconds < 5
    assert peak < 400_000_000
