"""Keep what scans found, by the content's hash: a second look does not read the file.

What was found is kept in words, in a file for each language that a scan was asked for in.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from array import array
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from engine.data.checks import CHECKS_VERSION
from engine.data.types import Conversation, Inspection
from engine.language import spoken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.data.scan import Scanned

_ENTRIES = 50
_NOTES = 1000
_UNTRUSTED_NS = 2_000_000_000
"""A file written this shortly before could be written again without its times telling."""
_MOST_FILES = 10_000
"""Files of a folder; the times of larger ones are not relied on."""


@dataclass(frozen=True)
class Sample:
    """Rows to be tokenized, and what they stand for."""

    conversations: list[Conversation]
    rows: int
    """Rows in the file that can train."""
    characters: int
    """Of these rows."""
    added: frozenset[int]
    """The numbers of the rows that chance did not choose: the longest one."""


class _Head(BaseModel):
    """The first line of a sample's file."""

    rows: int
    characters: int
    added: list[int]


def sample_of(scanned: Scanned) -> Sample:
    """Take the sample from a finished scan."""
    inspection = scanned.inspection
    return Sample(
        scanned.sample,
        rows=inspection.rows - inspection.faulty,
        characters=inspection.characters.total if inspection.characters else 0,
        added=frozenset(one.row for one in scanned.sample) - scanned.drawn,
    )


class ScanCache:
    """The inspections of one home, at most 50, newest kept; with flagged rows, keys, samples.

    Args:
        folder: The home's cache folder; created where it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._entries = folder / "scans"
        self._notes = folder / "notes"

    def find(self, sha256: str, mapping: Mapping[str, str] | None, path: Path) -> Inspection | None:
        """Give the inspection of this content read with this mapping, as of the file at ``path``;
        ``None`` where there is none."""
        name = self._read_note(_asked(sha256, mapping))
        return None if name is None else self._load(self._entries / name, path)

    def find_file(self, path: Path, mapping: Mapping[str, str] | None) -> Inspection | None:
        """Give the inspection of a file that did not change since it was looked at."""
        times = stat_key(path)
        sha256 = self._read_note(times.name) if times else None
        return None if sha256 is None else self.find(sha256, mapping, path)

    def put(self, scanned: Scanned, mapping: Mapping[str, str] | None) -> None:
        """Keep a scan."""
        self._entries.mkdir(mode=0o700, parents=True, exist_ok=True)
        inspection = scanned.inspection
        name = _entry(inspection)
        aside = Path(tempfile.mkdtemp(dir=self._entries, prefix="."))
        try:
            _write(aside, scanned)
            _keep_languages(self._entries / name, aside)
            shutil.rmtree(self._entries / name, ignore_errors=True)
            with suppress(OSError):  # another process has just put the same
                aside.rename(self._entries / name)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        self._write_note(_asked(inspection.sha256, mapping), name)
        _prune(self._entries, _ENTRIES)

    def remember(self, times: StatKey | None, sha256: str) -> None:
        """Note the content's hash of a file with these times, where they can be relied on."""
        if times is not None and times.trusted:
            self._write_note(times.name, sha256)

    def sample(self, inspection: Inspection) -> Sample | None:
        """Give the rows to be tokenized; ``None`` where they are no longer kept."""
        try:
            with (self._entries / _entry(inspection) / "sample.jsonl").open("rb") as lines:
                head = _Head.model_validate_json(next(lines))
                rows = [Conversation.model_validate_json(line) for line in lines]
        except (OSError, ValidationError, StopIteration):
            return None
        return Sample(rows, head.rows, head.characters, frozenset(head.added))

    def flagged(self, inspection: Inspection) -> dict[str, array[int]] | None:
        """Give the numbers of all rows that bear findings, by code; ``None`` where not kept."""
        folder = self._entries / _entry(inspection) / "flagged"
        try:
            return {path.name: _read_array(path, "I") for path in folder.iterdir()}
        except (OSError, ValueError):
            return None

    def keys(self, inspection: Inspection) -> array[int] | None:
        """Give the key of each row that can train, in order; ``None`` where not kept."""
        try:
            return _read_array(self._entries / _entry(inspection) / "keys", "Q")
        except (OSError, ValueError):
            return None

    def _load(self, folder: Path, path: Path) -> Inspection | None:
        """Read an inspection, and mark it as just used."""
        try:
            text = (folder / _in_words()).read_bytes()
            found = Inspection.model_validate_json(text)
            os.utime(folder)
        except (OSError, ValidationError):
            return None
        return found.model_copy(update={"path": str(path)})

    def _read_note(self, name: str) -> str | None:
        """Read a note; ``None`` where there is none."""
        try:
            return (self._notes / name).read_text(encoding="ascii")
        except (OSError, ValueError):
            return None

    def _write_note(self, name: str, text: str) -> None:
        """Write a note whole."""
        self._notes.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd, temporary = tempfile.mkstemp(dir=self._notes, prefix=".")
        with os.fdopen(fd, "w", encoding="ascii") as stream:
            stream.write(text)
        os.replace(temporary, self._notes / name)  # noqa: PTH105
        _prune(self._notes, _NOTES)


