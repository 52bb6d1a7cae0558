"""Fetch a dataset from the hub, with reports meanwhile."""

from __future__ import annotations

import queue
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from engine.data.book.reports import Report
from engine.data.child_wire import Failure
from engine.data.containers.hub import fetch_dataset
from engine.errors import LoraDeckError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.data.book.reports import FetchJob

_SILENCE = 20.0
"""Seconds after which a report tells that the work goes on."""


def fetch(job: FetchJob) -> Iterator[Report]:
    """Download a dataset into the home."""
    reports: queue.SimpleQueue[Report] = queue.SimpleQueue()

    def work() -> None:
        try:
            fetch_dataset(
                Path(job.datasets), job.path, lambda share: reports.put(Report(share=share))
            )
            reports.put(Report(share=1.0, complete=True))
        except LoraDeckError as error:
            reports.put(Report(failure=Failure.of(error)))

    thread = threading.Thread(target=work, name="fetch", daemon=True)
    thread.start()
    while thread.is_alive() or not reports.empty():
        try:
            yield reports.get(timeout=_SILENCE)
        except queue.Empty:
            yield Report()
