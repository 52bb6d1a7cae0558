"""Whether a model's rows may lie end to end: tried on the model itself, not guessed by its name."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import torch

from engine.train.attention import PACKED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel

log = logging.getLogger(__name__)
_LENGTHS = (5, 9, 3)
_TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.1, torch.float16: 0.02}
"""Of the largest hidden value; a token that sees another row is off by about its whole size."""


def keep_rows_apart(model: PreTrainedModel) -> bool:
    """Give the model the packed attention, if it then computes for each row what it computed alone.

    Recurrent layers, convolutions, capped scores and attention sinks would not: such a model
    keeps its own attention, and rows are padded.
    """
    before = model.config._attn_implementation
    if before not in ("sdpa", "flash_attention_2", "flash_attention_3") or _stretches(model):
        return False
    vocabulary = model.get_input_embeddings().weight.shape[0]
    generator = torch.Generator().manual_seed(0)
    rows = [torch.randint(vocabulary, (length,), generator=generator) for length in _LENGTHS]
    try:
        alone = torch.cat([_hidden(model, row) for row in rows])
        if before == "sdpa":
            model.set_attn_implementation(PACKED)
        together = _hidden(model, torch.cat(rows), **borders(_LENGTHS, before))
    except (TypeError, ValueError, RuntimeError, AttributeError) as error:
        log.warning("rows are padded: %s", error)
        model.set_attn_implementation(before)
        return False
    off = (alone - together).abs().max() / alone.abs().max().clamp(min=1e-6)
    if bool(off < _TOLERANCE.get(model.dtype, 0.1)):
        return True
    log.warning("rows are padded: packed, hidden states were off by %.3f", float(off))
    model.set_attn_implementation(before)
    return False


def _stretches(model: PreTrainedModel) -> bool:
    """Tell whether positions are scaled by the longest row of a pass: alone, a row is another."""
    rope = getattr(model.config.get_text_config(), "rope_parameters", None) or {}
    kinds = {
        rope.get("rope_type"),
        *(one.get("rope_type") for one in rope.values() if isinstance(one, dict)),
    }
    return bool(kinds & {"dynamic", "longrope"})


def borders(lengths: Sequence[int], attention: str) -> dict[str, Any]:
    """Say to a decoder where each of the rows begins that lie end to end.

    Args:
        lengths: Tokens of each row.
        attention: The model's attention; FlashAttention takes borders in a form of its own.
    """
    said: dict[str, Any] = {
        "position_ids": torch.cat([torch.arange(length) for length in lengths])[None]
    }
    if "flash" not in attention:
        return said | {"row_lengths": list(lengths)}
    ends = torch.tensor([0, *lengths]).cumsum(0).to(torch.int32)
    longest = max(lengths)
    return said | {
        "cu_seq_lens_q": ends,
        "cu_seq_lens_k": ends,
        "max_length_q": longest,
        "max_length_k": longest,
    }


def on_device(inputs: dict[str, Any], device: torch.device) -> dict[str, Any]:
    """Move the tensors among a decoder's inputs to its device."""
    return {
        key: value.to(device) if torch.is_tensor(value) else value for key, value in inputs.items()
    }


def _hidden(model: PreTrainedModel, tokens: torch.Tensor, **more: Any) -> torch.Tensor:
    """Compute the last hidden states of tokens: (tokens, hidden)."""
    inputs = on_device({"input_ids": tokens[None], **more}, model.device)
    with torch.no_grad():
        hidden: torch.Tensor = model.get_decoder()(**inputs, use_cache=False).last_hidden_state
    return hidden[0].float()
