"""The whole way on the demo model, from the dataset to the deployed model (`make show`)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from engine.results.prompts import load_prompts
from tests.ollama_answers import llama_answers
from tests.ollama_double import ollama_double

if TYPE_CHECKING:
    from pathlib import Path

    from tests.end_to_end.conftest import CommandLine

pytestmark = [pytest.mark.end_to_end, pytest.mark.long]
pytest.importorskip("xllamacpp", reason="the extra 'gguf' is not installed")
FORMS = (
    ("adapter", ""),
    ("merged", ""),
    ("gguf", "f16"),
    ("gguf", "q8_0"),
    ("gguf", "q4_k_m"),
)


def _export(loradeck: CommandLine, kind: str, quantize: str) -> dict[str, Any]:
    """Export the adapter and give what was made."""
    given = ("--quantize", quantize) if quantize else ()
    ended = loradeck.events("export", "whole", "--format", kind, *given)[-1]
    assert ended["state"] == "completed", ended
    exported: dict[str, Any] = ended["exported"]
    return exported


def _agreements(exported: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Give what the gate found, by form; shown with ``pytest -s``."""
    for one in exported["gate"]:
        told = {key: one[key] for key in ("agreeing", "tokens", "logprob_mean", "logprob_max")}
        print(one["name"], one["same_answers"], "of", one["prompts"], told)  # noqa: T201
    return {one["name"]: one for one in exported["gate"]}


def test_from_the_dataset_to_the_deployed_model(
    loradeck: CommandLine, demo_home: Path, samples: Path, tmp_path: Path
) -> None:
    loradeck.patience = 1800.0
    (loradeck.home.models / "demo").symlink_to(demo_home / "models" / "demo")
    dataset = samples / "alpaca_example.json"
    events = loradeck.events("train", dataset, "--model", "demo", "--name", "whole")
    assert events[-1]["task"]["status"] == "completed"

    report = loradeck.json("report", "whole")
    assert report["adapter"]["loss"] < report["base"]["loss"] / 10
    assert report["adapter_chrf"] > report["base_chrf"]
    assert (report["ended"], report["asked"]) == (len(report["answers"]),) * 2

    first = load_prompts(loradeck.home.adapter("whole"))[0]
    asked = ("chat", "whole", "--message", first.question, "--temperature", "0")
    *_, answered = loradeck.events(*asked)
    assert (answered["text"], answered["finish"]) == (first.reference, "stop")
    print(answered["first_token_seconds"], "s,", answered["tokens_per_second"])  # noqa: T201

    made = {form: _export(loradeck, *form) for form in FORMS}
    for form in FORMS[1:]:
        gate = _agreements(made[form])
        assert all(one["passed"] for one in gate.values()), gate
    lossless = _agreements(made["gguf", "f16"])
    assert lossless["gguf f16"]["agreeing"] >= 0.98 * lossless["gguf f16"]["tokens"]
    assert lossless["base"]["agreeing"] < 0.8 * lossless["base"]["tokens"]

    with llama_answers(tmp_path) as answer, ollama_double(answer=answer) as (url, state):
        command = ("deploy", "whole", "--host", url, "--quantize", "f16")
        *_, ended = loradeck.events(*command)
        assert ended["state"] == "completed", json.dumps(ended)
        gate = _agreements(ended["exported"])
        for name in ("ollama", "ollama chat"):
            assert gate[name]["passed"]
            assert gate[name]["same_answers"] == gate["gguf f16"]["same_answers"]
        assert list(state.models)
