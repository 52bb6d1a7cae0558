"""What goes along with an export: a card, where it came from, and what the gate found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from engine import __version__
from engine.models.adapters import ORIGIN
from engine.results.export.types import Agreement

if TYPE_CHECKING:
    from pathlib import Path

    from engine.results.export.inputs import ExportInputs
    from engine.results.export.types import Exported

GATE = "gate.json"
_GATE = TypeAdapter(tuple[Agreement, ...])
_USE = {
    "merged": "Any program that loads a Hugging Face model loads this folder.",
    "gguf": "llama.cpp, Ollama and their like load the file; the chat template lies in it.",
}


def write_papers(inputs: ExportInputs, folder: Path, exported: Exported, task_id: str) -> None:
    """Write the papers into a finished export; an adapter has its card already."""
    origin = {"task_id": task_id, "base": inputs.base_name, "adapter": inputs.name}
    if exported.format == "adapter":
        return
    (folder / ORIGIN).write_text(json.dumps(origin | {"form": inputs.form}), encoding="utf-8")
    figures = [
        one.model_copy(update={"prompt": "", "expected": "", "found": ""}) for one in exported.gate
    ]
    (folder / GATE).write_bytes(_GATE.dump_json(tuple(figures), indent=1))
    (folder / "README.md").write_text(_card(inputs, exported), encoding="utf-8")


def _card(inputs: ExportInputs, exported: Exported) -> str:
    """Write the card."""
    rows = "\n".join(
        f"| {one.name} | {one.agreement:.1%} | {_number(one.logprob_mean)} "
        f"| {_number(one.logprob_max)} | {one.same_answers} of {one.prompts} |"
        for one in exported.gate
    )
    forced = "\n\n**It did not pass, and was written all the same (`--force`).**" * exported.forced
    return f"""---
base_model: {json.dumps(inputs.base_name, ensure_ascii=False)}
tags: [lora, loradeck]
---

# {inputs.name}

{inputs.base_name} with the LoRA adapter {inputs.name} merged in ({inputs.form}), by LoRADeck
{__version__}. {_USE[exported.format]}

Compared with the adapter on its base, on the same prompts and greedily:{forced}

| Form | Tokens that agree | Mean difference of log-probabilities | Largest | Same answers |
| --- | --- | --- | --- | --- |
{rows}
"""


def _number(value: float | None) -> str:
    """Write a difference."""
    return "" if value is None else f"{value:.4f}"
