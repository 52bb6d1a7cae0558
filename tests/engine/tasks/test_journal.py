"""The journal: numbered without a gap, whole lines only, repaired after a tear."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.tasks.events import PhaseEntered, StepLogged
from engine.tasks.journal import JOURNAL, JournalReader, JournalWriter, read_events
from tests.engine.tasks.make import step

if TYPE_CHECKING:
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


def test_torn_last_line_is_cut_off(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path)
    writer.append(step(1))
    writer.close()
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(b'{"type": "step_lo')
    assert len(list(read_events(tmp_path))) == 1
    writer = JournalWriter(tmp_path)
    writer.append(step(2))
    writer.close()
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
