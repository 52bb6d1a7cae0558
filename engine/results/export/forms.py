"""Makes the merged model and the GGUF file of an adapter, and asks each what the adapter says."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import torch

from engine.errors import LoraDeckError
from engine.language import tr
from engine.results.export.convert import convert, fit_tokenizer
from engine.results.export.loading import (
    end_tokens,
    load_adapter,
    load_model,
    load_tokenizer,
    stored_dtype,
)
from engine.results.export.merge import merge
from engine.results.export.quantize import quantize
from engine.results.export.sizes import gguf_size
from engine.results.export.types import DIRECT, LOSSLESS
from engine.results.gate.asked import choose_prompts
from engine.results.gate.folder import hear_folder
from engine.results.gate.gate import Gate
from engine.results.gate.llama import llama_is_here
from engine.results.gate.speaker import Speaker
from engine.text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from peft import PeftModel
    from transformers import PreTrainedTokenizerBase

    from engine.jobs.reporter import JobReporter
    from engine.results.export.inputs import ExportInputs
    from engine.results.gate.speech import Heard, Reference
    from engine.results.prompts import Prompt

_GGUF_TYPES = {torch.float16: "f16", torch.bfloat16: "bf16", torch.float32: "f32"}


@dataclass(frozen=True)
class Adapter:
    """An adapter with all that is needed to make something of it."""

    inputs: ExportInputs
    tokenizer: PreTrainedTokenizerBase
    """With the chat template that it was trained on."""
    prompts: tuple[Prompt, ...]
    ends: list[int]
    """The tokens that end an answer."""
    dtype: torch.dtype
    """The number format of its base's weights."""

    @classmethod
    def of(cls, inputs: ExportInputs) -> Self:
        """Read what lies beside the adapter; no weights yet.

        Raises:
            LoraDeckError: Its folder or its base's has gone meanwhile, or its prompts are damaged.
        """
        for folder in (inputs.adapter, inputs.base):
            if not Path(folder).is_dir():
                words = tr("{folder} is not there any more.", folder=visible(folder))
                raise LoraDeckError(tr("Model gone"), words, tr("Put it back, then export again."))
        tokenizer = load_tokenizer(inputs)
        prompts = choose_prompts(Path(inputs.adapter), tokenizer)
        ends = end_tokens(inputs, tokenizer, prompts)
        return cls(inputs, tokenizer, prompts, ends, stored_dtype(Path(inputs.base)))


def make_merged(adapter: Adapter, folder: Path, reporter: JobReporter, end: float) -> Gate:
    """Write the merged model, and ask base, adapter and merged model the prompts.

    Args:
        adapter: What to merge.
        folder: Where to write to; made here.
        reporter: Where to tell how far it is.
        end: The share of the whole job that is done by then.

    Raises:
        LoraDeckError: The adapter does not fit its base, or cannot be merged.
    """
    reporter.stage(tr("loading the adapter on its base"), 0.0, 0.15 * end)
    model = load_adapter(adapter.inputs, adapter.tokenizer)
    reporter.stage(tr("asking the adapter"), 0.15 * end, 0.5 * end)
    speaker = Speaker(model, adapter.tokenizer, adapter.ends, reporter.done)
    references = speaker.refer(adapter.prompts)
    gate = Gate(references, _base_of(model, adapter, speaker, references, reporter))
    reporter.stage(tr("merging"), 0.5 * end, 0.75 * end)
    merge(model, adapter.tokenizer, adapter.inputs, folder, adapter.dtype, adapter.ends)
    del speaker, model
    gc.collect()  # the same memory is needed again
    reporter.stage(tr("checking the merged model"), 0.75 * end, end)
    heard = hear_folder(folder, references, adapter.ends, reporter.done)
    gate.judge("merged", heard, lossless=True)
    return gate


def make_gguf(
    adapter: Adapter, merged: Path, folder: Path, gate: Gate, reporter: JobReporter
) -> Path:
    """Write a GGUF file of a merged model, and ask it; a coarse one goes through a whole one.

    Args:
        adapter: What was merged.
        merged: The merged model's folder, which is used up.
        folder: Where to write to; it exists.
        gate: Takes what was found.
        reporter: Where to tell how far it is, from half of the job on.

    Raises:
        LoraDeckError: The converter refuses it, or llama.cpp does not load it.
    """
    kind, stem = adapter.inputs.request.quantize, adapter.inputs.name
    first = kind if kind in DIRECT else _GGUF_TYPES[adapter.dtype]
    file = folder / f"{stem}-{first}.gguf"
    fit_tokenizer(merged, adapter.tokenizer, adapter.prompts)
    reporter.stage(tr("converting"), 0.5, 0.65)
    convert(merged, file, first, reporter.done, gguf_size(adapter.inputs.parameters, first))
    _ask(adapter, gate, file, first, reporter, 0.65 if first != kind else 0.75)
    if first == kind or not (gate.passed or adapter.inputs.request.force):
        return file
    reporter.stage(tr("quantizing"), 0.8, 0.85)
    coarse = folder / f"{stem}-{kind}.gguf"
    quantize(file, coarse, kind, reporter.done)
    file.unlink()
    _ask(adapter, gate, coarse, kind, reporter, 0.85)
    return coarse


def _base_of(
    model: PeftModel,
    adapter: Adapter,
    speaker: Speaker,
    references: Sequence[Reference],
    reporter: JobReporter,
) -> list[Heard]:
    """Ask the base; biases of an adapter's own are in it even where PEFT turns the adapter off."""
    if any(config.bias != "none" for config in model.peft_config.values()):
        plain = load_model(Path(adapter.inputs.base))
        return Speaker(plain, adapter.tokenizer, adapter.ends, reporter.done).hear(references)
    with model.disable_adapter():
        return speaker.hear(references)


def _ask(
    adapter: Adapter, gate: Gate, file: Path, kind: str, reporter: JobReporter, start: float
) -> None:
    """Ask a file, where a llama.cpp is here to do so; without one, the user has forced it."""
    reporter.stage(tr("checking the file in llama.cpp"), start, min(1.0, start + 0.15))
    template = adapter.tokenizer.chat_template
    if llama_is_here():
        gate.ask_file(
            f"gguf {kind}",
            file,
            reporter.done,
            lossless=kind in LOSSLESS,
            template=template if isinstance(template, str) else "",
        )
