"""The process that scans and measures: ``python -m engine.data.child``.

It reads one request on standard input, answers in lines on standard output, and works within
limits of time and memory, so that a hostile file or chat template can neither stall nor bloat
the server.
"""

from __future__ import annotations

import contextlib
import gc
import resource
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from engine.data.child_wire import Failure, Line, Request
from engine.data.run_limits import RanTooLongError, never_ends
from engine.data.words import shown
from engine.errors import LoraDeckError
from engine.language import speak_as_parent, tr

if TYPE_CHECKING:
    from collections.abc import Iterator

_STALL = 90
"""Seconds without a line after which the kernel ends the process, should its parent be gone."""


def main() -> None:
    """Answer one request."""
    speak_as_parent()
    request = Request.model_validate_json(sys.stdin.buffer.read())
    if request.seconds is not None:
        _limit(resource.RLIMIT_CPU, request.seconds)
    _limit(resource.RLIMIT_AS, request.address_space)
    _limit(resource.RLIMIT_DATA, request.data)
    # Nobody reads any more: end, whatever is under way
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    gc.set_threshold(100_000)  # rows hold no cycles: looking for them often is time lost
    for line in _answers(request):
        if request.do != "measure":
            signal.alarm(_STALL)
        sys.stdout.write(line.model_dump_json(exclude_defaults=True) + "\n")
        sys.stdout.flush()


def _answers(request: Request) -> Iterator[Line]:
    """Do what is asked."""
    if request.do == "survey":
        for path in request.paths:
            yield from _guarded(request.model_copy(update={"do": "inspect", "path": path}))
    else:
        yield from _guarded(request)


def _guarded(request: Request) -> Iterator[Line]:
    """Do one thing, and put what goes wrong into words."""
    try:
        yield from _lengths(request) if request.do == "measure" else _steps(request)
    except LoraDeckError as error:
        failure = error
    except RanTooLongError as error:
        failure = never_ends(error)
    except MemoryError:
        failure = _too_large(request)
    except RecursionError:
        failure = LoraDeckError(
            tr("Dataset nested too deep"),
            tr(
                "{path}: lists or objects lie too deep within each other.", path=shown(request.path)
            ),
            tr("Write the rows with fewer levels."),
        )
    else:
        return
    yield Line(failure=Failure.of(failure), path=request.path)


def _steps(request: Request) -> Iterator[Line]:
    """Inspect a dataset."""
    # Only now that the limits hold are the readers loaded
    from engine.data.scan_cached import scan_cached

    cache = Path(request.cache) if request.cache else None
    for step in scan_cached(Path(request.path), request.mapping, cache):
        yield Line(scanning=step, path=request.path)


def _lengths(request: Request) -> Iterator[Line]:
    """Measure a dataset's sample."""
    from engine.data.lengths import measure
    from engine.data.scan_cached import sample_cached

    cache = Path(request.cache) if request.cache else None
    sample = sample_cached(Path(request.path), request.mapping, cache, request.inspection)
    yield Line(lengths=measure(sample, Path(request.model_folder), request.context))


def _too_large(request: Request) -> LoraDeckError:
    """Say that the limit on memory was reached."""
    if request.do == "measure":
        what = tr(
            "Counting the tokens of {path} with the chat template and tokenizer of {model} "
            "wants too much memory.",
            path=shown(request.path),
            model=shown(request.model_folder),
        )
        hint = tr("Choose another base model, or split the longest rows.")
        return LoraDeckError(tr("Dataset could not be measured"), what, hint)
    return LoraDeckError(
        tr("Dataset too large"),
        tr(
            "{path} wants more than {limit:,} MiB of memory to be read: a row in it may "
            "be far too long, or a compressed part expands to far too much.",
            path=shown(request.path),
            limit=request.data // 1024**2,
        ),
        tr("Split the longest rows, or write the file anew in smaller parts."),
    )


def _limit(which: int, value: int) -> None:
    """Lower a limit of this process; some systems know no limit on memory."""
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(which, (value, hard))


if __name__ == "__main__":
    main()
