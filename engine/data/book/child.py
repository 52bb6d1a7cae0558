"""The processes' own side: limits first, then one request, and a line for each report.

``python -m engine.data.book.child fill``, ``export`` or ``fetch``.
"""

from __future__ import annotations

import contextlib
import resource
import signal
import sys
from typing import TYPE_CHECKING

from engine.data.book.reports import ExportJob, FetchJob, FillRequest, Report
from engine.data.child_process import ADDRESS_SPACE, DATA
from engine.data.child_wire import Failure
from engine.data.words import shown
from engine.errors import LoraDeckError
from engine.language import speak_as_parent, tr

if TYPE_CHECKING:
    from collections.abc import Iterator

_STALL = 120
"""Seconds without a report after which the kernel ends the process, should its parent be gone."""


def main(what: str) -> None:
    """Carry out one request."""
    speak_as_parent()
    _limit(resource.RLIMIT_AS, ADDRESS_SPACE)
    _limit(resource.RLIMIT_DATA, DATA)
    # Nobody reads any more: end, whatever is under way
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    written = sys.stdin.buffer.read()
    for report in _guarded(what, written):
        signal.alarm(_STALL)
        sys.stdout.write(report.model_dump_json(exclude_defaults=True) + "\n")
        sys.stdout.flush()


def _guarded(what: str, written: bytes) -> Iterator[Report]:
    """Work, and put what goes wrong into words."""
    path = tr("the dataset")
    try:
        # Only now that the limits hold are the readers loaded
        if what == "export":
            from engine.data.book.export import export

            job = ExportJob.model_validate_json(written)
            path = job.path
            yield from export(job)
        elif what == "fetch":
            from engine.data.book.fetch import fetch

            yield from fetch(FetchJob.model_validate_json(written))
        else:
            from engine.data.book.fill import fill

            request = FillRequest.model_validate_json(written)
            path = request.path
            yield from fill(request)
    except LoraDeckError as error:
        failure = error
    except (MemoryError, RecursionError):
        failure = LoraDeckError(
            tr("Dataset too large"),
            tr(
                "{path} wants too much memory to be read: a row in it may be far too long, "
                "or nested too deep.",
                path=shown(path),
            ),
            tr("Split the longest rows."),
        )
    else:
        return
    yield Report(failure=Failure.of(failure))


def _limit(which: int, value: int) -> None:
    """Lower a limit of this process; some systems know no limit on memory."""
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(which, (value, hard))


if __name__ == "__main__":
    main(sys.argv[1])
