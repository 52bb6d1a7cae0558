"""A long journal is read from its end, and tells the same as when it is read whole."""

from __future__ import annotations

import os
from random import Random
from typing import TYPE_CHECKING

import pytest

from engine.tasks import folding, journal_file
from engine.tasks.events import AdapterSaved
from engine.tasks.folding import fold_journal, last_event
from engine.tasks.journal import (
    JOURNAL,
    JournalReader,
    JournalWriter,
    events_of,
    read_events,
)
from engine.tasks.journal_file import JournalFile
from engine.tasks.progress import Progress
from tests.engine.tasks.journals import training, write_long
from tests.engine.tasks.make import step

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.tasks.events import Event

_DAMAGE = [b"not json\n", b"\0" * 40 + b"\n", b'{"type":"task_started","seq":3\n', b"\xff\xfe\n"]
_DAMAGE += [b'{"seq":1,"type":"from_the_future"}\n', b'{"type":"checkpoint_saved"}\n', b"\n"]


def _write(folder: Path, random: Random) -> None:
    """Write a random journal with some damage in it."""
    writer = JournalWriter(folder)
    steps, attempts = random.choice([5, 100, 400]), random.randrange(1, 6)
    for event in training(random, steps, attempts):
        writer.append(event)
        if random.random() < 0.01:
            with (folder / JOURNAL).open("ab") as file:
                file.write(random.choice(_DAMAGE))
    writer.close()
    if random.random() < 0.3:
        content = (folder / JOURNAL).read_bytes()
        (folder / JOURNAL).write_bytes(b"\0" * 60 + content[60:])


@pytest.mark.parametrize("part", range(4))
def test_end_and_seams_tell_what_the_whole_tells(
    tmp_path: Path, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_file, "BLOCK", 3000)
    shortened: list[int] = []
    collect = folding._before

    def counted(file: JournalFile, end: int) -> list[Event]:
        shortened.append(end)
        return collect(file, end)

    monkeypatch.setattr(folding, "_before", counted)
    for index in range(15):
        folder = tmp_path / str(index)
        folder.mkdir()
        random = Random(f"{part}/{index}")  # noqa: S311 - repeatable on purpose
        _write(folder, random)
        whole = Progress()
        for event in read_events(folder):
            whole.apply(event)
        for window in (200, 3_000, 20_000):
            reader, folded = fold_journal(folder, window)
            assert vars(folded) == vars(whole), f"{part}/{index}, {window}"
            assert list(reader.read_new()) == []
        writer = JournalWriter(folder)
        written = writer.append(step(1))
        writer.close()
        assert written.seq == whole.last_seq + 1
        assert list(reader.read_new()) == [written]
    assert len(shortened) > 5  # else the whole was read each time


def test_texts_are_found_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_file, "BLOCK", 10)
    random = Random(1)  # noqa: S311 - repeatable on purpose
    for _ in range(200):
        content = bytes(random.choices(b"ab\n", k=random.randrange(60)))
        (tmp_path / JOURNAL).write_bytes(content)
        first, end = sorted(random.choices(range(len(content) + 1), k=2))
        needles = [b"abab", b"b\n", b"\n"]
        with JournalFile(tmp_path / JOURNAL) as file:
            found = file.rfind(needles, end, first)
            expected = {needle: content.rfind(needle, first, end) for needle in needles}
            assert found == {needle: at for needle, at in expected.items() if at >= 0}
            assert file.line_start(end) == content.rfind(b"\n", 0, end) + 1
            lines = [line for _, line in file.lines(0)]
            count = random.randrange(1, 9)
            start = file.tail_start(count)
            whole = content[: content.rfind(b"\n") + 1]
            assert whole[start:] == b"".join(whole.splitlines(keepends=True)[-count:])
            assert lines == content.split(b"\n")[:-1]


