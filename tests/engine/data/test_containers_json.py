"""JSON and JSONL: told apart by content, read in part, refused with line and column."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from engine.data.containers.source import open_source
from engine.data.faults import FaultyRowError
from engine.errors import LoraDeckError

if TYPE_CHECKING:
    from pathlib import Path

ROW = '{"instruction": "a", "output": "b"}'
STRAY_BYTE = ROW.encode() + b'\n{"a": "\xff"}\n{"a": "' + "é".encode() * 30 + b'"}'
TURNS = '[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]'


def written(folder: Path, content: str | bytes, name: str = "data.json") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(path: Path) -> list[dict[str, Any] | FaultyRowError]:
    return list(open_source(path).rows())


def faults(path: Path) -> dict[int, FaultyRowError]:
    rows = enumerate(read(path), start=1)
    return {number: row for number, row in rows if isinstance(row, FaultyRowError)}


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (f"[{ROW}]", 1),
        (f"\n [\n{ROW},\n{ROW}]\n\n", 2),
        (ROW, 1),
        (f"{ROW}\n\n{ROW}\r\n", 2),
        (f"\ufeff[{ROW}]", 1),
        (f"\ufeff{ROW}\n{ROW}", 2),
        (f"{ROW}\r{ROW}\r", 2),
        ('{"output": "one\u2028line"}\n{"output": "two"}', 2),
        ('[{"output": NaN, "input": -Infinity}]', 1),
        (f'[{{"output": {"9" * 5000}}}]', 1),
        (f'{{"version": 1, "data": [{ROW}, {ROW}]}}', 2),
        (f'{{"few": [{ROW}], "more": [{ROW}, {ROW}], "none": []}}', 2),
        (f'{{"test": [{ROW}, {ROW}], "train": [{ROW}]}}', 1),
        (f'{{"result": {{"count": 1, "rows": [{ROW}]}}}}', 1),
        (f'{{"messages": {TURNS}}}', 1),
        (f'{{"messages": {TURNS}, "tools": [{{"type": "function"}}]}}', 1),
        ('{"instruction": "a", "output": "b", "sources": [{"url": "c"}, {"url": "d"}]}', 1),
        ('{\n "output": "one"\n}\n{\n "output": "two"\n}', 2),
    ],
)
def test_the_forms_are_told_apart_by_content(tmp_path: Path, content: str, rows: int) -> None:
    # The extension claims the other format
    name = "data.jsonl" if content.lstrip("\ufeff\n ").startswith("[") else "data.json"
    found = read(written(tmp_path, content, name))
    assert len(found) == rows
    assert all(isinstance(row, dict) for row in found)


def test_the_key_that_has_the_rows_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, json.dumps({"version": 1, "inner": {"data": [json.loads(ROW)]}}))
    source = open_source(path)
    assert source.container == "JSON, rows under inner.data"
    assert list(source.rows()) == [json.loads(ROW)]
    assert source.share() == 1.0


def test_what_is_no_json_value_becomes_one(tmp_path: Path) -> None:
    content = f'{{"a": NaN, "b": 1e999, "c": {"9" * 50}, "d": "\\ud800", "e": 1.5}}'
    for form in (content, f"[{content}]", f"{content}\n{content}"):
        row = read(written(tmp_path, form))[0]
        assert row == {"a": None, "b": None, "c": int("9" * 50), "d": "\ud800", "e": 1.5}


def test_rows_that_span_chunks_are_whole(tmp_path: Path) -> None:
    rows = [{"n": number, "text": "é" * (997 * number)} for number in range(60)]
    forms = [json.dumps(rows), json.dumps({"data": rows}, ensure_ascii=False)]
    forms += ["\n".join(map(json.dumps, rows))]
    for form in forms:
        assert read(written(tmp_path, form)) == rows


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        ("", "nothing in it", "whole"),
        (" \n\t\r\n", "nothing in it", "whole"),
        ("\ufeff\n", "nothing in it", "whole"),
        (f"[{ROW}\n {ROW}]", "line 2, column 2: Expecting ','", "Mend"),
        (f"[{ROW},", "line 1, column 38", "written whole"),
        (f'[{ROW},\n{{"output": "b', "line 2, column 12: Unterminated string.", "written whole"),
        (f'{{"data": [{ROW},\n{{"a" 1}}]}}', "line 2, column 6: Expecting ':'", "Mend"),
        (f'{{"data": [{ROW}]', "line 1", "written whole"),
        ("{oops}\n{oops}\n", "line 1, column 2", "Mend"),
        (f"[{ROW}] [{ROW}]", "Extra data", "after the JSON has ended"),
        (f"{ROW}, {ROW}", "Extra data", "after the JSON has ended"),
        ("12", "holds a number", "list of rows"),
        ("null", "holds null", "list of rows"),
        ("<html>", "line 1, column 1", "Mend"),
        ("[]", "is an empty list", "list of rows"),
        ("[1, 2]", "row 1 is a number", "object"),
        (f"[{'[' * 100_000}", "deep", "list of rows"),
        (f'{{"a":{"[" * 100_000}', "deep", ""),
        (f'{{"a":{"[" * 200}{"]" * 200}}}', "over 100 deep", ""),
    ],
)
def test_unusable_files_are_refused_with_place_and_cure(
    tmp_path: Path, content: str, message: str, hint: str
) -> None:
    path = written(tmp_path, content)
    with pytest.raises(LoraDeckError) as caught:
        read(path)
    assert str(path) in caught.value.message
    assert message in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("content", "row", "code", "words"),
    [
        (f"{ROW}\n\n{{'output': 1}}\n", 2, "broken-json", "line 3, column 2: Expecting"),
        (f"{ROW}\n{{\n", 2, "broken-json", "line 2, column 2"),
        (f"{{oops}}\n{ROW}\n", 1, "broken-json", "line 1, column 2"),
        (f"{ROW}\n[1]\n", 2, "not-an-object", "line 2 is a list"),
        (f"[{ROW}, 5]", 2, "not-an-object", "row 2 is a number"),
        (f'{ROW}\n{{"a": {"[" * 100_000}\n{ROW}', 2, "broken-json", "line 2: lists or objects"),
        (
            f'{ROW}\n{{"a": "'.encode() + b'\xff"}\n' + f'{{"a": "{"é" * 30}"}}'.encode(),
            2,
            "broken-json",
            "line 2: byte 8 (0xFF)",
        ),
    ],
)
def test_a_broken_row_leaves_the_others(
    tmp_path: Path, content: str | bytes, row: int, code: str, words: str
) -> None:
    found = faults(written(tmp_path, content))
    assert list(found) == [row]
    assert found[row].code == code
    assert words in found[row].detail


def test_a_broken_place_far_into_a_file_is_named(tmp_path: Path) -> None:
    rows = [f'{{"text": "{"x" * 999}"}}'] * 700
    path = written(tmp_path, "[" + ",\n".join([*rows, '{"text" 1}', *rows]) + "]")
    with pytest.raises(LoraDeckError, match="line 701, column 9: Expecting ':'"):
        read(path)


def test_a_source_begins_anew_each_time(tmp_path: Path) -> None:
    source = open_source(written(tmp_path, f"{ROW}\n{ROW}\n"))
    assert list(source.rows()) == list(source.rows())
