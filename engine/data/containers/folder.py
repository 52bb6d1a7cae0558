"""A dataset in a folder: files of one kind, or what ``datasets`` saved with ``save_to_disk``."""

from __future__ import annotations

import bisect
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.data.containers.file import FileSource
from engine.data.containers.refusals import KINDS, reading, status, unreadable
from engine.data.faults import FaultyRowError
from engine.data.words import key_list, shown
from engine.errors import LoraDeckError
from engine.language import listed, tr, trn

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEEPEST = 4
_MOST_FILES = 10_000
_MOST_SEEN = 100_000
_KINDS = {
    ".parquet": "Parquet", ".pq": "Parquet", ".arrow": "Arrow", ".feather": "Arrow",
    ".ipc": "Arrow", ".json": "JSON", ".jsonl": "JSON", ".ndjson": "JSON", ".csv": "CSV",
    ".tsv": "CSV", ".tab": "CSV", ".txt": "text", ".text": "text", ".md": "Markdown",
    ".markdown": "Markdown",
}  # fmt: skip
_PACKED = {".gz", ".zst"}
_ABOUT = re.compile(
    r"(readme|licen[cs]e|changelog|notice|citation|requirements)\b.*|"
    r"dataset_infos?\.json|dataset_dict\.json|state\.json|metadata\.json|config\.json",
    re.IGNORECASE,
)
_SPLIT = re.compile(r"(?:^|[^a-z])(train|test|validation|valid|val|dev|eval)(?:[^a-z]|$)")
_SAVED_LIMIT = 16_000_000


@dataclass(frozen=True)
class DataFiles:
    """The files of a folder that hold rows."""

    files: tuple[Path, ...]
    other_splits: tuple[str, ...] = ()
    split: str = ""
    """The split they belong to, where the folder has several."""
    saved: bool = False
    """Whether ``datasets`` saved them."""


