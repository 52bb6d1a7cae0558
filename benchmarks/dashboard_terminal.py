"""The dashboard on a terminal: its first frame, its rest, and its answer to a key."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING

from benchmarks.terminals import opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.terminals import Terminal

LORADECK = Path(sys.executable).with_name("loradeck")
RUNS = 7
_REST = 30.0  # seconds
_KEYS = 300
_WORKERS_NICE = 10  # as a training's worker
_SPIN = "import os; os.nice({nice})\nwhile True: sum(range(100000))"


def first_frame() -> dict[str, float]:
    """Compare the processor time to the first frame, in turn; medians."""
    ours, empty = [], []
    with _home() as home:
        for _ in range(RUNS):
            ours.append(_cpu_until([str(LORADECK)], b"New training", home))
            empty.append(_cpu_until([sys.executable, "-m", "benchmarks.empty_app"], b"Quit", home))
    return {
        "first_frame_ratio": median(ours) / median(empty),
        "first_frame_cpu_ms": 1000 * median(ours),
        "empty_app_cpu_ms": 1000 * median(empty),
    }


def idle() -> dict[str, float]:
    """Take the share of a core that Home uses while nothing happens, in percent."""
    with _home() as home, _ready(home) as terminal:
        before, began = terminal.cpu(), time.monotonic()
        while time.monotonic() < began + _REST:
            terminal.read(1.0)
        return {"idle_share": 100 * (terminal.cpu() - before) / (time.monotonic() - began)}


def keys() -> dict[str, float]:
    """Time keys to what they paint, in milliseconds, while two niced processes use both cores."""
    with _home() as home, _busy(), _ready(home) as terminal:
        times = []
        for number in range(_KEYS):
            began = time.perf_counter()
            terminal.press(b"j" if number % 6 < 3 else b"k")
            if not terminal.read(5.0):
                raise TimeoutError("a key painted nothing")
            times.append(1000 * (time.perf_counter() - began))
            terminal.rest(0.03)
    percentiles = quantiles(times, n=100)
    return {"key_p50": percentiles[49], "key_p99": percentiles[98], "key_longest": max(times)}


def _cpu_until(command: list[str], words: bytes, home: Path) -> float:
    """Take the processor time until words are drawn."""
    with opened(command, LORADECK_HOME=str(home)) as terminal:
        terminal.until(words)
        return terminal.cpu()


@contextmanager
def _ready(home: Path) -> Iterator[Terminal]:
    """Have Home on a terminal, connected and at rest."""
    with opened([str(LORADECK)], LORADECK_HOME=str(home)) as terminal:
        terminal.until(b"Engine ready")
        terminal.rest(2.0)
        yield terminal


@contextmanager
def _home() -> Iterator[Path]:
    """Have a home whose engine runs."""
    with tempfile.TemporaryDirectory(prefix="loradeck-") as folder:
        environment = {**os.environ, "LORADECK_HOME": folder, "LORADECK_SPARE_WORKER": "false"}
        subprocess.run([LORADECK, "tasks"], check=True, env=environment, stdout=subprocess.DEVNULL)
        try:
            yield Path(folder)
        finally:
            stop = [LORADECK, "engine", "stop"]
            subprocess.run(stop, check=True, env=environment, stdout=subprocess.DEVNULL)


@contextmanager
def _busy() -> Iterator[None]:
    """Use both cores as a training does: at a lower priority."""
    spin = [sys.executable, "-c", _SPIN.format(nice=_WORKERS_NICE)]
    spinning = [subprocess.Popen(spin) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for child in spinning:
            child.kill()
            child.wait()
