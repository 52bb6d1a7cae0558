"""Saves a finished adapter whole: weights, tokenizer, template, generation settings, card."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from engine.errors import LoraDeckError
from engine.files import size_of, sync_folder, sync_tree, write_atomic
from engine.language import tr
from engine.models.adapters import ORIGIN, is_made_by
from engine.results.prompts import PROMPTS
from engine.results.report.card import card
from engine.results.report.files import save_picture
from engine.results.report.types import FILE
from engine.tasks.events import AdapterSaved

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedTokenizerBase

    from engine.results.report.types import Report
    from engine.train.spec import TaskSpec


def write_adapter(spec: TaskSpec, model: PeftModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Write the adapter aside and make it durable: whatever comes next, it is there."""
    partial = spec.partial
    shutil.rmtree(partial, ignore_errors=True)
    base = spec.plan.model
    if base.source in ("cache", "hub"):
        # PEFT writes the folder that the base was loaded from; the hub's name means more elsewhere.
        model.active_peft_config.base_model_name_or_path = base.name
    model.save_pretrained(str(partial), safe_serialization=True)
    tokenizer.save_pretrained(str(partial))
    model.generation_config.save_pretrained(str(partial))
    shutil.copyfile(spec.folder / PROMPTS, partial / PROMPTS)
    (partial / ORIGIN).write_text(json.dumps({"task_id": spec.task_id}), encoding="utf-8")
    sync_tree(partial)


def publish_adapter(spec: TaskSpec, report: Report | None) -> AdapterSaved:
    """Lay the report and the model card beside the adapter, and give it its name.

    Args:
        report: ``None`` where it could not be made.
    """
    partial = spec.partial
    (partial / "README.md").write_text(card(spec, report), encoding="utf-8")
    if report:
        save_picture(partial, report)
        write_atomic(partial / FILE, report.model_dump_json(indent=1))
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
        words = tr("{path} appeared while the task was waiting or running.", path=spec.output)
        raise LoraDeckError(tr("Adapter folder taken"), words, hint)


def _make_way(spec: TaskSpec) -> None:
    """Remove what an earlier attempt at this task saved; refuse to touch anything else."""
    refuse_foreign(spec, tr("Move it away; the adapter lies in {folder}.", folder=spec.partial))
    # Renamed first: half removed, it would no longer be known as ours.
    aside = spec.output.with_name(f".old-{spec.task_id}")
    shutil.rmtree(aside, ignore_errors=True)  # of an attempt that ended in between
    if spec.output.exists():
        spec.output.rename(aside)
        shutil.rmtree(aside)