class FolderSource:
    """Rows of all files of a folder, in the order of their names.

    Raises:
        LoraDeckError: It has no data files, or files of several kinds.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        found = data_files(path)
        self.files, self.other_splits = found.files, found.other_splits
        self.size_bytes = sum(status(file).st_size for file in self.files)
        first = FileSource(self.files[0])
        self.container = _words(found, first)
        self._starts: list[int] = []
        self._before = 0
        self._present: FileSource | None = None

    def rows(self) -> Iterator[dict[str, Any] | FaultyRowError]:
        """Give each row; the faults name their file."""
        self._starts, self._before, number = [], 0, 1
        for file in self.files:
            self._starts.append(number)
            self._present = FileSource(file)
            for row in self._present.rows():
                number += 1
                if isinstance(row, FaultyRowError):
                    yield type(row)(
                        row.code,
                        tr("in {file}, {detail}", file=shown(file.name), detail=row.detail),
                    )
                else:
                    yield row
            self._before += self._present.size_bytes
            self._present = None

    def share(self) -> float:
        """Tell how far the reading is, by the bytes on the disk."""
        present = self._present
        done = self._before + (present.share() * present.size_bytes if present else 0)
        return min(1.0, done / max(1, self.size_bytes))

    def file_of(self, row: int) -> Path:
        """Name the file that a row came from, once it has been read."""
        return self.files[max(0, bisect.bisect_right(self._starts, row) - 1)]


def data_files(path: Path) -> DataFiles:
    """Find the files that hold rows: of one split, where there are several.

    Raises:
        LoraDeckError: There are none, too many, or of several kinds.
    """
    if (path / "dataset_dict.json").is_file():
        return _saved_splits(path)
    if (path / "state.json").is_file():
        return DataFiles(_saved_files(path), saved=True)
    by_kind: dict[str, list[Path]] = {}
    for file in _walk(path):
        if kind := _kind(file):
            by_kind.setdefault(kind, []).append(file)
    if len(by_kind) > 1:  # notes beside the data are no data
        by_kind = {k: v for k, v in by_kind.items() if k not in ("text", "Markdown")} or by_kind
    if not by_kind:
        raise LoraDeckError(
            tr("No data in this folder"),
            tr("{path} has no data files.", path=shown(path)),
            tr("Wanted are {kinds}.", kinds=tr(KINDS)),
        )
    if len(by_kind) > 1:
        raise LoraDeckError(
            tr("Several kinds of files"),
            tr(
                "{path} has files of several kinds: {keys}.",
                path=shown(path),
                keys=key_list(by_kind),
            ),
            tr("Choose one of the files, or move those of one kind to a folder of their own."),
        )
    (files,) = by_kind.values()
    return _one_split(path, files)


def _walk(path: Path) -> list[Path]:
    """List the files below a folder in the order of their names; hidden ones are skipped."""
    files: list[Path] = []
    seen = 0
    with reading(path):
        for place, folders, names in os.walk(path, onerror=_raise):
            depth = len(Path(place).relative_to(path).parts)
            folders[:] = sorted(n for n in folders if n[0] not in "._") if depth < _DEEPEST else []
            seen += len(names)
            files += [Path(place, name) for name in sorted(names) if name[0] not in "._"]
            if len(files) > _MOST_FILES or seen > _MOST_SEEN:
                raise LoraDeckError(
                    tr("Too many files"),
                    tr(
                        "{path} has over {most:,} files below it.",
                        path=shown(path),
                        most=_MOST_FILES,
                    ),
                    tr("Choose the folder that holds the data itself, or join the files."),
                )
    return files


def _raise(error: OSError) -> None:
    """Let a folder that cannot be listed be told of."""
    raise error


def _kind(file: Path) -> str | None:
    """Tell by its name what a file in a folder may hold; other files are passed over."""
    suffixes = [suffix.lower() for suffix in file.suffixes]
    if suffixes and suffixes[-1] in _PACKED:
        suffixes.pop()
    if not suffixes or _ABOUT.fullmatch(file.name):
        return None
    return _KINDS.get(suffixes[-1])


def _one_split(path: Path, files: list[Path]) -> DataFiles:
    """Take the training files where names tell them from those for tests."""
    splits: dict[str, list[Path]] = {}
    for file in files:
        name = file.relative_to(path).as_posix().lower()
        match = _SPLIT.search(name)
        splits.setdefault(match.group(1) if match else "", []).append(file)
    if "train" not in splits or len(splits) == 1:
        return DataFiles(tuple(files))
    kept = (*splits.pop("train"), *splits.pop("", ()))
    return DataFiles(tuple(sorted(kept)), tuple(sorted(splits)), "train")


def _saved_splits(path: Path) -> DataFiles:
    """Take the split to train on from a saved ``DatasetDict``."""
    splits = [str(name) for name in _listed(path / "dataset_dict.json", "splits")]
    splits = [name for name in splits if _is_plain_name(name) and (path / name).is_dir()]
    if not splits:
        raise LoraDeckError(
            tr("No data in this folder"),
            tr("{path} names no split that is there.", path=shown(path)),
            tr("Check that it was copied whole."),
        )
    split = "train" if "train" in splits else splits[0]
    others = tuple(name for name in splits if name != split)
    return DataFiles(_saved_files(path / split), others, split, saved=True)


def _saved_files(path: Path) -> tuple[Path, ...]:
    """Find the Arrow files of a saved ``Dataset``, in the order it gives."""
    entries = _listed(path / "state.json", "_data_files")
    names = [str(one.get("filename")) if isinstance(one, dict) else "" for one in entries]
    files = [path / name for name in names if _is_plain_name(name)]
    if not files or len(files) < len(names):
        raise unreadable(
            path / "state.json", tr("it names no data files"), tr("Save the dataset again.")
        )
    for file in files:
        status(file)
    return tuple(files)


def _is_plain_name(name: str) -> bool:
    """Tell whether a name stays in its folder."""
    return bool(name) and name not in (".", "..") and not set(name) & {"/", "\\", "\0"}


def _listed(path: Path, key: str) -> list[Any]:
    """Read a list from one of the files that ``save_to_disk`` writes."""
    size = status(path).st_size
    with reading(path):
        try:
            value = json.loads(path.read_bytes()) if size < _SAVED_LIMIT else None
        except (ValueError, RecursionError):
            value = None
    found = value.get(key) if isinstance(value, dict) else None
    if not isinstance(found, list):
        raise unreadable(path, tr("it has no list {key}", key=key), tr("Save the dataset again."))
    return found


def _words(found: DataFiles, first: FileSource) -> str:
    """Describe the folder."""
    count = len(found.files)
    words = [tr("datasets folder") if found.saved else first.container]
    words.append(trn("{count:,} file", "{count:,} files", count))
    split, others = shown(found.split), listed(shown(name) for name in found.other_splits)
    if found.split and others:
        words.append(tr("split {split} (not {others})", split=split, others=others))
    elif found.split:
        words.append(tr("split {split}", split=split))
    return listed(words)
