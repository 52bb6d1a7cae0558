"""Rows are encoded once for what they are made from; a torn entry is never seen."""

from __future__ import annotations

import hashlib
import os
import time
from typing import TYPE_CHECKING

import pytest

from engine.data.inspect import inspect_dataset
from engine.language import speaking
from engine.train import encoded_cache
from engine.train.encoded_cache import EncodedCache
from engine.train.encoding import ROWS, SUMMARY, Summary
from engine.train.spec import StoppedError
from tests.engine.train.runs import write_rows
from tests.tiny_llama import make_tiny_llama

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FOUND = Summary(
    rows=1,
    rows_cut=0,
    tokens_cut=0,
    left_out=(),
    rows_left_out=0,
    rows_sha256=hashlib.sha256(b"rows").hexdigest(),
)


def _writer(calls: list[Path]) -> Callable[[Path], Summary]:
    """Write a summary, and note that it was asked for."""

    def write(folder: Path) -> Summary:
        calls.append(folder)
        (folder / SUMMARY).write_text(FOUND.model_dump_json())
        (folder / ROWS).write_bytes(b"rows")
        return FOUND

    return write


def test_an_entry_is_made_once(tmp_path: Path) -> None:
    calls: list[Path] = []
    cache = EncodedCache(tmp_path / "cache")
    first, summary = cache.get("a", _writer(calls))
    assert cache.get("a", _writer(calls)) == (first, summary)
    assert summary == FOUND
    assert len(calls) == 1
    cache.get("b", _writer(calls))
    assert len(calls) == 2


def test_a_stop_leaves_nothing(tmp_path: Path) -> None:
    def stop(folder: Path) -> Summary:
        (folder / "rows.arrow").write_text("half")
        raise StoppedError

    with pytest.raises(StoppedError):
        EncodedCache(tmp_path).get("a", stop)
    assert list(tmp_path.iterdir()) == []


def test_another_worker_may_be_quicker(tmp_path: Path) -> None:
    cache = EncodedCache(tmp_path)
    calls: list[Path] = []

    def slow(folder: Path) -> Summary:
        cache.get("a", _writer(calls))
        return _writer(calls)(folder)

    entry, _ = cache.get("a", slow)
    assert [one.name for one in tmp_path.iterdir()] == [entry.name] == ["a"]


def test_least_recently_used_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoded_cache, "_KEPT_ENTRIES", 2)
    cache = EncodedCache(tmp_path)
    for age, name in enumerate("abc"):
        cache.get(name, _writer([]))
        os.utime(tmp_path / name, (age, age))
    os.utime(tmp_path / "b", (9, 9))
    cache.get("d", _writer([]))
    assert {one.name for one in tmp_path.iterdir()} == {"d", "b"}


@pytest.mark.parametrize(
    "damage",
    [
        lambda entry: (entry / SUMMARY).unlink(),
        lambda entry: (entry / SUMMARY).write_bytes(b"\xbd"),
        lambda entry: (entry / ROWS).unlink(),
        lambda entry: (entry / ROWS).write_bytes(b"ro"),
        lambda entry: (entry / ROWS).write_bytes(b"rowt"),
    ],
)
def test_a_damaged_entry_is_made_again(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    calls: list[Path] = []
    cache = EncodedCache(tmp_path)
    entry, _ = cache.get("a", _writer(calls))
    damage(entry)
    assert cache.get("a", _writer(calls)) == (entry, FOUND)
    assert len(calls) == 2


def test_what_a_killed_worker_left_is_removed_after_a_day(tmp_path: Path) -> None:
    for name, age in ((".a-old", 100_000), (".a-new", 10)):
        (tmp_path / name).mkdir()
        when = time.time() - age
        os.utime(tmp_path / name, (when, when))
    EncodedCache(tmp_path).get("b", _writer([]))
    assert {one.name for one in tmp_path.iterdir()} == {".a-new", "b"}


def test_the_key_hangs_on_all_that_shapes_the_rows(tmp_path: Path) -> None:
    model = make_tiny_llama(tmp_path / "tiny")
    cache, one = EncodedCache(tmp_path), inspect_dataset(write_rows(tmp_path / "a.jsonl", 5))
    other = inspect_dataset(write_rows(tmp_path / "b.jsonl", 6))
    keys = {
        cache.key(one, "t", model, 64),
        cache.key(one, "t", model, 128),
        cache.key(one, "u", model, 64),
        cache.key(other, "t", model, 64),
    }
    with speaking("zh_CN"):
        keys.add(cache.key(one, "t", model, 64))
    assert len(keys) == 5
    with (model / "tokenizer.json").open("a") as file:
        file.write(" ")
    assert cache.key(one, "t", model, 64) not in keys
