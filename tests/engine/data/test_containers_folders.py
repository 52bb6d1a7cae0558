"""Folders of files, and those that ``datasets`` saves."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from engine.data.containers.source import open_source
from engine.data.faults import FaultyRowError
from engine.errors import LoraDeckError

if TYPE_CHECKING:
    from pathlib import Path

ROWS = [{"instruction": f"q{number}", "output": "a"} for number in range(4)]


def write(path: Path, rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(map(json.dumps, rows)))


def save(folder: Path, rows: list[dict[str, str]]) -> None:
    """Write what ``Dataset.save_to_disk`` writes, in two files."""
    folder.mkdir(parents=True)
    table = pa.Table.from_pylist(rows)
    names = [f"data-{number:05}-of-00002.arrow" for number in range(2)]
    for name, part in zip(names, (table.slice(0, 1), table.slice(1)), strict=True):
        with pa.ipc.new_stream(folder / name, table.schema) as out:
            out.write_table(part)
    state: dict[str, Any] = {"_data_files": [{"filename": name} for name in names]}
    (folder / "state.json").write_text(json.dumps(state))
    (folder / "dataset_info.json").write_text("{}")


def test_files_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    write(tmp_path / "b.jsonl", ROWS[2:])
    write(tmp_path / "a.jsonl", ROWS[:2])
    write(tmp_path / ".hidden.jsonl", ROWS)
    (tmp_path / "README.md").write_text("# About\n\nNo rows.")
    (tmp_path / "LICENSE").write_text("All yours.")
    source = open_source(tmp_path)
    assert source.container == "JSONL, 2 files"
    assert list(source.rows()) == ROWS
    assert source.share() == 1.0
    assert [source.file_of(row).name for row in (1, 2, 3, 4)] == ["a.jsonl"] * 2 + ["b.jsonl"] * 2


def test_a_fault_names_its_file(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", ROWS)
    (tmp_path / "b.jsonl").write_text('{"instruction": "a", "output": "b"}\n{broken}\n')
    fault = list(open_source(tmp_path).rows())[-1]
    assert isinstance(fault, FaultyRowError)
    assert fault.detail.startswith("in b.jsonl, line 2, column 2")


def test_one_split_is_taken(tmp_path: Path) -> None:
    write(tmp_path / "data" / "train-00000.jsonl", ROWS[:3])
    write(tmp_path / "data" / "test-00000.jsonl", ROWS[3:])
    source = open_source(tmp_path)
    assert source.container == "JSONL, 1 file, split train (not test)"
    assert source.other_splits == ("test",)
    assert list(source.rows()) == ROWS[:3]


def test_several_kinds_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", ROWS)
    (tmp_path / "b.csv").write_text("a,b\n1,2\n")
    with pytest.raises(LoraDeckError, match="several kinds: JSON, CSV"):
        open_source(tmp_path)


@pytest.mark.parametrize("name", ["picture.png", "README.md", ".hidden.json"])
def test_a_folder_without_data_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("a")
    with pytest.raises(LoraDeckError, match="no data files"):
        open_source(tmp_path)


def test_a_saved_dataset(tmp_path: Path) -> None:
    save(tmp_path / "saved", ROWS)
    source = open_source(tmp_path / "saved")
    assert source.container == "datasets folder, 2 files"
    assert list(source.rows()) == ROWS


def test_a_saved_dataset_dict(tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    save(folder / "test", ROWS[3:])
    save(folder / "train", ROWS[:3])
    (folder / "dataset_dict.json").write_text('{"splits": ["test", "train"]}')
    source = open_source(folder)
    assert source.container == "datasets folder, 2 files, split train (not test)"
    assert list(source.rows()) == ROWS[:3]


@pytest.mark.parametrize(
    "state",
    [
        '{"_data_files": [{"filename": "../../secret.arrow"}]}',
        '{"_data_files": []}',
        '{"_data_files": 5}',
        "[" * 5000,
        "{}",
        '{"_data_files": [{"filename": "gone.arrow"}]}',
    ],
)
def test_a_saved_dataset_that_leads_elsewhere(tmp_path: Path, state: str) -> None:
    save(tmp_path / "saved", ROWS)
    (tmp_path / "saved" / "state.json").write_text(state)
    with pytest.raises(LoraDeckError):
        open_source(tmp_path / "saved")


def test_what_datasets_itself_saves(tmp_path: Path) -> None:
    code = (
        "import sys, datasets; rows = datasets.Dataset.from_list([{'a': 'x'}, {'a': 'y'}]); "
        "datasets.DatasetDict(train=rows.shuffle(1), test=rows).save_to_disk(sys.argv[1])"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "saved")], check=True, capture_output=True
    )
    rows = [row for row in open_source(tmp_path / "saved").rows() if isinstance(row, dict)]
    assert sorted(row["a"] for row in rows) == ["x", "y"]
