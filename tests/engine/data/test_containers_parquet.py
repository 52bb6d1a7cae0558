"""What a Parquet file says of itself, read without pyarrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.data.containers.parquet_columns import row_groups, rows_at_once
from engine.data.containers.source import open_source
from engine.data.containers.thrift import Compact
from engine.errors import LoraDeckError

if TYPE_CHECKING:
    from pathlib import Path

ROWS = [{"messages": [{"role": "user", "content": "a" * n}], "n": n} for n in range(50)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "a.parquet", row_group_size=20)
    return tmp_path / "a.parquet"


def test_it_agrees_with_pyarrow(path: Path) -> None:
    with path.open("rb") as raw:
        groups = row_groups(raw)
    meta = pq.read_metadata(path)
    assert [group.rows for group in groups] == [20, 20, 10]
    for index, group in enumerate(groups):
        wanted = meta.row_group(index)
        assert group.size == wanted.total_byte_size
        for number, chunk in enumerate(group.chunks):
            column = wanted.column(number)
            assert chunk.values == column.num_values
            assert chunk.unpacked == column.total_uncompressed_size
            assert chunk.packed == column.total_compressed_size
            assert chunk.first_page == column.dictionary_page_offset
            assert chunk.has_dictionary


def test_a_large_shared_value_means_few_rows_at_once(tmp_path: Path) -> None:
    for name, value, rows in (("a", "x", 512), ("b", "x" * 4_000_000, 15)):
        texts = pa.DictionaryArray.from_arrays(pa.array([0] * 1000, pa.int32()), pa.array([value]))
        pq.write_table(pa.table({"text": texts}), tmp_path / name)
        with (tmp_path / name).open("rb") as raw:
            assert rows_at_once(row_groups(raw)[0], raw) == rows


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x15",
        b"\x15\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x19\xf8\xff\xff\xff\x7f",
        b"\x18\x7f",
        b"\x1c" * 5000,
        b"\x19" * 5000,
        b"\x1b\x01\xbb" * 5000,
        b"\x1e",
    ],
)
def test_damaged_descriptions_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"nested|beyond|without an end|unknown"):
        Compact(data).struct()


def test_each_byte_of_the_end_may_be_damaged(path: Path) -> None:
    whole = path.read_bytes()
    start = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    for at in range(start, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x11]) + whole[at + 1 :])
        try:
            rows = list(open_source(path).rows())
        except LoraDeckError as error:
            assert str(path) in error.message  # noqa: PT017 (most are read all the same)
        else:
            assert rows
