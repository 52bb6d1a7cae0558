"""Merges an adapter into its base, and writes a model's folder that any program can load."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from transformers import GenerationConfig

from engine.data.model_files import generation_settings
from engine.errors import LoraDeckError
from engine.language import tr

if TYPE_CHECKING:
    import torch
    from peft import PeftModel
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from engine.results.export.inputs import ExportInputs

_SHARD = "4GB"
_PIECES = "tokenizer.model"
"""SentencePiece's own file, which converters want and transformers no longer writes."""
_CODE = "auto_map"
"""Names code of the model's own, which no converter shall run."""


def merge(
    model: PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    inputs: ExportInputs,
    folder: Path,
    dtype: torch.dtype,
    ends: list[int],
) -> None:
    """Write the merged model; the adapter's own is used up.

    PEFT's own merge does it, in float32, so that all variants of LoRA that it knows are right.

    Args:
        model: The adapter on its base, in float32.
        tokenizer: With the chat template that the adapter was trained on.
        inputs: Where both came from.
        folder: Where to write to; made here.
        dtype: The number format that the weights are stored in.
        ends: The tokens that end an answer.

    Raises:
        LoraDeckError: What the adapter does cannot be merged into weights.
    """
    try:
        merged: PreTrainedModel = model.merge_and_unload(safe_merge=True)
    except (ValueError, NotImplementedError, AttributeError) as error:
        raise LoraDeckError(
            tr("Adapter not mergeable"),
            tr("PEFT cannot merge it: {reason}", reason=str(error).strip().splitlines()[0])[:300],
            tr("Export it as adapter."),
        ) from error
    _untie(merged)
    merged.to(dtype)
    merged.generation_config = _settings(inputs, tokenizer, ends)
    merged.save_pretrained(folder, max_shard_size=_SHARD)
    tokenizer.save_pretrained(folder)
    pieces = Path(inputs.base) / _PIECES
    if pieces.is_file() and not (folder / _PIECES).exists():
        shutil.copyfile(pieces, folder / _PIECES)
    for name in ("config.json", "tokenizer_config.json", "generation_config.json"):
        _without_code(folder / name)


def _untie(model: PreTrainedModel) -> None:
    """Keep a trained head that no longer equals the embeddings: loading would tie them again."""
    head, embeddings = model.get_output_embeddings(), model.get_input_embeddings()
    if head is not None and head.weight is not embeddings.weight:
        model.config.tie_word_embeddings = False


def _settings(
    inputs: ExportInputs, tokenizer: PreTrainedTokenizerBase, ends: list[int]
) -> GenerationConfig:
    """Give the adapter's generation settings, or the base's, with all ends of an answer."""
    values = generation_settings(Path(inputs.adapter)) or generation_settings(Path(inputs.base))
    values.pop("transformers_version", None)
    values["eos_token_id"] = ends[0] if len(ends) == 1 else ends or None
    values.setdefault("pad_token_id", tokenizer.pad_token_id)
    return GenerationConfig.from_dict(values)


def _without_code(file: Path) -> None:
    """Take out of a configuration what names code."""
    values = json.loads(file.read_text(encoding="utf-8"))
    if values.pop(_CODE, None) is not None:
        file.write_text(json.dumps(values, indent=2, ensure_ascii=False), encoding="utf-8")
