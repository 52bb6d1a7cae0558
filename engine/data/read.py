"""Read a dataset file whole: its rows, its hash and its size, or words on why it cannot be read."""

from __future__ import annotations

import codecs
import difflib
import hashlib
import shlex
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.data.parse import parse_rows
from engine.data.words import shown
from engine.errors import LoraDeckError, NotFoundError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class RawDataset:
    """A dataset file as it was read, before anything is made of its rows."""

    path: Path
    rows: list[dict[str, Any]]
    """In file order: row number 1 is ``rows[0]``."""
    sha256: str
    size_bytes: int


def read_dataset(path: Path) -> RawDataset:
    """Read a JSON array of objects or a JSONL file; which of the two, its content says.

    Raises:
        NotFoundError: There is no such file.
        LoraDeckError: It is no file, is empty, cannot be read, is not UTF-8, or is not an
            array of objects; names the file and the place.
    """
    try:
        data = _read_bytes(path)
        rows = parse_rows(_decode(data, path), shown(path))
    except MemoryError:
        raise LoraDeckError(
            "Dataset too large",
            f"{shown(path)} does not fit into memory.",
            "Split it into smaller files.",
        ) from None
    return RawDataset(path, rows, hashlib.sha256(data).hexdigest(), len(data))


def _read_bytes(path: Path) -> bytes:
    """Read a regular, non-empty file with a name that can be shown and stored."""
    try:
        str(path).encode()
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise _no_file(path, stat.S_ISDIR(mode))
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise _missing(path) from None
    except UnicodeEncodeError:
        raise _unreadable(path, "its name is not UTF-8", "Rename the file.") from None
    except PermissionError:
        hint = f"Allow it, for example: chmod u+r {shlex.quote(shown(path))}"
        raise _unreadable(path, "permission denied", hint) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or shown(error)
        raise _unreadable(path, reason, "Check the path and the disk.") from None
    if not data.removeprefix(codecs.BOM_UTF8).strip():
        raise _empty(path)
    return data


def _missing(path: Path) -> NotFoundError:
    """Say that there is no such file, and which name in that folder comes near."""
    try:
        names = [sibling.name for sibling in path.parent.iterdir()]
    except (OSError, ValueError):
        names = []
    near = difflib.get_close_matches(path.name, names, n=1)
    hint = f"Did you mean {shown(near[0])}? " if near else ""
    return NotFoundError(
        "Dataset not found", f"There is no file {shown(path)}.", f"{hint}Check the path."
    )


def _no_file(path: Path, is_folder: bool) -> LoraDeckError:
    """Say that the path leads to a folder or a device."""
    kind = "a folder" if is_folder else "not a regular file"
    return LoraDeckError(
        "Not a dataset file",
        f"{shown(path)} is {kind}.",
        "Choose a JSON or JSONL file" + (" in it." if is_folder else "."),
    )


def _unreadable(path: Path, reason: str, hint: str) -> LoraDeckError:
    """Say that the file is there but cannot be read."""
    return LoraDeckError("Dataset cannot be read", f"{shown(path)} cannot be read: {reason}.", hint)


def _empty(path: Path) -> LoraDeckError:
    """Say that nothing is in the file."""
    return LoraDeckError(
        "Dataset is empty",
        f"{shown(path)} has nothing in it.",
        "Check that it was written or copied whole.",
    )


def _decode(data: bytes, path: Path) -> str:
    """Decode UTF-8, with or without a byte order mark."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in data[:4]:
        raise _not_utf8(path, "It looks like UTF-16.", "UTF-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # A decoder that skipped the mark counts from behind it
        at = error.start + len(data) - len(error.object)
        line = data.count(b"\n", 0, at) + 1
        place = f"Byte {at} (0x{data[at]:02X}, line {line}) is not UTF-8."
        raise _not_utf8(path, place, "GB18030") from None


def _not_utf8(path: Path, place: str, encoding: str) -> LoraDeckError:
    """Say where the file stops being UTF-8 and how to convert it."""
    name = shown(path)
    quoted = shlex.quote(name)
    hint = f"Convert it: iconv -f {encoding} -t UTF-8 {quoted} > converted{shown(path.suffix)}"
    if encoding != "UTF-16":
        hint += f" (put the file's own encoding in the place of {encoding})"
    return LoraDeckError("Dataset is not UTF-8", f"{name} is not UTF-8 text. {place}", hint)
