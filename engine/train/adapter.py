"""Saves a finished adapter whole: weights, tokenizer, template, generation settings, card."""

from __future__ import annotations

import json
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import LoraDeckError
from engine.files import size_of, sync_folder, sync_tree
from engine.models.adapters import ORIGIN, is_made_by
from engine.results.prompts import PROMPTS
from engine.tasks.events import AdapterSaved, AnswersCompared
from engine.text import human_count

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedTokenizerBase

    from engine.plan.types import Plan
    from engine.tasks.events import StopTested
    from engine.train.spec import TaskSpec

_PACKAGES = ("torch", "transformers", "trl", "peft", "bitsandbytes", "loradeck")


def save_adapter(
    spec: TaskSpec,
    model: PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    comparison: AnswersCompared,
    tested: StopTested | None,
    train_loss: float,
) -> AdapterSaved:
    """Write the adapter aside, make it durable, then give it its name."""
    partial = spec.partial
    shutil.rmtree(partial, ignore_errors=True)
    base = spec.plan.model
    if base.source in ("cache", "hub"):
        # PEFT writes the folder that the base was loaded from; the hub's name means more elsewhere.
        model.active_peft_config.base_model_name_or_path = base.name
    model.save_pretrained(str(partial), safe_serialization=True)
    tokenizer.save_pretrained(str(partial))
    model.generation_config.save_pretrained(str(partial))
    (partial / "README.md").write_text(
        _card(spec, comparison, tested, train_loss), encoding="utf-8"
    )
    (partial / ORIGIN).write_text(json.dumps({"task_id": spec.task_id}), encoding="utf-8")
    shutil.copyfile(spec.folder / PROMPTS, partial / PROMPTS)
    sync_tree(partial)
    _make_way(spec)
    partial.rename(spec.output)
    sync_folder(spec.output.parent)
    return AdapterSaved(path=str(spec.output), size_bytes=size_of(spec.output))


def refuse_foreign(spec: TaskSpec, hint: str) -> None:
    """Refuse an output folder that this task has not made.

    Args:
        hint: What to do about it.

    Raises:
        LoraDeckError: Another task's adapter, or something else, lies there.
    """
    if spec.output.exists() and not is_made_by(spec.output, spec.task_id):
        words = f"{spec.output} appeared while the task was waiting or running."
        raise LoraDeckError("Adapter folder taken", words, hint)


def _make_way(spec: TaskSpec) -> None:
    """Remove what an earlier attempt at this task saved; refuse to touch anything else."""
    refuse_foreign(spec, f"Move it away; the adapter lies in {spec.partial}.")
    # Renamed first: half removed, it would no longer be known as ours.
    aside = spec.output.with_name(f".old-{spec.task_id}")
    shutil.rmtree(aside, ignore_errors=True)  # of an attempt that ended in between
    if spec.output.exists():
        spec.output.rename(aside)
        shutil.rmtree(aside)


def _card(
    spec: TaskSpec, comparison: AnswersCompared, tested: StopTested | None, train_loss: float
) -> str:
    """Write the model card: what the adapter was trained on, from, how and with what."""
    plan = spec.plan
    parameters = "\n".join(
        f"| {key} | {value} |" for key, value in plan.training_params.model_dump().items()
    )
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    size = human_count(plan.model.shape.parameters) if plan.model.shape else "unknown size"
    return f"""---
library_name: peft
base_model: {json.dumps(plan.model.name, ensure_ascii=False)}
tags: [lora, sft, loradeck]
---

# {spec.task_name}

A LoRA adapter for {plan.model.name} ({size}), trained by LoRADeck on the answers of
{plan.dataset.rows} rows ({plan.dataset.dataset_type}){_began(plan)}.

- Dataset SHA-256: `{plan.dataset.sha256}`
- Device: {plan.device.name}
- Training loss over the last epoch: {train_loss:.4f}
- Answers that end by themselves: {f"{tested.ended} of {tested.asked}" if tested else "not asked"}
- Versions: {versions}

## One question

{_quoted("Question", comparison.question)}
{_quoted("Base", comparison.base_answer)}
{_quoted("Adapter", comparison.adapter_answer)}

## Parameters

| Parameter | Value |
| --- | --- |
{parameters}
"""


def _began(plan: Plan) -> str:
    """Say which adapter the training started from, where it did not start anew."""
    return f", starting from the adapter {Path(plan.adapter).name}" if plan.adapter else ""


def _quoted(label: str, text: str) -> str:
    """Set a text as a Markdown quotation under a bold label."""
    return f"**{label}**\n\n" + "\n".join(f"> {line}" for line in text.splitlines()) + "\n"
