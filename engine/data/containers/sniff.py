"""Find out what a file is by looking at its first bytes; its name is only a hint."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engine.data.containers.arrow import FILE_MAGIC, STREAM_MAGIC
from engine.data.containers.delimited import find_dialect
from engine.data.containers.encoding import SAMPLE, guess_encoding
from engine.data.containers.json_values import DECODER
from engine.data.containers.prose import has_headings
from engine.data.containers.refusals import KINDS, empty, reading
from engine.data.containers.stream import chunks, packing_of
from engine.data.words import shown
from engine.errors import LoraDeckError
from engine.language import mark, tr

if TYPE_CHECKING:
    from pathlib import Path

    from engine.data.containers.delimited import Dialect
    from engine.data.containers.encoding import Encoding
    from engine.data.containers.stream import Packing

Kind = Literal["parquet", "arrow", "jsonl", "list", "object", "value", "table", "text", "markdown"]
_LONGEST_BLANK = 4_000_000
_FURTHER = 64_000_000
_OTHERS = {
    b"PK\x03\x04": (
        mark("a ZIP archive (or an Excel workbook)"),
        mark("Unpack it, or save it as CSV."),
    ),
    b"BZh": (mark("packed with bzip2"), mark("Unpack it: bunzip2 {file}")),
    b"\xfd7zXZ\0": (mark("packed with xz"), mark("Unpack it: unxz {file}")),
    b"7z\xbc\xaf\x27\x1c": (mark("a 7z archive"), mark("Unpack it.")),
    b"%PDF": (mark("a PDF"), mark("Save its text as a text file.")),
    b"SQLite format 3\0": (mark("an SQLite database"), mark("Export its table as CSV or JSON.")),
    b"FEA1": (
        mark("a Feather file of the first version"),
        mark("Save it again with pyarrow: Feather 2."),
    ),
    b"Obj\x01": (mark("an Avro file"), mark("Save it as Parquet or JSONL.")),
    b"ORC": (mark("an ORC file"), mark("Save it as Parquet.")),
    b"\x89PNG": (mark("a picture"), ""),
    b"\xff\xd8\xff": (mark("a picture"), ""),
    b"\x7fELF": (mark("a program"), ""),
    b"GGUF": (mark("a GGUF model"), mark("Choose it as the base model.")),
    b"\x93NUMPY": (mark("a NumPy array"), mark("Save it as Parquet or JSONL.")),
    b"\x89HDF": (mark("an HDF5 file"), mark("Save it as Parquet or JSONL.")),
}
_A_PICKLE = (
    mark("a pickle, which can run code when it is read"),
    mark("Save it as JSONL or Parquet."),
)
_PICKLE = re.compile(rb"\x80[\x02-\x05][\x95c}\](K]")
_JSON_LIST = re.compile(r'\[\s*(?:[{\["\]\d-]|true|false|null|$)')
_JSON_OBJECT = re.compile(r'\{\s*(?:["}\']|$|\w+\s*:)')
_JSON_SUFFIXES = {".json", ".jsonl", ".ndjson"}
_TABLE_SUFFIXES = {".csv", ".tsv", ".tab", ".psv"}
_TEXT_SUFFIXES = {".txt", ".text", ".md", ".markdown"}
_MARKDOWN_SUFFIXES = {".md", ".markdown"}
_PACKED_SUFFIXES = {".gz", ".gzip", ".zst", ".zstd"}
_CONTROL = re.compile("[\0-\x08\x0e-\x1a\x1c-\x1f]")
_COLUMN_NAME = re.compile(r"[^.!?。！？]{1,64}")


@dataclass(frozen=True)
class Look:
    """What a file is."""

    kind: Kind
    packing: Packing
    encoding: Encoding
    sample: str
    """The beginning of a text, decoded as far as it can be."""
    whole: bool
    """Whether the sample is all there is."""
    suffix: str
    dialect: Dialect | None = None


def look(path: Path) -> Look:
    """Find out what a file is.

    Raises:
        LoraDeckError: It holds nothing, cannot be read, or is of a kind that holds no rows.
    """
    packing = packing_of(path)
    head, whole = _head(path, packing)
    suffix = _suffix(path)
    if (binary := _binary(head)) is not None:
        return Look(binary, packing, guess_encoding(b""), "", whole, suffix)
    _refuse_others(path, head)
    encoding = guess_encoding(_telling(path, packing, head, whole))
    sample = head[encoding.mark :].decode(encoding.codec, "replace")
    if not sample.strip("\ufeff\0 \t\r\n\ufffd"):
        raise empty(path) if not sample.strip() else _no_text(path)
    if len(_CONTROL.findall(sample)) > len(sample) // 50:
        raise _no_text(path)
    kind, dialect = _text_kind(sample, whole, suffix)
    return Look(kind, packing, encoding, sample, whole, suffix, dialect)


def _head(path: Path, packing: Packing) -> tuple[bytes, bool]:
    """Read 64 kB from the first byte on that is no blank; tell whether that is all."""
    head = bytearray()
    pieces = chunks(path, packing)
    for piece in pieces:
        head += piece
        if len(head) > _LONGEST_BLANK or len(head.lstrip()) >= SAMPLE:
            pieces.close()  # type: ignore[attr-defined]
            if not head.strip():
                raise empty(path)
            blank = len(head) - len(head.lstrip())
            return bytes(head[: blank + SAMPLE]), False
    if not head.strip():
        raise empty(path)
    return bytes(head), True


def _telling(path: Path, packing: Packing, head: bytes, whole: bool) -> bytes:
    """Give the bytes to judge the encoding by: where the head is mere ASCII, some further on."""
    if whole or packing or not head.isascii() or b"\0" in head:
        return head
    with reading(path), path.open("rb") as file:
        while (piece := file.read(1 << 20)) and file.tell() < _FURTHER:
            if not piece.isascii():
                piece += file.read(SAMPLE)
                first = next(at for at, byte in enumerate(piece) if byte > 0x7F)
                return piece[first : first + SAMPLE]
    return head


def _binary(head: bytes) -> Kind | None:
    """Recognise the binary formats that hold tables."""
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(FILE_MAGIC):
        return "arrow"
    is_stream = head.startswith(STREAM_MAGIC) and 0 < int.from_bytes(head[4:8], "little") < 1 << 26
    return "arrow" if is_stream else None


def _refuse_others(path: Path, head: bytes) -> None:
    """Say what a file is that holds no rows."""
    found = next((words for magic, words in _OTHERS.items() if head.startswith(magic)), None)
    if found is None and _PICKLE.match(head):
        found = _A_PICKLE
    if found is not None:
        what, hint = found
        hint = tr(hint, file=shown(path.name))
        wanted = tr("A dataset is {kinds}.", kinds=tr(KINDS))
        raise LoraDeckError(
            tr("Not a dataset file"),
            tr("{path} is {what}.", path=shown(path), what=tr(what)),
            f"{hint} {wanted}",
        )


def _no_text(path: Path) -> LoraDeckError:
    """Say that a file is neither text nor a table."""
    return LoraDeckError(
        tr("Not a dataset file"),
        tr("{path} holds binary data of an unknown kind.", path=shown(path)),
        tr("A dataset is {kinds}.", kinds=tr(KINDS)),
    )


def _suffix(path: Path) -> str:
    """Give the suffix that tells of the content: that before ``.gz``."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in _PACKED_SUFFIXES:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _text_kind(sample: str, whole: bool, suffix: str) -> tuple[Kind, Dialect | None]:
    """Tell the text formats apart."""
    text = sample.lstrip("\ufeff \t\r\n")
    is_json = suffix in _JSON_SUFFIXES
    if is_json or (suffix not in _TABLE_SUFFIXES and _JSON_OBJECT.match(text)):
        return _json_kind(text, whole, suffix), None
    if _JSON_LIST.match(text) or _JSON_OBJECT.match(text):
        return _json_kind(text, whole, suffix), None
    dialect = find_dialect(sample.lstrip("\ufeff\r\n"), whole)
    if suffix in _TABLE_SUFFIXES or _is_table(sample, dialect, suffix):
        return "table", dialect
    if suffix in _MARKDOWN_SUFFIXES or (suffix not in _TEXT_SUFFIXES and has_headings(sample)):
        return "markdown", None
    return "text", None


