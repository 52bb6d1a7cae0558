"""Tables, texts, packed files and other encodings: found by content, read as JSON values."""

from __future__ import annotations

import csv
import datetime
import gzip
import io
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from engine.data.containers.source import open_source
from engine.data.faults import FaultyRowError
from engine.errors import LoraDeckError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS = [
    {"instruction": "What is it?", "output": 'It is "bread",\nmade of flour; water | salt.'},
    {"instruction": "Wie heißt es?", "output": "Brot, süß und größer als sonst."},
    {"instruction": "Et après ?", "output": "Très bien."},
]
JAPANESE = "アダプターとは何ですか。小さなファイルで、モデルの話し方を変えます。"
CHINESE = [{"问题": "什么是适配器？", "答案": "一个小文件，它改变模型的说话方式。"}] * 3


def read(path: Path) -> list[Any]:
    return list(open_source(path).rows())


def table(rows: list[dict[str, str]], delimiter: str = ",", end: str = "\r\n") -> str:
    out = io.StringIO()
    to = csv.DictWriter(out, rows[0], delimiter=delimiter, lineterminator=end)
    to.writeheader()
    to.writerows(rows)
    return out.getvalue()


@pytest.mark.parametrize(
    ("delimiter", "end", "name", "container"),
    [
        (",", "\r\n", "a.csv", "CSV"),
        (",", "\n", "a", "CSV"),
        ("\t", "\n", "a.txt", "TSV"),
        (";", "\n", "a.csv", "CSV with semicolons"),
        ("|", "\r\n", "a.dat", "CSV with bars"),
    ],
)
def test_the_delimiter_is_found(
    tmp_path: Path, delimiter: str, end: str, name: str, container: str
) -> None:
    path = tmp_path / name
    path.write_bytes(table(ROWS, delimiter, end).encode())
    source = open_source(path)
    assert source.container == container
    assert list(source.rows()) == ROWS


def test_lone_carriage_returns(tmp_path: Path) -> None:
    rows = ROWS[1:]
    (tmp_path / "a.csv").write_bytes(table(rows, end="\r").encode())
    assert read(tmp_path / "a.csv") == rows


def test_backslashes_before_quotes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('question,answer\n"say \\"hi\\", please","\\"hi\\""\nb,c\n')
    assert read(path) == [
        {"question": 'say "hi", please', "answer": '"hi"'},
        {"question": "b", "answer": "c"},
    ]


