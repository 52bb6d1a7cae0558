"""How quickly things start and how much memory they take, measured on the demo model.

    .venv/bin/python benchmarks/start.py

Prints seconds from the command to the dashboard's first frame, and from the train command to the
first optimizer step with no engine running (cold) and with a spare worker ready; then the peak
memory of engine server, worker and dashboard. Medians over several runs, in a home of its own.
"""

from __future__ import annotations

import json
import os
import pty
import select
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

import sample_datasets
from engine.home import Home
from engine.locks import holder

LORADECK = Path(sys.executable).with_name("loradeck")
ROWS = Path(sample_datasets.__file__).with_name("alpaca_example.json")
RUNS = 3
STEPS = 4


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="loradeck-") as folder:
        home = Home(Path(folder))
        os.environ["LORADECK_HOME"] = folder
        _loradeck("models", "pull", "demo")
        try:
            cold, warm, peaks = _starts(home)
            frames, dashboard = _first_frames()
        finally:
            _loradeck("engine", "stop")
    _print("train command to first step, cold", cold, "s")
    _print("train command to first step, spare worker ready", warm, "s")
    _print("dashboard command to first frame, engine running", frames, "s")
    for name, size in {**peaks, "dashboard": dashboard}.items():
        print(f"{'peak memory, ' + name:55} {size / 1e6:8.0f} MB")


def _loradeck(*arguments: str) -> str:
    """Run a command."""
    return subprocess.run(
        [LORADECK, *arguments], check=True, text=True, stdout=subprocess.PIPE
    ).stdout


def _starts(home: Home) -> tuple[list[float], list[float], dict[str, float]]:
    """Time trainings of a few steps, cold and warm; read the peaks of server and worker."""
    cold, warm, worker = [], [], 0.0
    for run in range(RUNS):
        _loradeck("engine", "stop")
        seconds, peak = _first_step(f"cold-{run}")
        cold.append(seconds)
        _wait_for_spare()
        seconds, peak_warm = _first_step(f"warm-{run}")
        warm.append(seconds)
        worker = max(worker, peak, peak_warm)
    server = holder(home.run / "engine.lock")
    return cold, warm, {"engine server": _peak(server or 0), "worker": worker}


def _first_step(name: str) -> tuple[float, float]:
    """Time one training's way to its first step, and read what its worker's peak was."""
    began = time.monotonic()
    seconds, peak = 0.0, 0.0
    command = [
        LORADECK,
        "train",
        ROWS,
        "--model",
        "demo",
        "--name",
        name,
        "--json",
        "--set",
        f"max_steps={STEPS}",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            if event["type"] == "step_logged" and event["step"] == 1:
                seconds = time.monotonic() - began
            if event["type"] == "task_completed":
                peak = event["peak_memory"]
    return seconds, peak


def _wait_for_spare() -> None:
    """Wait until a worker with its imports done is ready."""
    while not json.loads(_loradeck("engine", "status", "--json"))["spare_ready"]:
        time.sleep(0.5)


def _first_frames() -> tuple[list[float], float]:
    """Open the dashboard on a terminal of 80x24 and time its first frame."""
    results = [_first_frame() for _ in range(RUNS)]
    return [seconds for seconds, _ in results], max(peak for _, peak in results)


def _first_frame() -> tuple[float, float]:
    """Time one start, from the command to the home screen's words."""
    began = time.monotonic()
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS="80", LINES="24")
        os.execv(LORADECK, [str(LORADECK)])
    seen = b""
    while b"New training" not in seen:
        seen += os.read(terminal, 65536)
    seconds = time.monotonic() - began
    quiet = time.monotonic() + 2.0
    while (left := quiet - time.monotonic()) > 0:
        if select.select([terminal], [], [], left)[0]:
            os.read(terminal, 65536)
    peak = _peak(pid)
    os.write(terminal, b"q")
    while True:
        try:
            if not os.read(terminal, 65536):
                break
        except OSError:
            break
    os.waitpid(pid, 0)
    return seconds, peak


def _peak(pid: int) -> float:
    """Read a process's peak resident memory where the kernel tells, else the present one."""
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return float(line.split()[1]) * 1024
    return float(psutil.Process(pid).memory_info().rss)


def _print(name: str, values: list[float], unit: str) -> None:
    """Print a median with its range."""
    print(
        f"{name:55} {statistics.median(values):8.2f} {unit}"
        f"   ({min(values):.2f} to {max(values):.2f}, {len(values)} runs)"
    )


if __name__ == "__main__":
    main()
