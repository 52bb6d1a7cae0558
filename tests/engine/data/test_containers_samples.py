"""The samples: each is read as what the README says it is."""

from __future__ import annotations

from pathlib import Path

import pytest

import sample_datasets
from engine.data.containers.source import open_source
from engine.data.inspect import inspect_dataset

FOLDER = Path(str(sample_datasets.__file__)).parent
SAMPLES = {
    "alpaca_example.csv": ("CSV", "alpaca", 6),
    "alpaca_example.json": ("JSON", "alpaca", 12),
    "alpaca_example.parquet": ("Parquet", "alpaca", 6),
    "alpaca_utf16.csv": ("CSV in UTF-16", "alpaca", 6),
    "alpaca_zh.jsonl": ("JSONL", "alpaca", 12),
    "columns_zh_gb18030.csv": ("CSV in GB18030", "prompt_completion", 5),
    "folder": ("JSONL, 2 files", "alpaca", 4),
    "markdown_example.md": ("Markdown, a row a section", "text", 4),
    "messages_example.arrow": ("Arrow", "messages", 5),
    "messages_example.jsonl.gz": ("JSONL, gzip", "messages", 5),
    "messages_tools.jsonl": ("JSONL", "messages", 4),
    "plain_text.txt": ("Plain text, a row a paragraph", "text", 6),
    "preference_example.jsonl": ("JSONL", "preference", 5),
    "prompt_completion.json.zst": ("JSON, rows under data, zstd", "prompt_completion", 5),
    "prompt_completion.jsonl": ("JSONL", "prompt_completion", 5),
    "question_answer.tsv": ("TSV", "prompt_completion", 5),
    "sharegpt_example.json": ("JSON", "sharegpt", 12),
    "sharegpt_tools.json": ("JSON", "sharegpt", 4),
    "text_example.jsonl": ("JSONL", "text", 5),
}


def test_every_sample_is_in_the_list_and_the_readme() -> None:
    other = {"README.md", "__init__.py", "__pycache__", "broken"}
    files = {path.name for path in FOLDER.iterdir()} - other
    assert files == set(SAMPLES)
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [name for name in SAMPLES if f"`{name}" not in readme] == []


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_are_read_as_what_they_are(name: str) -> None:
    inspection = inspect_dataset(FOLDER / name)
    container, dataset_type, rows = SAMPLES[name]
    assert open_source(FOLDER / name).container == container
    assert (inspection.dataset_type, inspection.rows) == (dataset_type, rows)
    assert inspection.faulty == 0
    assert {one.code for one in inspection.findings} <= {"few-rows"}


def test_the_same_rows_in_three_containers() -> None:
    names = ("alpaca_example.csv", "alpaca_utf16.csv", "alpaca_example.parquet")
    first, *others = (
        [
            {key: value.replace("\r\n", "\n") for key, value in row.items()}
            for row in open_source(FOLDER / name).rows()
            if isinstance(row, dict)
        ]
        for name in names
    )
    assert others == [first, first]
