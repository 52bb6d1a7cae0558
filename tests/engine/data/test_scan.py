"""Scanning: reports while it runs, measures, samples, rows held out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from engine.data import scan as scan_module
from engine.data.checks.row_keys import RowKeys
from engine.data.checks.row_text import RowText
from engine.data.held_out import held_out, overlaps
from engine.data.histogram import histogram
from engine.data.inspect import conversations, inspect_dataset, refuse_errors
from engine.data.languages import guess_languages
from engine.data.scan import Scan, scan
from engine.data.scan_sample import Reservoir
from engine.errors import LoraDeckError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from engine.data.faults import FaultyRowError
    from engine.data.types import Conversation


def row(question: str, answer: str) -> dict[str, str]:
    return {"instruction": question, "output": answer}


def rows(count: int) -> list[dict[str, str]]:
    return [row(f"Question {number}?", f"The answer is {number}.") for number in range(count)]


@pytest.fixture
def write_lines(tmp_path: Path) -> Callable[..., Path]:
    """Write rows as JSONL; texts stay as they are."""

    def write(given: Sequence[dict[str, str] | str]) -> Path:
        path = tmp_path / "rows.jsonl"
        lines = (one if isinstance(one, str) else json.dumps(one) for one in given)
        path.write_text("\n".join(lines), encoding="utf-8")
        return path

    return write


def test_findings_are_told_while_rows_are_read(
    write_lines: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan_module, "INTERVAL", 0.0)
    monkeypatch.setattr(scan_module, "_COMPARE_FIRST", 4)
    path = write_lines([*rows(3), row("a b c", "\x1b[1mbold"), *rows(3), row("x y", "")])
    steps = list(scan(path))
    assert [step.rows for step in steps] == [*range(1, 9), 8]
    codes = [{one.code for one in step.findings} for step in steps]
    assert codes[2] == set()
    assert codes[3] == {"control-characters"}
    assert "duplicate" not in codes[3]
    assert "empty-answer" in codes[7]
    assert all(step.inspection is None for step in steps[:-1])
    last = steps[-1].inspection
    assert last is not None
    assert steps[-1].findings == last.findings
    assert {one.code: one.rows for one in last.findings}["duplicate"] == (5, 6, 7)


def test_measures_count_rows_that_can_train(write_lines: Callable[..., Path]) -> None:
    found = inspect_dataset(write_lines([*rows(99), row("Why?", "")]))
    assert (found.rows, found.faulty) == (100, 1)
    assert found.turns is not None
    assert found.characters is not None
    assert (found.turns.p50, found.turns.total) == (2, 198)
    assert sum(count for _, count in found.characters.bins) == 99
    assert found.characters.longest == len("Question 98?The answer is 98.")
    assert found.columns == ("instruction", "output")


@pytest.mark.parametrize(
    ("good", "bad", "leave_out", "refused"),
    [(99, 1, False, False), (98, 2, False, True), (98, 2, True, False), (0, 2, True, True)],
)
def test_few_faulty_rows_are_left_out_and_many_refused(
    write_lines: Callable[..., Path], good: int, bad: int, leave_out: bool, refused: bool
) -> None:
    found = inspect_dataset(write_lines([*rows(good), *[row("Why?", "")] * bad]))
    if refused:
        with pytest.raises(LoraDeckError, match="empty answer"):
            refuse_errors(found, leave_out=leave_out)
    else:
        refuse_errors(found, leave_out=leave_out)
    assert found.can_train is (bad * 100 <= good + bad)


def test_conversations_stream_and_tell_the_rows_left_out(write_lines: Callable[..., Path]) -> None:
    path = write_lines([*rows(2), "{broken", row("Why?", ""), *rows(1)])
    shape = inspect_dataset(path).shape
    assert shape is not None
    left_out: dict[int, FaultyRowError] = {}
    kept = [one.row for one in conversations(path, shape, left_out.__setitem__)]
    assert kept == [1, 2, 5]
    assert {number: fault.code for number, fault in left_out.items()} == {
        3: "broken-json",
        4: "empty-answer",
    }


def test_a_long_preview_is_cut(write_lines: Callable[..., Path]) -> None:
    (shown,) = inspect_dataset(write_lines([row("Why?", "word " * 9000)])).preview
    assert len(shown.messages[1].content) == 20_001


def test_a_sample_is_uniform_and_keeps_the_longest(talk: Callable[..., Conversation]) -> None:
    kept: list[int] = []
    for block in range(30):
        reservoir = Reservoir(limit_rows=10)
        for number in range(100):
            longest = number == (block * 37) % 100
            reservoir.add(talk("a", "b", row=number), 50 if longest else 2)
        chosen = [one.row for one in reservoir.rows()]
        assert (block * 37) % 100 in chosen
        assert len(reservoir.drawn) == 10
        assert chosen == sorted(chosen)
        kept.extend(reservoir.drawn)
    assert len(set(kept)) == 10  # one seed: the same rows each time


def test_a_sample_is_bounded_in_characters(talk: Callable[..., Conversation]) -> None:
    reservoir = Reservoir(limit_characters=1000)
    for number in range(5000):
        reservoir.add(talk("a", "b", row=number), 10)
    assert len(reservoir.drawn) == 100
    # Even over the file: a uniform sample has about 50 in either half
    assert 25 < sum(one < 2500 for one in reservoir.drawn) < 75


def test_small_files_are_sampled_whole(write_lines: Callable[..., Path]) -> None:
    look = Scan(write_lines(rows(30)))
    list(look.steps())
    assert look.result is not None
    assert [one.row for one in look.result.sample] == list(range(1, 31))


def test_rows_held_out_are_repeated_by_none(talk: Callable[..., Conversation]) -> None:
    keys = RowKeys()
    for number in range(40):
        keys.add(RowText(talk(f"Question {number % 30}?", f"Answer {number % 30}", row=number)))
    chosen = held_out(keys.folded, 10, seed=3)
    assert len(set(chosen)) == 10
    assert set(chosen) <= set(range(10, 30))
    assert overlaps(keys.folded, chosen) == 0
    assert chosen == held_out(keys.folded, 10, seed=3)
    assert chosen != held_out(keys.folded, 10, seed=4)


def test_overlaps_that_cannot_be_avoided_are_counted() -> None:
    keys = [1, 1, 1, 2]
    chosen = held_out(keys, 2, seed=0)
    assert 3 in chosen
    assert overlaps(keys, chosen) == 1
    assert held_out(keys, 9, seed=0) == [0, 1, 2, 3]


@pytest.mark.parametrize("values", [[7], [1, 1, 2], list(range(1000)), [1] * 500 + [90_000]])
def test_histograms_count_every_row(values: list[int]) -> None:
    found = histogram(values)
    assert sum(count for _, count in found.bins) == len(values)
    assert len(found.bins) <= 20
    assert found.bins[-1][0] == found.longest == max(values)
    ends = [end for end, _ in found.bins]
    assert ends == sorted(set(ends))
    assert found.total == sum(values)
    first = sum(value <= found.bins[0][0] for value in values)
    assert found.bins[0][1] == first


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The weather is fine today and we are going to the park.", "en"),
        ("Das Wetter ist heute schön und wir gehen in den Park.", "de"),
        ("Il fait beau aujourd'hui et nous allons au parc.", "fr"),
        ("今天天气很好，我们去公园吧。", "zh"),
        ("今日は天気がいいので、公園に行きましょう。", "ja"),
        ("Сегодня хорошая погода, и мы идём в парк.", "ru"),
        ("Hoy hace buen tiempo y vamos a ir al parque.", "es"),
    ],
)
def test_languages_are_guessed(text: str, code: str) -> None:
    assert guess_languages([text]) == ((code, 1.0),)


def test_texts_without_words_have_no_language() -> None:
    assert guess_languages(["42", "x = 1", ""]) == ()


def test_splits_left_aside_are_noted(tmp_path: Path) -> None:
    for name in ("train", "test"):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows(60))))
    found = inspect_dataset(tmp_path)
    assert found.rows == 60
    assert [(one.level, one.code) for one in found.findings] == [("note", "other-splits")]
    assert "test" in found.findings[0].message
