"""What scans found is kept: a second look does not read the file."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from engine.data import scan_cache, scan_cached
from engine.data.scan import Scan
from engine.data.scan_cache import ScanCache, flagged_rows, row_keys
from engine.data.scan_cached import sample_cached
from engine.errors import LoraDeckError

if TYPE_CHECKING:
    from pathlib import Path

    from engine.data.types import Inspection

LONG_AGO = 1_700_000_000


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file whose times can be relied on."""
    monkeypatch.setattr(scan_cache, "_UNTRUSTED_NS", 0)
    path = tmp_path / "rows.jsonl"
    rows = [
        {"instruction": f"Question {n % 60}?", "output": f"Answer {n % 60}."} for n in range(70)
    ]
    rows[3]["output"] = ""
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """An empty cache folder."""
    return tmp_path / "cache"


def look(path: Path, cache: Path, mapping: dict[str, str] | None = None) -> Inspection:
    *_, last = scan_cached.scan_cached(path, mapping, cache)
    assert last.inspection is not None
    return last.inspection


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are scanned."""
    paths: list[Path] = []

    class Remembering(Scan):
        def __init__(self, path: Path, *rest: object) -> None:
            paths.append(path)
            super().__init__(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(scan_cached, "Scan", Remembering)
    return paths


def test_a_second_look_does_not_read_the_file(
    dataset: Path, cache: Path, scans: list[Path]
) -> None:
    first = look(dataset, cache)
    dataset.chmod(0)
    facts = dataset.stat()
    os.utime(dataset, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert len(scans) == 1
    dataset.chmod(0o600)
    kept = ScanCache(cache)
    kept.remember(scan_cache.stat_key(dataset), first.sha256)
    assert kept.find_file(dataset, None) == first
    assert look(dataset, cache) == first
    assert len(scans) == 1


def test_a_changed_file_is_looked_at_anew(dataset: Path, cache: Path, scans: list[Path]) -> None:
    first = look(dataset, cache)
    with dataset.open("a") as file:
        file.write('\n{"instruction": "New?", "output": "Yes, new."}')
    again = look(dataset, cache)
    assert (first.rows, again.rows, len(scans)) == (70, 71, 2)


def test_a_file_just_written_is_not_relied_on(
    dataset: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan_cache, "_UNTRUSTED_NS", 10**15)
    look(dataset, cache)
    assert ScanCache(cache).find_file(dataset, None) is None


def test_the_same_content_elsewhere_is_known_by_its_hash(dataset: Path, cache: Path) -> None:
    first = look(dataset, cache)
    copy = dataset.with_name("copy.jsonl")
    copy.write_bytes(dataset.read_bytes())
    found = ScanCache(cache).find(first.sha256, None, copy)
    assert found == first.model_copy(update={"path": str(copy)})
    assert ScanCache(cache).find(first.sha256, {"instruction": "output"}, copy) is None


def test_a_file_written_meanwhile_is_refused(
    dataset: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = scan_cached.scan_cached(dataset, None, cache)
    finish = Scan._finish

    def write(self: Scan, *rest: object) -> object:
        dataset.write_text(dataset.read_text() + "\n")
        return finish(self, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Scan, "_finish", write)
    with pytest.raises(LoraDeckError, match="was written while it was read"):
        list(steps)
    assert not (cache / "scans").exists()


def test_flagged_rows_and_keys_are_kept_whole(dataset: Path, cache: Path) -> None:
    found = look(dataset, cache)
    flagged = flagged_rows(cache, found)
    assert list(flagged["empty-answer"]) == [4]
    assert list(flagged["duplicate"]) == [61, 62, 63, 65, 66, 67, 68, 69, 70]
    keys = row_keys(cache, found)
    assert keys is not None
    assert (len(keys), len(set(keys))) == (69, 60)


def test_the_sample_is_read_back(dataset: Path, cache: Path, scans: list[Path]) -> None:
    found = look(dataset, cache)
    dataset.unlink()
    sample = sample_cached(dataset, None, cache, found)
    assert (sample.rows, len(sample.conversations), sample.added) == (69, 69, frozenset())
    assert found.characters is not None
    assert sample.characters == found.characters.total
    assert len(scans) == 1


def test_damaged_entries_are_looked_at_anew(dataset: Path, cache: Path, scans: list[Path]) -> None:
    first = look(dataset, cache)
    for file in (cache / "scans").rglob("*"):
        if file.is_file():
            file.write_bytes(b"\xff{")
    assert ScanCache(cache).find_file(dataset, None) is None
    assert look(dataset, cache) == first
    assert ScanCache(cache).find_file(dataset, None) == first
    assert len(scans) == 2


def test_the_cache_is_bounded(dataset: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_cache, "_ENTRIES", 2)
    for number in range(4):
        dataset.write_text(f'{{"instruction": "Question {number}?", "output": "Some answer."}}')
        look(dataset, cache)
    assert len(list((cache / "scans").iterdir())) == 2