@pytest.fixture
def bytes_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note how many bytes each reading takes."""
    counts: list[int] = []
    read = os.pread

    def counted(fd: int, length: int, offset: int) -> bytes:
        counts.append(length)
        return read(fd, length, offset)

    monkeypatch.setattr(os, "pread", counted)
    return counts


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """The folder of a journal of 30 MB, and the number of its last event."""
    folder = tmp_path_factory.mktemp("long")
    return folder, write_long(folder, 30_000_000)


def test_a_writer_reads_the_end_alone(long: tuple[Path, int], bytes_read: list[int]) -> None:
    folder, last = long
    writer = JournalWriter(folder)
    assert writer.last_seq == last
    assert sum(bytes_read) < 5_000_000


def test_a_follower_reads_from_where_it_was(long: tuple[Path, int], bytes_read: list[int]) -> None:
    folder, last = long
    for after in (1, 7, last // 3, last // 2, last - 1):
        bytes_read.clear()
        events = JournalReader(folder, after).read_new()
        assert next(events).seq == after + 1
        assert sum(bytes_read) < 15_000_000
    assert list(JournalReader(folder, last).read_new()) == []
    assert list(JournalReader(folder, last + 99).read_new()) == []


def test_a_fold_parses_the_end_and_holds_little(
    long: tuple[Path, int], bytes_read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, last = long
    parsed = 0
    parse = journal_file.parse_event

    def counted(line: bytes) -> object:
        nonlocal parsed
        parsed += 1
        return parse(line)

    monkeypatch.setattr(journal_file, "parse_event", counted)
    monkeypatch.setattr("engine.tasks.journal.parse_event", counted)
    _, progress = fold_journal(folder)
    assert (progress.last_seq, progress.phase, progress.device) == (last, "training", "CPU")
    assert progress.probed
    assert progress.checkpoint == progress.step
    assert parsed < 0.1 * last
    assert max(bytes_read) <= journal_file.BLOCK + 100


def test_the_last_event_of_a_kind_is_found(long: tuple[Path, int], tmp_path: Path) -> None:
    assert last_event(long[0], "memory_probed") is not None
    assert last_event(long[0], "adapter_saved") is None
    assert last_event(tmp_path, "adapter_saved") is None
    writer = JournalWriter(tmp_path)
    for name in "ab":
        writer.append(AdapterSaved(path=name, size_bytes=1))
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(b'{"type":"adapter_saved"}\n')
    found = last_event(tmp_path, "adapter_saved")
    assert isinstance(found, AdapterSaved)
    assert found.path == "b"


def test_events_of_some_kinds_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_file, "BLOCK", 100)
    writer = JournalWriter(tmp_path)
    for number in range(1, 5):
        writer.append(step(number))
        writer.append(AdapterSaved(path='"type":"task_failed"', size_bytes=number))
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(b'{"type":"adapter_saved"}\n')
    writer.close()
    found = events_of(tmp_path, ["adapter_saved", "task_failed"], 4)
    assert [event.seq for event in found] == [4, 6, 8]
    assert events_of(tmp_path, ["step_.*"], 9) == []
    assert events_of(tmp_path / "none", ["step_logged"], 9) == []


def _numbers(folder: Path, after: int) -> Iterator[int]:
    """List the numbers above one."""
    return (event.seq for event in JournalReader(folder, after).read_new())


def test_numbers_that_are_damaged_hide_no_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_file, "_NEAR", 300)
    random = Random(5)  # noqa: S311 - repeatable on purpose
    lines = [step(n).model_copy(update={"seq": n}).model_dump_json() for n in range(1, 400)]
    for place in random.sample(range(0, 390, 4), 30):
        lines[place] = random.choice(["", "x" * 500, step(1).model_dump_json(), '{"seq":99999}'])
    (tmp_path / JOURNAL).write_text("\n".join(lines) + "\n")
    there = {event.seq for event in read_events(tmp_path)}
    for after in range(1, 400, 3):
        assert set(_numbers(tmp_path, after)) == {seq for seq in there if seq > after}
