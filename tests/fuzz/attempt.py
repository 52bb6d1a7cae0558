"""Take one mutated file the whole way: read, detected, normalised, inspected."""

from __future__ import annotations

import hashlib
import json
import signal
import traceback
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Literal

from engine.data.containers.source import open_source
from engine.data.faults import FaultyRowError
from engine.data.inspect import inspect_dataset
from engine.errors import LoraDeckError
from tests.fuzz.files import make_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import FrameType

Outcome = Literal["read", "refused"]
LONGEST = 5.0
"""Seconds of the processor that a file may take."""
WAITED = 12
"""Times as long it may take on a busy machine, or in waiting for what never comes."""


class HungError(Exception):
    """A file took too long."""


def attempt(folder: Path, seed: int, index: int) -> tuple[Outcome, str]:
    """Make the file with this number and try to read it; tell what came of it.

    Raises:
        Exception: Whatever went wrong that is no refusal in words.
    """
    # A text seeds alike in every process; a tuple's hash would not
    name, data = make_file(Random(f"{seed}/{index}"))  # noqa: S311 (repeatable on purpose)
    path = folder / name
    path.write_bytes(data)
    try:
        with alarm():
            outcome = _try(path)
    finally:
        path.unlink()
    return outcome, hashlib.sha256(name.encode() + data).hexdigest()


def _try(path: Path) -> Outcome:
    """Read a file the whole way."""
    try:
        for row in open_source(path).rows():
            if isinstance(row, FaultyRowError):
                check_words(row.detail)
            else:
                json.dumps(row, allow_nan=False)
        inspect_dataset(path)
    except LoraDeckError as error:
        check_words(error.title, error.message)
        return "refused"
    return "read"


def check_words(*words: str) -> None:
    """Make sure that words are there and can be shown."""
    for text in words:
        if not text.strip() or len(text) > 3000 or "\x1b" in text:
            raise AssertionError(f"bad words: {text[:200]!r}")
        text.encode()


@contextmanager
def alarm() -> Iterator[None]:
    """Interrupt what takes too long."""

    def ring(_: int, frame: FrameType | None) -> None:
        raise HungError("".join(traceback.format_stack(frame)[-3:]))

    timers = (
        (signal.SIGPROF, signal.ITIMER_PROF, LONGEST),
        (signal.SIGALRM, signal.ITIMER_REAL, LONGEST * WAITED),
    )
    before = [signal.signal(number, ring) for number, _, _ in timers]
    for _, timer, seconds in timers:
        signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        for (number, timer, _), handler in zip(timers, before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)
