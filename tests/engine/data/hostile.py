"""Files made to fill memory or time, each of some kilobytes where that is possible."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROW = {"instruction": "a", "output": "b"}
BIG = "x" * 4_000_000


def gzip_bomb(path: Path) -> None:
    """1 GB of rows in 1 MB: the same packed piece again and again."""
    line = json.dumps({"instruction": "a" * 990, "output": "b"}).encode() + b"\n"
    path.write_bytes(gzip.compress(line * 16_000, 9) * 64)


def gzip_bomb_of_one_line(path: Path) -> None:
    """A line without an end."""
    path.write_bytes(
        b"".join([gzip.compress(b'{"output": "'), gzip.compress(b" " * (1 << 24)) * 64])
    )


def gzip_bomb_of_blanks(path: Path) -> None:
    """Blank lines before the first row, for as long as one likes."""
    path.write_bytes(gzip.compress(b"\n" * (1 << 24)) * 64)


def zstd_bomb(path: Path) -> None:
    """1 GB of text in 100 kB."""
    with pa.CompressedOutputStream(str(path), "zstd") as out:
        for _ in range(64):
            out.write(b"y" * (1 << 24))


def long_line(path: Path) -> None:
    """A row of 200 MB."""
    with path.open("wb") as file:
        file.write(b'{"instruction": "a", "output": "')
        for _ in range(200):
            file.write(b"x" * 1_000_000)
        file.write(b'"}\n')


def long_text(path: Path) -> None:
    """A word of 40 MB."""
    path.write_bytes(b"x" * 40_000_000)


def long_cell(path: Path) -> None:
    """A quote that nothing closes."""
    path.write_bytes(b'instruction,output\na,"' + b"line\n" * 8_000_000)


def many_lists(path: Path) -> None:
    """A row of 20 MB that would be 400 MB of empty lists."""
    path.write_text('{"output": [' + "[]," * 6_000_000 + "[]]}")


def deep(path: Path) -> None:
    """Lists in lists, 100,000 deep, closed again."""
    path.write_text('[{"output": ' + "[" * 100_000 + "]" * 100_000 + "}]")


def deep_lines(path: Path) -> None:
    """The same as JSONL."""
    line = '{"output": ' + "[" * 100_000 + "]" * 100_000 + "}\n"
    path.write_text(line * 2)


def deep_parquet(path: Path) -> None:
    """A column of lists nested 70 deep."""
    value: Any = "a"
    for _ in range(70):
        value = [value]
    pq.write_table(pa.table({"a": [value]}), path)


def parquet_bomb(path: Path) -> None:
    """A text of 4 MB, stored once, in 2,000 rows: 8 GB in some hundred bytes."""
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 2000, pa.int32()), pa.array([BIG]))
    pq.write_table(pa.table({"output": texts}), path, compression="zstd")


def parquet_bomb_in_lists(path: Path) -> None:
    """The same inside the turns of one row."""
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 2000, pa.int32()), pa.array([BIG]))
    turns = pa.StructArray.from_arrays([texts, texts], ["role", "content"])
    rows = pa.ListArray.from_arrays(pa.array([0, 2000], pa.int32()), turns)
    pq.write_table(pa.table({"messages": rows}), path, compression="zstd")


def parquet_of_nulls(path: Path) -> None:
    """Twenty million rows of nothing."""
    pq.write_table(pa.table({"a": pa.nulls(20_000_000, pa.int8())}), path)


def parquet_of_one_large_page(path: Path) -> None:
    """80 MB of one letter, packed into some kilobytes."""
    table = pa.table({"a": ["z" * 20_000_000] * 4})
    pq.write_table(table, path, compression="zstd", use_dictionary=False)


def arrow_bomb(path: Path) -> None:
    """100 MB of one letter in a record batch of some kilobytes."""
    feather.write_feather(pa.table({"a": ["z" * 100_000_000]}), path, compression="zstd")


def arrow_dictionary_bomb(path: Path) -> None:
    """A text of 4 MB, stored once, in 2,000 rows, not packed at all."""
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 2000, pa.int32()), pa.array([BIG]))
    feather.write_feather(pa.table({"output": texts}), path, compression="uncompressed")


BOMBS: dict[str, Callable[[Path], None]] = {
    "bomb.jsonl.gz": gzip_bomb,
    "line.jsonl.gz": gzip_bomb_of_one_line,
    "blank.jsonl.gz": gzip_bomb_of_blanks,
    "text.txt.zst": zstd_bomb,
    "line.jsonl": long_line,
    "line.json": long_line,
    "word.txt": long_text,
    "cell.csv": long_cell,
    "lists.jsonl": many_lists,
    "deep.json": deep,
    "deep.jsonl": deep_lines,
    "deep.parquet": deep_parquet,
    "bomb.parquet": parquet_bomb,
    "turns.parquet": parquet_bomb_in_lists,
    "nulls.parquet": parquet_of_nulls,
    "page.parquet": parquet_of_one_large_page,
    "bomb.arrow": arrow_bomb,
    "dictionary.arrow": arrow_dictionary_bomb,
}
