"""The loss of adapters on rows they were not trained on: one measure for whoever trained them.

The base in fp32 with the saved adapter, loaded by PEFT; rows and masks are LoRADeck's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from benchmarks.jobs import LossJob, Outcome
from engine.data.inspect import conversations, inspect_dataset
from engine.data.model_files import load_tokenizer
from engine.data.render import NOT_TRAINED, EncodedRow, encode
from engine.data.template import ChatTemplate

if TYPE_CHECKING:
    from pathlib import Path


def measure(job: LossJob) -> Outcome:
    """Measure each adapter's loss: a mean over all tokens of the answers."""
    torch.set_num_threads(job.cores)
    rows = encoded(job.dataset, job.model)
    base = AutoModelForCausalLM.from_pretrained(job.model, dtype=torch.float32)
    losses = []
    for adapter in job.adapters:
        if adapter is None:
            losses.append(_loss(base, rows))
            continue
        model = PeftModel.from_pretrained(base, adapter)
        losses.append(_loss(model, rows))
        base = model.unload()
    return Outcome(losses=losses)


def encoded(dataset: Path, model: Path) -> list[EncodedRow]:
    """Render, tokenize and mask the rows of a dataset as the trainer does."""
    shape = inspect_dataset(dataset).shape
    assert shape is not None
    template, tokenizer = ChatTemplate.load(model), load_tokenizer(model)
    return [encode(row, template, tokenizer) for row in conversations(dataset, shape)]


@torch.inference_mode()
def _loss(model: torch.nn.Module, rows: list[EncodedRow]) -> float:
    """Run the rows through the model, one at a time."""
    model.eval()
    total, tokens = 0.0, 0
    for row in rows:
        labels = torch.tensor(row.labels[1:])
        kept = labels != NOT_TRAINED
        logits = model(input_ids=torch.tensor([row.input_ids]), use_cache=False).logits[0, :-1]
        loss = torch.nn.functional.cross_entropy(logits[kept], labels[kept], reduction="sum")
        total, tokens = total + float(loss), tokens + int(kept.sum())
    return total / tokens
