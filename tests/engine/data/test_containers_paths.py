"""What a path may lead to, and the words for what cannot be read."""

from __future__ import annotations

import hashlib
import os
import socket
from typing import TYPE_CHECKING

import pytest

from engine.data.containers.source import content_hash, open_source
from engine.errors import LoraDeckError, NotFoundError

if TYPE_CHECKING:
    from pathlib import Path

ROW = '{"instruction": "a", "output": "b"}'


def refusal(path: Path) -> LoraDeckError:
    with pytest.raises(LoraDeckError) as caught:
        open_source(path)
    return caught.value


def written(folder: Path, content: str | bytes, name: str = "data.json") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_hash_and_size_are_of_the_bytes(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbf" + ROW.encode()
    path = written(tmp_path, data)
    assert content_hash(path) == hashlib.sha256(data).hexdigest()
    assert open_source(path).size_bytes == len(data)


def test_hash_of_a_folder_is_of_names_and_bytes(tmp_path: Path) -> None:
    path = written(tmp_path, ROW, "a.jsonl")
    first = content_hash(tmp_path)
    (tmp_path / ".hidden.jsonl").write_text(ROW)
    assert content_hash(tmp_path) == first
    path.rename(tmp_path / "b.jsonl")
    second = content_hash(tmp_path)
    (tmp_path / "b.jsonl").write_text(ROW + " ")
    assert len({first, second, content_hash(tmp_path)}) == 3


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


def test_dangling_link(tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path / "gone.json")
    assert "a link to a file that is not there" in refusal(tmp_path / "link.json").message


def test_pipes_sockets_and_devices_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "not a regular file" in refusal(tmp_path / "pipe").message
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.fspath(tmp_path / "s"))
        assert "not a regular file" in refusal(tmp_path / "s").message
    assert "not a regular file" in refusal(tmp_path.__class__("/dev/zero")).message


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
    def refuse(*_: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    path = written(tmp_path, f"[{ROW}]")
    monkeypatch.setattr(type(path), "open", refuse)
    assert "permission denied" in refusal(path).message


def test_a_file_that_vanishes_before_it_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, ROW, "a.jsonl")
    source = open_source(path)
    path.unlink()
    with pytest.raises(NotFoundError):
        list(source.rows())


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "half\udcff.json"])
def test_names_no_file_can_have(tmp_path: Path, name: str) -> None:
    error = refusal(tmp_path / name)
    error.message.encode()
    assert "cannot be read" in error.message


def test_messages_carry_no_control_characters(tmp_path: Path) -> None:
    path = written(tmp_path, '{"\x1b]0;title\x07": 1, "b": \x1b}', "a\x1b[31m.json")
    error = refusal(path)
    assert "\x1b" not in error.message + error.hint


@pytest.mark.parametrize(
    ("content", "words"),
    ids=["zip", "pdf", "sqlite", "pickle", "bzip2", "bytes"],
    argvalues=[
        (b"PK\x03\x04" + b"\0" * 50, "ZIP archive"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"SQLite format 3\0" + b"\0" * 99, "SQLite"),
        (b"\x80\x04\x95" + b"\0" * 50, "can run code"),
        (b"BZh91AY&SY", "bzip2"),
        (bytes(range(256)) * 8, "binary data of an unknown kind"),
    ],
)
def test_other_kinds_of_files_are_named(tmp_path: Path, content: bytes, words: str) -> None:
    error = refusal(written(tmp_path, content, "data.bin"))
    assert words in error.message
    assert "Parquet" in error.hint
