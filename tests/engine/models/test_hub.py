"""Fetching from the hub, against a double of it; each in a process, as HF_ENDPOINT is read once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from engine.models.catalog import find_model
from engine.models.hub import is_hub_id
from tests.engine.models.hub_double import Hub, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.home import Home


@pytest.fixture
def hub(tmp_path: Path, tiny_llama: Path) -> Iterator[Hub]:
    shutil.copytree(tiny_llama, tmp_path / "hub" / "org" / "tiny")
    with serve(tmp_path / "hub") as hub:
        yield hub


def pull(name: str, **env: str) -> tuple[int, dict[str, Any]]:
    """Run a pull as the engine server does; give its exit status and last line."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "engine.models.pull", name],
        env=os.environ | env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


def test_a_model_is_fetched_without_its_code_and_pickles(home: Home, hub: Hub) -> None:
    for name in ("pytorch_model.bin", "modeling_tiny.py", "training_args.bin"):
        (hub.root / "org" / "tiny" / name).write_bytes(b"import os")
    status, answer = pull("org/tiny", HF_ENDPOINT=hub.endpoint)
    assert (status, answer["ready"]["state"]) == (0, "ready"), answer
    assert find_model(home, "org/tiny").model_dump(mode="json") == answer["ready"]
    assert not [path for path in hub.asked if path.endswith((".bin", ".py"))]
    asked = len(hub.asked)
    assert pull("org/tiny", HF_ENDPOINT=hub.endpoint) == (0, answer)
    assert len(hub.asked) == asked


def test_what_cannot_be_trained_is_not_downloaded(home: Home, hub: Hub) -> None:
    file = hub.root / "org" / "tiny" / "config.json"
    quantized = {"quantization_config": {"quant_method": "gptq"}}
    file.write_text(json.dumps(json.loads(file.read_text()) | quantized))
    status, answer = pull("org/tiny", HF_ENDPOINT=hub.endpoint)
    assert status != 0
    assert "already quantized (gptq)" in json.dumps(answer)
    assert not [path for path in hub.asked if path.endswith(".safetensors")]


def test_an_interrupted_download_is_finished(home: Home, hub: Hub, cache: Path) -> None:
    pull("org/tiny", HF_ENDPOINT=hub.endpoint)
    (snapshot,) = (cache / "models--org--tiny" / "snapshots").iterdir()
    blob = (snapshot / "model.safetensors").resolve()
    (snapshot / "model.safetensors").unlink()
    blob.unlink()
    assert find_model(home, "org/tiny").state == "absent"
    assert pull("org/tiny", HF_ENDPOINT=hub.endpoint)[0] == 0


def test_pickles_alone_are_not_even_fetched(home: Home, hub: Hub) -> None:
    weights = hub.root / "org" / "tiny" / "model.safetensors"
    weights.rename(weights.with_name("pytorch_model.bin"))
    status, answer = pull("org/tiny", HF_ENDPOINT=hub.endpoint)
    assert (status, answer["error"]["title"]) == (1, "No safetensors in this model")
    assert not [path for path in hub.asked if "resolve" in path]


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("org/unknown", "NotFoundError", "no public model org/unknown"),
        ("org/gated", "LoraDeckError", "licence to be accepted"),
    ],
)
def test_refusals_in_words(home: Home, hub: Hub, name: str, kind: str, words: str) -> None:
    status, answer = pull(name, HF_ENDPOINT=hub.endpoint)
    assert (status, answer["error"]["kind"]) == (1, kind), answer
    assert words in answer["error"]["message"]
    assert answer["error"]["hint"]


@pytest.mark.parametrize("env", [{"HF_ENDPOINT": "http://127.0.0.1:9"}, {"HF_HUB_OFFLINE": "1"}])
def test_no_network_in_words(home: Home, env: dict[str, str]) -> None:
    status, answer = pull("org/tiny", **env)
    assert (status, answer["error"]["title"].partition(" ")[0]) == (1, "Hub")
    assert answer["error"]["hint"]


@pytest.mark.parametrize("name", ["org/name", "Qwen/Qwen2.5-0.5B", "a/b_c-d.e"])
def test_hub_ids(name: str) -> None:
    assert is_hub_id(name)


@pytest.mark.parametrize(
    "name", ["name", "a/b/c", "/a", "a/", "a--b/c", "a..b/c", "a b/c", "a/b\n"]
)
def test_no_hub_ids(name: str) -> None:
    assert not is_hub_id(name)
