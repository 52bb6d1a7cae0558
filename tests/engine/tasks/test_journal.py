"""The journal: numbered without a gap, whole lines only, repaired after a tear."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from engine.errors import LoraDeckError
from engine.tasks import journal_file
from engine.tasks.events import PhaseEntered, StepLogged
from engine.tasks.folding import fold_journal
from engine.tasks.journal import JOURNAL, JournalReader, JournalWriter, read_events
from tests.engine.tasks.make import step

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_events_come_back_as_written(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path)
    written = [writer.append(step(1)), writer.append(PhaseEntered(phase="saving"))]
    writer.close()
    assert [event.seq for event in written] == [1, 2]
    assert list(read_events(tmp_path)) == written


def test_numbering_goes_on_in_the_next_attempt(tmp_path: Path) -> None:
    for number in (1, 2):
        writer = JournalWriter(tmp_path)
        assert writer.append(step(number)).seq == number
        writer.close()


_TORN = [
    b'{"type": "step_lo',
    b'{"seq":2,"type":"phase_entered","phase":"sav\xc3',
    b"\0" * 5000,
    b'{"seq":2,"time":1.0,"type":"step_logged"' + b"\0" * 100,
    b"\xff\xfe\x00",
    b"[" * 10_000,
]


@pytest.mark.parametrize("tail", _TORN)
def test_torn_last_line_is_cut_off(tmp_path: Path, tail: bytes) -> None:
    writer = JournalWriter(tmp_path)
    writer.append(step(1))
    writer.close()
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(tail)
    assert len(list(read_events(tmp_path))) == 1
    writer = JournalWriter(tmp_path)
    writer.append(step(2))
    writer.close()
    assert [event.seq for event in read_events(tmp_path)] == [1, 2]
    assert (tmp_path / JOURNAL).read_bytes().count(b"\n") == 2


@pytest.mark.parametrize("behind", [b"", b"\0" * 5000])
def test_a_last_line_that_lacks_its_end_alone_is_kept(tmp_path: Path, behind: bytes) -> None:
    writer = JournalWriter(tmp_path)
    events = [writer.append(step(1)), writer.append(step(2))]
    writer.close()
    path = tmp_path / JOURNAL
    path.write_bytes(path.read_bytes()[:-1] + behind)
    assert len(list(read_events(tmp_path))) == 1
    writer = JournalWriter(tmp_path)
    events.append(writer.append(step(3)))
    writer.close()
    assert list(read_events(tmp_path)) == events


def test_zeros_before_a_line_do_not_hide_it(tmp_path: Path) -> None:
    line = step(1).model_copy(update={"seq": 8}).model_dump_json().encode()
    (tmp_path / JOURNAL).write_bytes(b"\0" * 300 + line + b"\n" + b"\0" * 30 + b"\n")
    assert [event.seq for event in read_events(tmp_path)] == [8]
    assert JournalWriter(tmp_path).last_seq == 8


def test_newer_versions_events_keep_their_numbers(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).write_text('{"type": "from_the_future", "seq": 41}\nnot json\n')
    writer = JournalWriter(tmp_path)
    assert writer.append(step(1)).seq == 42


def test_damaged_lines_are_passed_over_and_counted(tmp_path: Path) -> None:
    good = step(1).model_dump_json()
    lines = [
        "not json",
        good,
        "",
        good.replace('"seq":0', '"seq":-1'),
        good.replace('"step":1', '"step":' + "9" * 400),
        good.replace('"loss":1.0', '"loss":1e999'),
        good.replace('"loss":1.0', '"loss":"much"'),
        "[" * 3000,
        good,
    ]
    (tmp_path / JOURNAL).write_text("\n".join(lines) + "\n")
    reader = JournalReader(tmp_path)
    assert len(list(reader.read_new())) == 2
    assert reader.skipped == 7


def test_a_line_without_end_is_read_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_file, "LINE_LIMIT", 3000)
    monkeypatch.setattr(journal_file, "BLOCK", 1000)
    good = step(1).model_dump_json().encode() + b"\n"
    (tmp_path / JOURNAL).write_bytes(good + b"\0" * 50_000 + b"x\n" + good + b"y" * 20_000)
    reader = JournalReader(tmp_path)
    assert len(list(reader.read_new())) == 2
    assert reader.skipped == 1
    with journal_file.JournalFile(tmp_path / JOURNAL) as file:
        assert max(len(line) for _, line in file.lines(0)) <= 1000


def _folder(path: Path) -> None:
    path.mkdir()


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


@pytest.mark.parametrize("make", [_folder, os.mkfifo, _socket])
def test_what_is_no_plain_file_is_told(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / JOURNAL)
    for attempt in (JournalWriter, lambda folder: list(read_events(folder)), fold_journal):
        with pytest.raises(LoraDeckError, match=r"Journal not usable: .*events\.jsonl"):
            attempt(tmp_path)


def test_what_may_not_be_opened_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(LoraDeckError, match="Permission denied"):
        list(read_events(tmp_path))


def test_a_full_disk_is_no_fault_of_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(OSError, match="No space"):
        JournalWriter(tmp_path)


def test_a_full_disk_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer, write = JournalWriter(tmp_path), os.write
    writer.append(step(1))
    room = [30]

    def full(fd: int, line: bytes) -> int:
        if room:
            return write(fd, line[: room.pop()])  # as the kernel does: what fits, without an error
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        writer.append(step(2))
    monkeypatch.undo()
    assert writer.append(step(2)).seq == 2
    assert [event.seq for event in read_events(tmp_path)] == [1, 2]


def test_reader_goes_on_where_it_stopped(tmp_path: Path) -> None:
    reader = JournalReader(tmp_path)
    assert list(reader.read_new()) == []
    writer = JournalWriter(tmp_path)
    writer.append(step(1))
    assert [event.seq for event in reader.read_new()] == [1]
    assert list(reader.read_new()) == []
    writer.append(step(2))
    writer.close()
    assert [event.seq for event in reader.read_new()] == [2]


def test_events_of_a_newer_version_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).write_text(
        '{"type": "from_the_future", "seq": 1}\n'
        + step(1).model_dump_json()
        + "\n"
        + "not json at all\n"
    )
    events = list(read_events(tmp_path))
    assert len(events) == 1
    assert isinstance(events[0], StepLogged)
