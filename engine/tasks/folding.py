"""Folds a journal of any length into progress by reading its end and what matters before.

An attempt tells its phases and what it probed before its first step and after its last; what lies
between are steps, evaluations and checkpoints. So of a long journal it suffices to read the last
steps, the last evaluation and checkpoint, and the seams between attempts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.tasks.events import RolledBack, StepLogged, TaskStarted
from engine.tasks.journal import JOURNAL, JournalReader
from engine.tasks.journal_file import BLOCK, JournalFile, parse_event
from engine.tasks.progress import STEPS_REMEMBERED, Progress

if TYPE_CHECKING:
    from pathlib import Path

    from engine.tasks.events import Event

WINDOW = 1 << 20
"""Bytes at the end that are read whole; more where they hold too few steps in a row."""
_WIDEST = 64 << 20
SEAM = 4 << 20
"""Bytes that are looked through for an attempt's first step, or for the last of the one before."""
_STARTED = b'"type":"task_started"'
_STEP = b'"type":"step_logged"'
_CHECKPOINT = b'"type":"checkpoint_saved"'
_EVALUATED = b'"type":"evaluated"'
_FAR = 64 << 20
"""Bytes before the window in which an evaluation is looked for: it tells the pace, no more."""


def fold_journal(folder: Path, window: int = WINDOW) -> tuple[JournalReader, Progress]:
    """Fold a task's journal; the reader given goes on where the fold ended.

    Raises:
        LoraDeckError: The journal is no plain file, or may not be read.
    """
    progress = Progress()
    try:
        file = JournalFile(folder / JOURNAL)
    except FileNotFoundError:
        return JournalReader(folder), progress
    with file:
        start = _window_start(file, window)
        for event in _before(file, start) if start else ():
            progress.apply(event)
        reader = JournalReader(folder, offset=start)
        for event in reader.read_new():
            progress.apply(event)
    return reader, progress


def last_event(folder: Path, kind: str) -> Event | None:
    """Find the last event of a kind in a task's journal, reading backwards.

    Raises:
        LoraDeckError: The journal is no plain file, or may not be read.
    """
    try:
        file = JournalFile(folder / JOURNAL)
    except FileNotFoundError:
        return None
    with file:
        return next(iter(_last(file, b'"type":"%s"' % kind.encode(), file.size).values()), None)


def _window_start(file: JournalFile, window: int) -> int:
    """Choose where to begin, so that enough steps follow each other for all that they tell."""
    while True:
        start = file.line_start(max(0, file.size - window))
        if start == 0 or window >= _WIDEST or _has_run(file, start):
            return start
        window *= 4


def _has_run(file: JournalFile, start: int) -> bool:
    """Tell whether as many steps as are remembered come in a row, with no way back between."""
    run = 0
    for _, event in file.events(start):
        if isinstance(event, StepLogged):
            run += 1
        elif isinstance(event, TaskStarted | RolledBack):
            run = 0
        if run >= STEPS_REMEMBERED:
            return True
    return False


def _before(file: JournalFile, end: int) -> list[Event]:
    """Collect from before the window what steps do not tell, in its order."""
    events: dict[int, Event] = {}
    places = file.rfind([_STARTED, _CHECKPOINT], end)
    if _CHECKPOINT in places:
        events.update(_last(file, _CHECKPOINT, places[_CHECKPOINT] + len(_CHECKPOINT)))
    events.update(_last(file, _EVALUATED, end, max(0, end - _FAR)))
    seams = [0]
    started = places.get(_STARTED)
    while started is not None:
        seams.append(started)
        started = file.rfind([_STARTED], started).get(_STARTED)
    for seam in seams:
        events.update(file.events(_last_step(file, seam), _first_step(file, seam, end)))
    return [events[offset] for offset in sorted(events)]


def _last(file: JournalFile, kind: bytes, end: int, start: int = 0) -> dict[int, Event]:
    """Find the last event of a kind in a range, by its offset; those that are damaged are none."""
    while (place := file.rfind([kind], end, start).get(kind)) is not None:
        end = file.line_start(place)
        offset, line = next(file.lines(end), (0, b""))
        if event := parse_event(line):
            return {offset: event}
    return {}


def _last_step(file: JournalFile, seam: int) -> int:
    """Give where the last step before an attempt begins."""
    earliest = max(0, seam - SEAM)
    return file.line_start(file.rfind([_STEP], seam, earliest).get(_STEP, earliest))


def _first_step(file: JournalFile, seam: int, end: int) -> int:
    """Give an offset within the first step's line of an attempt."""
    latest = min(end, seam + SEAM)
    return next(
        (
            offset + place
            for offset in range(seam, latest, BLOCK)
            if (place := file.read(offset, min(latest, offset + BLOCK)).find(_STEP)) >= 0
        ),
        latest,
    )
