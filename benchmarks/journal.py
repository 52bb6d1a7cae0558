"""How long it takes to read a long journal, and how much memory.

    .venv/bin/python -m benchmarks.journal --megabytes 1000

Writes a journal of one run, then opens a writer on it as a worker that resumes does, folds it as
the server does that shows or adopts its task, and follows it from the middle as a client does that
comes back. Prints seconds and the process's peak memory after each, twice: the second round finds
the file in the system's cache for certain.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.tables import megabytes, print_table
from engine.tasks.folding import fold_journal
from engine.tasks.journal import JournalReader, JournalWriter
from tests.engine.tasks.journals import write_long

if TYPE_CHECKING:
    from collections.abc import Callable

_KIB = 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        last = write_long(folder, given.megabytes * 1_000_000)
        works: dict[str, Callable[[], object]] = {
            "open a writer": lambda: JournalWriter(folder).last_seq,
            "fold into progress": lambda: fold_journal(folder),
            "follow from the middle": lambda: next(JournalReader(folder, last // 2).read_new()),
            "follow from the end": lambda: list(JournalReader(folder, last).read_new()),
        }
        rows = [_measure(name, work) for _ in range(2) for name, work in works.items()]
    print(f"{given.megabytes} MB, {last:,} events")
    print_table(("", "seconds", "peak MB"), rows)


def _measure(name: str, work: Callable[[], object]) -> tuple[str, str, str]:
    """Time one kind of reading."""
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB
    return name, f"{seconds:.3f}", megabytes(peak)


if __name__ == "__main__":
    main()