def _json_kind(text: str, whole: bool, suffix: str) -> Kind:
    """Tell apart a list, an object and an object a line."""
    if text.startswith("["):
        return "jsonl" if suffix != ".json" and _is_lines(text, "]", "[") else "list"
    if not text.startswith("{"):
        return "jsonl" if suffix != ".json" and "\n" in text.strip() else "value"
    return "jsonl" if _is_lines(text, "}", "{") and _goes_on(text, whole) else "object"


def _is_lines(text: str, closing: str, opening: str) -> bool:
    """Tell by the first two lines: a value that ends where its line ends is one of many."""
    first, _, rest = text.replace("\r", "\n").partition("\n")
    try:
        DECODER.decode(first)
    except RecursionError:
        return bool(rest.strip())
    except json.JSONDecodeError as error:
        if error.pos >= len(first.rstrip()) and not error.msg.startswith("Unterminated"):
            return False  # it goes on in the next line
        # A broken first row is still one where its line, or the next, looks like a whole row
        second = rest.lstrip()
        return opening == "{" and (first.rstrip().endswith(closing) or second.startswith(opening))
    return bool(rest.strip())


def _goes_on(text: str, whole: bool) -> bool:
    """Tell whether more than one line has something on it."""
    return not whole or "\n" in text.strip().replace("\r", "\n")


def _is_table(sample: str, dialect: Dialect, suffix: str) -> bool:
    """Tell a table without a telling name from prose that has commas."""
    if dialect.columns < 2 or dialect.records < 2 or dialect.steady < 0.9:
        return False
    lines = sample.strip("\ufeff\r\n").splitlines()
    header = lines[0].split(dialect.delimiter)
    if not all(_COLUMN_NAME.fullmatch(cell.strip()) for cell in header):
        return False
    return dialect.delimiter == "\t" or suffix not in _TEXT_SUFFIXES or dialect.records > 2
