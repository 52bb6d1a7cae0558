"""Reading dataset files: what is a file of rows, and the words for what is not."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING

import pytest

from engine.data.read import read_dataset
from engine.errors import LoraDeckError, NotFoundError

if TYPE_CHECKING:
    from pathlib import Path

ROW = '{"instruction": "a", "output": "b"}'


def refusal(path: Path) -> LoraDeckError:
    with pytest.raises(LoraDeckError) as caught:
        read_dataset(path)
    return caught.value


def written(folder: Path, content: str | bytes, name: str = "data.json") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (f"[{ROW}]", 1),
        (f"\n [\n{ROW},\n{ROW}]\n\n", 2),
        (ROW, 1),
        (f"{ROW}\n\n{ROW}\r\n", 2),
        (f"\ufeff[{ROW}]", 1),
        (f"\ufeff{ROW}\n{ROW}", 2),
        ('{"output": "one\u2028line"}\n{"output": "two"}', 2),
        ('[{"output": NaN, "input": -Infinity}]', 1),
        (f'[{{"output": {"9" * 5000}}}]', 1),
    ],
)
def test_json_and_jsonl_are_told_apart_by_content(tmp_path: Path, content: str, rows: int) -> None:
    # The extension claims the other format
    name = "data.jsonl" if content.lstrip("\ufeff\n ").startswith("[") else "data.json"
    dataset = read_dataset(written(tmp_path, content, name))
    assert len(dataset.rows) == rows


def test_hash_and_size_are_of_the_bytes(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbf" + ROW.encode()
    dataset = read_dataset(written(tmp_path, data))
    assert dataset.sha256 == hashlib.sha256(data).hexdigest()
    assert dataset.size_bytes == len(data)


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        ("", "nothing in it", "whole"),
        (" \n\t\r\n", "nothing in it", "whole"),
        ("\ufeff\n", "nothing in it", "whole"),
        (b'["ok",\n"\xd6\xd0"]', "Byte 8 (0xD6, line 2)", "iconv -f GB18030"),
        (b"\xef\xbb\xbf[\n\xff]", "Byte 5 (0xFF, line 2)", "iconv -f GB18030"),
        (f"[{ROW}]".encode("utf-16"), "looks like UTF-16", "iconv -f UTF-16 -t UTF-8"),
        (f"[{ROW}]".encode("utf-16-le"), "looks like UTF-16", "iconv -f UTF-16 -t UTF-8"),
        (f"[{ROW}\n {ROW}]", "line 2, column 2: Expecting ','", "Mend"),
        (f"[{ROW},", "line 1, column 38", "written whole"),
        (f'[{ROW},\n{{"output": "b', "line 2, column 12: Unterminated string.", "written whole"),
        (f"{ROW}\n\n{{'output': 1}}\n", "line 3, column 2", "Mend"),
        (f"{ROW}\n{{\n", "line 2, column 2", "The line ends before"),
        (f"{{oops}}\n{ROW}\n", "line 1, column 2", "Mend"),
        (f"[{ROW}] [{ROW}]", "Extra data", "after the JSON has ended"),
        ('{"a": 1,\n"data": [{}]}', "a single object with the keys a, data", "under data"),
        ("12", "holds a number", "list of rows"),
        ("null", "holds null", "list of rows"),
        ("<html>", "line 1, column 1", "Mend"),
        ("[]", "is an empty list", "list of rows"),
        (f"[{ROW}, 5]", "row 2 is a number", "object"),
        (f"{ROW}\n[1]\n", "row 2 is a list", "object"),
        (f"[{'[' * 100_000}", "too deep", "list of rows"),
        (f'{ROW}\n{{"a": {"[" * 100_000}', "line 2: lists or objects lie too deep", "list of rows"),
    ],
)
def test_unusable_files_are_refused_with_place_and_cure(
    tmp_path: Path, content: str | bytes, message: str, hint: str
) -> None:
    path = written(tmp_path, content)
    error = refusal(path)
    assert str(path) in error.message
    assert message in error.message
    assert hint in error.hint


def test_missing_file_suggests_a_near_name(tmp_path: Path) -> None:
    written(tmp_path, "[]", "answers.json")
    error = refusal(tmp_path / "answer.json")
    assert isinstance(error, NotFoundError)
    assert "answer.json" in error.message
    assert "answers.json" in error.hint


@pytest.mark.parametrize("name", ["gone/data.json", "file/data.json"])
def test_missing_folder_is_a_missing_file(tmp_path: Path, name: str) -> None:
    written(tmp_path, "x", "file")
    assert isinstance(refusal(tmp_path / name), NotFoundError)


def test_folder_and_pipe_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "a folder" in refusal(tmp_path).message
    assert "not a regular file" in refusal(tmp_path / "pipe").message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file(tmp_path: Path) -> None:
    path = written(tmp_path, f"[{ROW}]")
    path.chmod(0)
    error = refusal(path)
    assert "permission denied" in error.message
    assert "chmod u+r" in error.hint


def test_permission_is_worded_without_being_refused_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    path = written(tmp_path, f"[{ROW}]")
    monkeypatch.setattr(type(path), "read_bytes", refuse)
    assert "permission denied" in refusal(path).message


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "half\udcff.json"])
def test_names_no_file_can_have(tmp_path: Path, name: str) -> None:
    error = refusal(tmp_path / name)
    error.message.encode()
    assert "cannot be read" in error.message


def test_messages_carry_no_control_characters(tmp_path: Path) -> None:
    path = written(
        tmp_path, json.dumps({"\x1b]0;title\x07": 1, "b": 2}, indent=1), "a\x1b[31m.json"
    )
    error = refusal(path)
    assert "\x1b" not in error.message + error.hint
