"""Take one damaged home the whole way: opened, its journals read, written to, opened again."""

from __future__ import annotations

import hashlib
import json
import shutil
from random import Random
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from engine.doctor.leftovers import check_leftovers
from engine.doctor.records import check_records
from engine.errors import LoraDeckError
from engine.home import Home
from engine.tasks.folding import fold_journal
from engine.tasks.journal import JournalReader, JournalWriter, read_events
from engine.tasks.live import LiveTasks
from engine.tasks.progress import Progress
from engine.tasks.storage import decode
from engine.tasks.store import TaskStore
from engine.tasks.view import TaskView
from tests.engine.tasks.make import step
from tests.fuzz.attempt import alarm, check_words
from tests.fuzz.homes import make_home

if TYPE_CHECKING:
    from pathlib import Path

    from engine.tasks.record import TaskRecord
    from tests.fuzz.attempt import Outcome

_VICTIM = b"not to be touched"


def attempt_home(folder: Path, seed: int, index: int) -> tuple[Outcome, str]:
    """Make the home with this number and use it; tell whether all of it could be read.

    Raises:
        Exception: Whatever went wrong that is no refusal in words.
    """
    place = folder / "place"
    home = Home(place / "inner" / "home").prepare()
    (victim := place / "victim").write_bytes(_VICTIM)
    try:
        # What lies on the disk for good is not looked at here, and waiting for it takes long
        with patch("os.fsync"):
            make_home(home, Random(f"{seed}/{index}"))  # noqa: S311 (repeatable on purpose)
        digest = _digest(home)
        with patch("os.fsync"), alarm():
            outcome = _try(home)
        assert victim.read_bytes() == _VICTIM
        assert sorted(path.name for path in place.iterdir()) == ["inner", "victim"]
        assert [path.name for path in (place / "inner").iterdir()] == ["home"]
    finally:
        shutil.rmtree(place)
    return outcome, digest


def _try(home: Home) -> Outcome:
    """Use a home the whole way."""
    before = home.store_file.read_bytes() if home.store_file.is_file() else None
    for look in (check_records, check_leftovers):
        for found in look(home):
            check_words(found.name, found.detail)
    try:
        store = TaskStore(home)
    except LoraDeckError as error:
        check_words(error.title, error.message)
        return "refused"
    _check_nothing_dropped(home, store, before)
    skipped = sum(_read_journal(home, task) for task in store.all())
    _check_views(home, store)
    _write_on(home, store)
    whole = not skipped and not store.misfits and not list(home.root.glob("*.unreadable*"))
    return "read" if whole else "refused"


def _check_nothing_dropped(home: Home, store: TaskStore, before: bytes | None) -> None:
    """Make sure that each record is a task, or kept apart; or the whole file, if unreadable."""
    kept = {path.read_bytes() for path in home.root.glob("*.unreadable*") if path.is_file()}
    if before is None or before in kept:
        return
    ids = {task.id for task in store.all()}
    apart = [one.document for one in store.misfits]
    for document in decode(before).get("tasks", {}).values():
        assert document in apart or document["id"] in ids
    stored = json.loads(home.store_file.read_text()) if home.store_file.exists() else {}
    assert len(stored.get("quarantine", {})) == len(apart)


def _read_journal(home: Home, task: TaskRecord) -> int:
    """Read a task's journal in all ways, then write to it; give how many lines were passed over."""
    folder = home.task(task.id)
    assert folder.parent == home.tasks
    assert home.adapter(task.task_name).parent == home.models / "lora"
    try:
        reader, whole = JournalReader(folder), Progress()
        for event in reader.read_new():
            whole.apply(event)
            json.dumps(event.model_dump(mode="json"), allow_nan=False)
        for progress in (whole, fold_journal(folder)[1], fold_journal(folder, 900)[1]):
            _check_view(progress.view(task))
        for after in (1, whole.last_seq // 2, whole.last_seq):
            later = JournalReader(folder, after).read_new()
            assert after == 0 or all(event.seq > after for event in later)
        if folder.is_dir():
            _append(folder)
    except LoraDeckError as error:
        check_words(error.title, error.message)
        return 1
    return reader.skipped


def _append(folder: Path) -> None:
    """Go on with a journal as a worker does that resumes."""
    writer = JournalWriter(folder)
    written = [writer.append(step(1)), writer.append(step(2))]
    writer.close()
    assert list(read_events(folder))[-2:] == written
    assert JournalWriter(folder).last_seq == written[-1].seq


def _check_views(home: Home, store: TaskStore) -> None:
    """Make sure that every task can be shown."""
    live = LiveTasks(home, store)
    for task in store.all():
        _check_view(live.view(task.id))


def _check_view(view: TaskView) -> None:
    """Make sure that a client can read what the server sends."""
    assert TaskView.model_validate_json(view.model_dump_json()).task.id == view.task.id


def _write_on(home: Home, store: TaskStore) -> None:
    """Change and remove tasks, and open the store again."""
    for number, task in enumerate(store.all()):
        if number % 2:
            folder = store.remove(task.id)
            assert folder.parent == home.tasks
        else:
            store.put(task.model_copy(update={"message": "changed"}))
    json.loads(home.store_file.read_text() if home.store_file.exists() else "{}")
    again = TaskStore(home)
    assert [_plain(task) for task in again.all()] == [_plain(task) for task in store.all()]
    assert [one.document for one in again.misfits] == [one.document for one in store.misfits]


def _plain(task: TaskRecord) -> Any:
    """Give a record as it is sent."""
    return json.loads(task.model_dump_json())


def _digest(home: Home) -> str:
    """Hash a home's files, but for their times."""
    digest = hashlib.sha256()
    for path in sorted(home.root.rglob("*")):
        digest.update(path.relative_to(home.root).as_posix().encode())
        if path.suffix == ".json" and path.is_file() and not path.is_symlink():
            digest.update(path.read_bytes()[:20])
    return digest.hexdigest()
