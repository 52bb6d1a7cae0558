"""Write rows in every format, then damage the bytes."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

from tests.fuzz.rows import some_rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

_ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-be", "gb18030", "cp1252")
_PIECES = (
    *(
        b"\x00",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b'"',
        b'""',
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
    ),
    *(b"\n", b"\r", b"\r\n", b"\t", b";", b"NaN", b"1e999", b"-", b"\\ud800", b"\xed\xa0\x80"),
    *(b"```\n", b"# ", b"PAR1", b"ARROW1", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\xff" * 8),
    *(b"\x80", b"\x7f\xff\xff\xff", b"\x00" * 16, b"[" * 2000, b'{"a":' * 500, b"9" * 6000),
)
_SUFFIXES = (".json", ".jsonl", ".csv", ".tsv", ".txt", ".md", ".parquet", ".arrow", "", ".gz")


def make_file(random: Random) -> tuple[str, bytes]:
    """Give the name and the bytes of a file that may be damaged anywhere."""
    suffix = random.choice(list(_WRITERS))
    data = _WRITERS[suffix](some_rows(random), random)
    if random.random() < 0.75:
        data = damaged(data, random)
    packing = random.choice(("", "", "", "", ".gz", ".zst"))
    if packing:
        data = _packed(data, packing)
        if random.random() < 0.5:
            data = damaged(data, random)
        suffix += packing
    if random.random() < 0.15:
        suffix = random.choice(_SUFFIXES)
    return f"data{suffix}", data


def _json(rows: list[Any], random: Random) -> bytes:
    """Write a list, or an object around it."""
    value: Any = random.choice((rows, rows, rows[0], {"version": 1, "data": rows}))
    indent = random.choice((None, 1))
    return _encoded(json.dumps(value, ensure_ascii=random.random() < 0.5, indent=indent), random)


def _jsonl(rows: list[Any], random: Random) -> bytes:
    """Write an object a line."""
    lines = [json.dumps(row, ensure_ascii=random.random() < 0.5) for row in rows]
    return _encoded(random.choice(("\n", "\n", "\r\n", "\r")).join(lines), random)


def _csv(rows: list[Any], random: Random) -> bytes:
    """Write a table of texts."""
    rows = [row for row in rows if isinstance(row, dict)]
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    to = csv.writer(out, delimiter=random.choice(",,\t;|"), quoting=random.choice((0, 1)))
    to.writerow(names)
    for row in rows:
        cells = [row.get(name) for name in names]
        to.writerow([one if isinstance(one, str) else json.dumps(one) for one in cells])
    return _encoded(out.getvalue(), random)


def _prose(rows: list[Any], random: Random) -> bytes:
    """Write paragraphs under headings."""
    parts = [random.choice(("", "# Title\n", "- ")) + str(row) for row in rows]
    return _encoded(random.choice(("\n", "\n\n", "\r\n\r\n")).join(parts), random)


def _table(rows: list[Any]) -> pa.Table:
    """Make a table of the rows; of their JSON where Arrow cannot write them."""
    try:
        table = pa.Table.from_pylist([row for row in rows if isinstance(row, dict)])
        # Both writers have a depth at which they end
        feather.write_feather(table, io.BytesIO())
        pq.write_table(table, io.BytesIO())
    except (pa.ArrowException, ValueError, OverflowError, TypeError, RecursionError):
        table = pa.table({"text": [json.dumps(row) for row in rows]})
    return table


def _parquet(rows: list[Any], random: Random) -> bytes:
    """Write Parquet."""
    out = io.BytesIO()
    pq.write_table(_table(rows), out, compression=random.choice(("none", "snappy", "zstd")))
    return out.getvalue()


def _arrow(rows: list[Any], random: Random) -> bytes:
    """Write an Arrow file or stream."""
    table, out = _table(rows), io.BytesIO()
    if random.random() < 0.5:
        feather.write_feather(table, out, compression=random.choice(("lz4", "uncompressed")))
        return out.getvalue()
    with pa.ipc.new_stream(out, table.schema) as to:
        to.write_table(table, max_chunksize=3)
    return out.getvalue()


_WRITERS: dict[str, Callable[[list[Any], Random], bytes]] = {
    ".json": _json,
    ".jsonl": _jsonl,
    ".csv": _csv,
    ".txt": _prose,
    ".md": _prose,
    ".parquet": _parquet,
    ".arrow": _arrow,
}


def _encoded(text: str, random: Random) -> bytes:
    """Encode a text; half characters become bytes that are none."""
    encoding = random.choice(_ENCODINGS)
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _packed(data: bytes, packing: str) -> bytes:
    """Pack bytes, always to the same ones."""
    if packing == ".gz":
        return gzip.compress(data, mtime=0)
    packed: bytes = pa.compress(data, codec="zstd", asbytes=True)
    return packed


def damaged(data: bytes, random: Random) -> bytes:
    """Damage the bytes in one to five places."""
    for _ in range(random.choice((1, 1, 2, 5))):
        data = _damaged_once(data, random)
    return data


def _damaged_once(data: bytes, random: Random) -> bytes:
    """Damage the bytes in one place."""
    one, two = sorted((random.randint(0, len(data)), random.randint(0, len(data))))
    near = min(len(data), one + random.randint(0, 40))
    return random.choice(_DAMAGES)(data, one, random.choice((two, near, near)), random)


def _cut(data: bytes, one: int, two: int, random: Random) -> bytes:
    """Lose the end, or a piece."""
    return data[:one] + (b"" if random.random() < 0.5 else data[two:])


def _doubled(data: bytes, one: int, two: int, random: Random) -> bytes:
    """Repeat a piece."""
    times = random.choice((2, 4, 200)) if two - one < 1000 else 2
    return data[:one] + data[one:two] * times + data[two:]


def _swapped(data: bytes, one: int, two: int, random: Random) -> bytes:
    """Put the beginning behind what follows it."""
    return data[one:two] + data[:one] + data[two:]


def _inserted(data: bytes, one: int, two: int, random: Random) -> bytes:
    """Insert something telling."""
    return data[:one] + random.choice(_PIECES) + data[one:]


def _overwritten(data: bytes, one: int, two: int, random: Random) -> bytes:
    """Put something telling, or mere noise, over what is there."""
    piece = random.choice((random.choice(_PIECES), random.randbytes(min(40, two - one))))
    return data[:one] + piece + data[one + len(piece) :]


def _spliced(data: bytes, one: int, two: int, random: Random) -> bytes:
    """Go on with the end of another file."""
    other = random.choice(list(_WRITERS.values()))(some_rows(random), random)
    return data[:one] + other[random.randint(0, len(other)) :]


def _flipped(data: bytes, one: int, two: int, random: Random) -> bytes:
    """Flip some bits."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 4, 30)) if data else 0):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


_DAMAGES = (_cut, _doubled, _swapped, _inserted, _overwritten, _spliced, _flipped)