def test_odd_headers_get_names(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("sep=;\na;;a\n1;2;3\n")
    assert read(path) == [{"a": "1", "column 2": "2", "a (3)": "3"}]


def test_ragged_and_unclosed_records_are_faults(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a,b\n1,2\n3,4,5\n6\n\n7,8\n"9"x,10\n11,"12\n')
    rows = read(path)
    faults = {n: row for n, row in enumerate(rows, 1) if isinstance(row, FaultyRowError)}
    assert {n: (row.code, row.detail) for n, row in faults.items()} == {
        2: ("other-shape", "line 3 has 3 cells, the header 2"),
        3: ("other-shape", "line 4 has 1 cell, the header 2"),
        5: ("broken-json", "line 7: a quoted cell goes on after its quote"),
        6: ("broken-json", "line 8: a quote is opened that nothing closes"),
    }
    assert rows[3] == {"a": "7", "b": "8"}


def test_a_header_alone_is_no_dataset(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("instruction,output\n")
    with pytest.raises(LoraDeckError, match="without a row"):
        open_source(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("encoding", "label"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-16", " in UTF-16"),
        ("utf-16-le", " in UTF-16"),
        ("utf-16-be", " in UTF-16"),
        ("utf-32", " in UTF-32"),
        ("cp1252", " in Windows-1252"),
    ],
)
def test_encodings_of_every_text_format(tmp_path: Path, encoding: str, label: str) -> None:
    forms = {
        "CSV": table(ROWS),
        "JSONL": "\r\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS),
        "JSON": json.dumps(ROWS, ensure_ascii=False),
    }
    for container, text in forms.items():
        path = tmp_path / "a"
        path.write_bytes(text.encode(encoding))
        source = open_source(path)
        assert list(source.rows()) == ROWS
        assert source.container == container + label


@pytest.mark.parametrize(
    ("encoding", "label", "text"),
    [
        ("gb18030", "GB18030", "什么是适配器？它是一个小文件，改变模型的说话方式。"),
        ("gb18030", "GB18030", "你好吗？我很好，谢谢。"),
        ("big5", "Big5", "什麼是適配器？它是一個小檔案，改變模型的說話方式。"),
        (
            "cp932",
            "Shift-JIS",
            JAPANESE,
        ),
        (
            "euc_jp",
            "EUC-JP",
            JAPANESE,
        ),
        ("cp949", "EUC-KR", "어댑터는 무엇입니까? 모델의 말투를 바꾸는 작은 파일입니다."),
        ("cp1251", "Windows-1251", "Что такое адаптер? Это маленький файл, который меняет речь."),
    ],
)
def test_encodings_without_a_mark(tmp_path: Path, encoding: str, label: str, text: str) -> None:
    rows = [{"instruction": "a", "output": text}]
    path = tmp_path / "a.json"
    path.write_bytes(json.dumps(rows, ensure_ascii=False).encode(encoding))
    source = open_source(path)
    assert list(source.rows()) == rows
    assert source.container == f"JSON in {label}"


def test_the_encoding_shows_after_much_ascii(tmp_path: Path) -> None:
    rows = [{"instruction": "a" * 1000, "output": "b"}] * 300 + CHINESE
    path = tmp_path / "a.jsonl"
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_bytes(text.encode("gb18030"))
    assert read(path) == rows


def test_a_stray_byte_in_a_table_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(table(CHINESE).encode() + b"\xff,a\n")
    with pytest.raises(LoraDeckError, match=r"0xFF, line 5\) is not UTF-8"):
        read(path)


def test_plain_text_gives_paragraphs_or_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"One,\r\ntwo.\r\n\r\n\r\nThree.\r\n")
    assert read(path) == [{"text": "One,\ntwo."}, {"text": "Three."}]
    path.write_text("One, two.\nThree, four.\n")
    source = open_source(path)
    assert source.container == "Plain text, a row a line"
    assert list(source.rows()) == [{"text": "One, two."}, {"text": "Three, four."}]


def test_markdown_gives_sections(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("Before.\n\n# A\n\n## B\n\ntext\n\n```sh\n# no heading\n```\n\n## C\nmore\n")
    source = open_source(path)
    assert source.container == "Markdown, a row a section"
    texts = [row["text"] for row in source.rows() if isinstance(row, dict)]
    assert texts == ["Before.", "# A\n\n## B\n\ntext\n\n```sh\n# no heading\n```", "## C\nmore"]


def full_table() -> pa.Table:
    rows = [
        {
            "messages": [{"role": "user", "content": f"q{n}"}],
            "when": datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.UTC),
            "day": datetime.date(2026, 1, n + 1),
            "price": Decimal("1.50"),
            "data": b"\xff\x00",
            "note": None if n else "a",
            "score": float("nan"),
        }
        for n in range(3)
    ]
    made = pa.Table.from_pylist(rows)
    made = made.append_column("map", pa.array([[("k", n)] for n in range(3)], MAP))
    made = made.append_column("kind", pa.array(["x", "y", None]).dictionary_encode())
    return made.append_column("ns", pa.array([1, 2, 1_700_000_000_000_000_001], NANOSECONDS))


MAP = pa.map_(pa.string(), pa.int32())
NANOSECONDS = pa.timestamp("ns")


def to_stream(made: pa.Table, path: Path) -> None:
    with pa.ipc.new_stream(path, made.schema) as out:
        out.write_table(made, max_chunksize=2)


@pytest.mark.parametrize(
    ("write", "container"),
    [
        (pq.write_table, "Parquet"),
        (feather.write_feather, "Arrow"),
        (to_stream, "Arrow"),
    ],
)
def test_tables_become_json_values(
    tmp_path: Path, write: Callable[[pa.Table, Path], None], container: str
) -> None:
    path = tmp_path / "a.json"  # a name that lies
    write(full_table(), path)
    source = open_source(path)
    rows = list(source.rows())
    assert source.container == container
    assert source.share() == 1.0
    assert rows[2] == {
        "messages": [{"role": "user", "content": "q2"}],
        "when": "2026-01-02T03:04:00+00:00",
        "day": "2026-01-03",
        "price": "1.50",
        "data": "/wA=",
        "note": None,
        "score": None,
        "map": {"k": 2},
        "kind": None,
        "ns": "2023-11-14T22:13:20",
    }
    json.dumps(rows, allow_nan=False)


def test_a_cut_table_is_refused(tmp_path: Path) -> None:
    for write in (pq.write_table, feather.write_feather):
        write(full_table(), tmp_path / "whole")
        data = (tmp_path / "whole").read_bytes()
        (tmp_path / "cut").write_bytes(data[: len(data) // 2])
        with pytest.raises(LoraDeckError, match="Broken"):
            read(tmp_path / "cut")


def test_a_value_that_python_cannot_hold_is_a_fault(tmp_path: Path) -> None:
    days = pa.array([1, 10**9], pa.int32()).cast(pa.date32())
    pq.write_table(pa.table({"day": days}), tmp_path / "a.parquet")
    first, second = read(tmp_path / "a.parquet")
    assert first == {"day": "1970-01-02"}
    assert isinstance(second, FaultyRowError)
    assert "row 2" in second.detail


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_packed_files(tmp_path: Path, packing: str) -> None:
    data = "\n".join(map(json.dumps, ROWS)).encode()
    packed = gzip.compress(data) if packing == "gzip" else pa.compress(data, "zstd", asbytes=True)
    path = tmp_path / "a.jsonl"
    path.write_bytes(packed)
    source = open_source(path)
    assert source.container == f"JSONL, {packing}"
    assert list(source.rows()) == ROWS
    path.write_bytes(packed + packed)  # as `cat` joins them
    assert len(read(path)) == 2 * len(ROWS) - 1
    path.write_bytes(packed[:-9])
    with pytest.raises(LoraDeckError, match=f"Broken {packing} file"):
        read(path)


@pytest.mark.parametrize("packing", ["gz", "zst"])
@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_a_packed_table_is_unpacked_first(ending: str, packing: str, tmp_path: Path) -> None:
    plain = tmp_path / f"a.{ending}"
    if ending == "parquet":
        pq.write_table(full_table(), plain)
    else:
        with pa.OSFile(str(plain), "wb") as file, pa.ipc.new_file(file, full_table().schema) as out:
            out.write_table(full_table())
    data = plain.read_bytes()
    packed = tmp_path / f"a.{ending}.{packing}"
    packed.write_bytes(gzip.compress(data) if packing == "gz" else _zstd(data))
    assert read(packed) == read(plain)
    assert ("gzip" if packing == "gz" else "zstd") in open_source(packed).container


def test_a_damaged_packed_table_is_named_as_its_owner_knows_it(tmp_path: Path) -> None:
    pq.write_table(full_table(), tmp_path / "a.parquet")
    data = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet.gz").write_bytes(gzip.compress(data[: len(data) // 2]))
    with pytest.raises(LoraDeckError, match=r"a\.parquet\.gz") as told:
        read(tmp_path / "a.parquet.gz")
    assert "loradeck-" not in told.value.message


def _zstd(data: bytes) -> bytes:
    """Pack bytes."""
    return bytes(pa.compress(data, "zstd", asbytes=True))