@dataclass(frozen=True)
class StatKey:
    """What a file's name and times say, without reading it."""

    name: str
    trusted: bool
    """Whether a later change would show."""


def stat_key(path: Path) -> StatKey | None:
    """Sum up names, sizes and times of a file, or of the files of a folder; ``None`` where that
    cannot be done."""
    now = time.time_ns()
    try:
        paths = [path, *sorted(path.rglob("*"))] if path.is_dir() else [path]
        stats = [(str(one), one.stat()) for one in paths[: _MOST_FILES + 1]]
    except (OSError, ValueError):
        return None
    if len(stats) > _MOST_FILES:
        return None
    facts = [(one, s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino) for one, s in stats]
    newest = max(max(s.st_mtime_ns, s.st_ctime_ns) for _, s in stats)
    name = _digest(["stat", *map(str, facts)])
    return StatKey(name, trusted=newest < now - _UNTRUSTED_NS)


def flagged_rows(cache: Path, inspection: Inspection) -> Mapping[str, array[int]]:
    """Give the numbers of all rows that bear findings, by the finding's code, ascending.

    Args:
        cache: The home's cache folder.
        inspection: As it came from ``inspect_in_process``; empty where its entry is gone.
    """
    return ScanCache(cache).flagged(inspection) or {}


def row_keys(cache: Path, inspection: Inspection) -> array[int] | None:
    """Give a 64-bit key for each row that can train, in order: equal where rows say the same.

    ``None`` where the inspection's entry is gone.
    """
    return ScanCache(cache).keys(inspection)


def _asked(sha256: str, mapping: Mapping[str, str] | None) -> str:
    """Name a note on what was found for a content and a mapping."""
    return _digest(
        ["asked", str(CHECKS_VERSION), sha256, *map(str, sorted((mapping or {}).items()))]
    )


def _entry(inspection: Inspection) -> str:
    """Name the folder of an inspection: the same content read in the same way."""
    shape = inspection.shape.model_dump_json() if inspection.shape else ""
    return _digest([str(CHECKS_VERSION), inspection.sha256, shape])


def _digest(parts: list[str]) -> str:
    """Hash a list of texts to a name."""
    text = json.dumps(parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def _write(folder: Path, scanned: Scanned) -> None:
    """Write all that is kept of a scan into a folder."""
    (folder / "flagged").mkdir(mode=0o700)
    for code, rows in scanned.flagged.items():
        (folder / "flagged" / code).write_bytes(rows.tobytes())
    (folder / "keys").write_bytes(scanned.keys.folded.tobytes())
    sample = sample_of(scanned)
    head = _Head(rows=sample.rows, characters=sample.characters, added=sorted(sample.added))
    with (folder / "sample.jsonl").open("w", encoding="utf-8") as lines:
        lines.write(head.model_dump_json() + "\n")
        lines.writelines(one.model_dump_json() + "\n" for one in sample.conversations)
    text = scanned.inspection.model_dump_json()
    (folder / _in_words()).write_text(text, encoding="utf-8")


def _in_words() -> str:
    """Name the file of an inspection in the language that is spoken."""
    return f"inspection.{spoken()}.json"


def _keep_languages(old: Path, new: Path) -> None:
    """Take along the inspections in other languages from the entry that is replaced."""
    for file in old.glob("inspection.*.json"):
        if not (new / file.name).exists():
            with suppress(OSError):
                shutil.copyfile(file, new / file.name)


def _read_array(path: Path, kind: str) -> array[int]:
    """Read an array of integers as it lies in memory."""
    values: array[int] = array(kind)
    values.frombytes(path.read_bytes())
    return values


def _prune(folder: Path, most: int) -> None:
    """Remove the oldest of a folder's things."""
    with suppress(OSError):  # another process tidies, too
        things = [(one.stat().st_mtime_ns, one) for one in folder.iterdir() if one.name[0] != "."]
        for _, one in sorted(things, reverse=True)[most:]:
            if one.is_dir():
                shutil.rmtree(one, ignore_errors=True)
            else:
                one.unlink(missing_ok=True)
