"""An adapter is deployed by command to the Ollama double, which answers in a real llama.cpp."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from safetensors.numpy import load_file, save_file

from tests.ollama_answers import llama_answers
from tests.ollama_double import ollama_double
from tests.tiny_export import keep_prompts, make_adapter, make_base

if TYPE_CHECKING:
    from pathlib import Path

    from tests.end_to_end.conftest import CommandLine

pytestmark = pytest.mark.end_to_end
pytest.importorskip("xllamacpp", reason="the extra 'gguf' is not installed")


def _only_printable(base: Path) -> None:
    """Let a base say printable characters alone: half of one says nothing as text."""
    weights = load_file(base / "model.safetensors")
    weights["lm_head.weight"][[0, 1, *range(3, 259)]] *= 0.01
    save_file(weights, base / "model.safetensors", metadata={"format": "pt"})


def test_the_deployed_file_answers_as_the_adapter_does(
    loradeck: CommandLine, tmp_path: Path
) -> None:
    base = make_base(loradeck.home.models / "tiny")
    _only_printable(base)
    keep_prompts(make_adapter(loradeck.home.adapter("bot"), base), base)
    with llama_answers(tmp_path) as answer, ollama_double(answer=answer) as (url, state):
        command = ("deploy", "bot", "--host", url, "--quantize", "f32", "--name", "Me:v1")
        *_, ended = loradeck.events(*command, "--system", "Be brief.", "--temperature", "0.5")
        assert ended["state"] == "completed"
        made = ended["exported"]
        assert (made["ollama_name"], made["forced"]) == ("Me:v1", False)
        gate = {one["name"]: one for one in made["gate"]}
        for name in ("merged", "gguf f32", "ollama", "ollama chat"):
            assert gate[name]["passed"], gate[name]
        for name in ("ollama", "ollama chat"):
            # A tie falls in llama.cpp as it falls there, whoever asks
            for field in ("prompts", "same_answers", "prompt", "found"):
                assert gate[name][field] == gate["gguf f32"][field]
        assert gate["ollama"]["same_answers"] > gate["ollama"]["prompts"] // 2
        assert gate["base"]["same_answers"] == 0
        assert list(state.models) == ["me:v1"]
        model = state.models["me:v1"]
        assert model.system == "Be brief."
        assert model.parameters["temperature"] == 0.5
        assert model.parameters["stop"] == ["<|im_end|>"]
        assert list(state.blobs) == [model.digest]
        taken = loradeck.run(*command, code=2)
        assert "'Me:v1' already" in taken
        assert "--replace" in taken
    assert list(loradeck.home.exports.iterdir()) == []
    found = {one["name"]: one for one in loradeck.json("models", "scan")["found"]}
    assert {name: one["kind"] for name, one in found.items()} == {"bot": "adapter", "tiny": "base"}
    assert (found["bot"]["base"], found["bot"]["base_here"]) == ("tiny", True)
    absent = loradeck.run(*command, code=2)
    assert f"Nothing answers at {url}" in absent
    assert "ollama serve" in absent
    assert "Not a name for Ollama" in loradeck.run("deploy", "bot", "--name", "a b", code=2)
