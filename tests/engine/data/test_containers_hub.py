"""Fetching datasets from a double of the hub; each in a process, as HF_ENDPOINT is read once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.data.containers.hub import fetched_dataset
from engine.data.containers.source import open_source
from tests.engine.models.hub_double import Hub, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS = [{"instruction": "a", "output": "b"}, {"instruction": "c", "output": "d"}]
_FETCH = """
import json, sys
from pathlib import Path
from engine.data.containers.hub import fetch_dataset
from engine.errors import LoraDeckError
told = []
try:
    print(json.dumps([str(fetch_dataset(Path(sys.argv[1]), sys.argv[2], told.append)), told]))
except LoraDeckError as error:
    print(json.dumps([type(error).__name__, error.title, error.message, error.hint]))
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    folder = tmp_path / "hub" / "org" / "bread" / "data"
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(ROWS), folder / "train-00000.parquet")
    pq.write_table(pa.Table.from_pylist(ROWS[:1]), folder / "test-00000.parquet")
    for name in ("bread.py", "README.md", "rows.pkl", "dataset_infos.json", "extra.csv"):
        (folder.parent / name).write_text("import os")
    with serve(tmp_path / "hub") as hub:
        yield hub


def fetch(folder: Path, name: str, **env: str) -> list[Any]:
    done = subprocess.run(
        [sys.executable, "-P", "-c", _FETCH, str(folder), name],
        env=os.environ | {"HF_HUB_DISABLE_PROGRESS_BARS": "1"} | env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    found: list[Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_the_data_files_alone_are_fetched_once(tmp_path: Path, hub: Hub) -> None:
    datasets = tmp_path / "datasets"
    assert fetched_dataset(datasets, "org/bread") is None
    place, told = fetch(datasets, "org/bread", HF_ENDPOINT=hub.endpoint)
    folder = fetched_dataset(datasets, "org/bread")
    assert place == str(folder)
    assert (told[0], told[-1]) == (None, 1.0)
    asked = [path for path in hub.asked if "resolve" in path]
    assert {path.rpartition(".")[2] for path in asked} == {"parquet"}
    assert folder is not None
    source = open_source(folder)
    assert source.container == "Parquet, 1 file, split train (not test)"
    assert list(source.rows()) == ROWS
    count = len(hub.asked)
    assert fetch(datasets, "org/bread", HF_ENDPOINT=hub.endpoint) == [place, []]
    assert len(hub.asked) == count


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("org/unknown", "NotFoundError", "no public dataset org/unknown"),
        ("org/gated", "LoraDeckError", "terms to be accepted"),
        ("org/script", "LoraDeckError", "scripts that make rows are not run"),
        ("../../etc", "NotFoundError", "is no owner/name"),
    ],
)
def test_refusals_in_words(tmp_path: Path, hub: Hub, name: str, kind: str, words: str) -> None:
    (hub.root / "org" / "script").mkdir()
    (hub.root / "org" / "script" / "script.py").write_text("import os")
    found = fetch(tmp_path / "datasets", name, HF_ENDPOINT=hub.endpoint)
    assert found[0] == kind
    assert words in found[2]
    assert found[3]


@pytest.mark.parametrize("env", [{"HF_ENDPOINT": "http://127.0.0.1:9"}, {"HF_HUB_OFFLINE": "1"}])
def test_no_network_in_words(tmp_path: Path, env: dict[str, str]) -> None:
    kind, title, _, hint = fetch(tmp_path, "org/bread", **env)
    assert kind == "LoraDeckError"
    assert title in ("Hub not reachable", "Hub switched off")
    assert "at hand" in hint
