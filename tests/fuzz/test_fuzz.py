"""A short run of the fuzzer; ``python -m tests.fuzz`` runs it for long."""

from __future__ import annotations

import signal
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from engine.errors import LoraDeckError
from engine.tasks.quarantine import Sorted
from tests.fuzz import attempt as module
from tests.fuzz.attempt import attempt
from tests.fuzz.home_attempt import attempt_home

if TYPE_CHECKING:
    from pathlib import Path

_PARTS = 4
_FILES = 100
_HOMES = 60


@pytest.mark.parametrize("part", range(_PARTS))
def test_mutated_files_are_read_or_refused(tmp_path: Path, part: int) -> None:
    files = range(part * _FILES, (part + 1) * _FILES)
    outcomes = Counter(attempt(tmp_path, 1, index)[0] for index in files)
    # Were all refused, or none, the fuzzer would look at nothing
    assert outcomes["read"] > _FILES // 10
    assert outcomes["refused"] > _FILES // 10


def test_damaged_homes_are_used_and_lose_nothing(tmp_path: Path) -> None:
    outcomes = Counter(attempt_home(tmp_path, 1, index)[0] for index in range(_HOMES))
    assert outcomes["read"] > _HOMES // 10
    assert outcomes["refused"] > _HOMES // 10


def test_a_home_that_loses_a_record_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sorted, "_keep_apart", lambda *_: None)
    with pytest.raises(AssertionError):
        Counter(attempt_home(tmp_path, 1, index) for index in range(_HOMES))


def test_the_same_seed_makes_the_same_files(tmp_path: Path) -> None:
    first = [attempt(tmp_path, 2, index) for index in range(20)]
    assert [attempt(tmp_path, 2, index) for index in range(20)] == first
    assert [attempt(tmp_path, 3, index) for index in range(20)] != first


def test_other_errors_and_empty_words_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error in (KeyError("a"), RecursionError(), LoraDeckError("Title", "an \x1b escape")):

        def fail(_: Path, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(module, "open_source", fail)
        with pytest.raises((KeyError, RecursionError, AssertionError)):
            attempt(tmp_path, 1, 0)


@pytest.mark.parametrize("waits", [False, True])
def test_a_hang_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waits: bool) -> None:
    def hang(_: Path) -> None:
        while True:
            signal.pause() if waits else None

    monkeypatch.setattr(module, "LONGEST", 0.05)
    monkeypatch.setattr(module, "open_source", hang)
    with pytest.raises(module.HungError, match="in hang"):
        attempt(tmp_path, 1, 0)
