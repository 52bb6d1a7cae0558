"""How a model's loss may be computed: found by trying on the model itself, not by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch
from torch.nn.functional import cross_entropy, linear

from engine.data.render import NOT_TRAINED
from engine.train.loss import hits, summed_loss

if TYPE_CHECKING:
    from typing import Any

    from torch import Tensor
    from transformers import PreTrainedModel

Head = Literal["tiled", "fused", "whole"]
"""``tiled``: hidden states times the head's weights are the logits, and ``loss.py`` makes them.
``fused``: TRL's head, which knows scaled and capped logits. ``whole``: the model's own logits."""

_TOKENS = 6
_TOLERANCE, _TOLERANCE_16 = 1e-3, 2e-2
"""In fp32 and in 16 bits, of the largest logit; capping or scaling changes far more."""


def find_head(model: PreTrainedModel) -> Head:
    """Find the cheapest way that gives the model's own logits.

    Args:
        model: A base that TRL has given its fused head.
    """
    vocabulary = model.get_input_embeddings().weight.shape[0]
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(vocabulary, (1, _TOKENS), generator=generator).to(model.device)
    off = _TOLERANCE if model.dtype is torch.float32 else _TOLERANCE_16
    with torch.no_grad():
        logits = model(input_ids=tokens, use_cache=False).logits[0].float()
        room = off * logits.abs().max().clamp(min=1.0)
        head = model.get_output_embeddings()
        hidden = model.get_decoder()(input_ids=tokens, use_cache=False).last_hidden_state[0]
        if (linear(hidden, head.weight, head.bias).float() - logits).abs().max() <= room:
            return "tiled"
        fused = model(input_ids=tokens, shift_labels=tokens, fused_lm_head=True).log_probs[0]
        own = logits.log_softmax(dim=-1).gather(1, tokens[0, :, None])[:, 0]
    return "fused" if (fused - own).abs().max() <= 2 * room else "whole"


def head_loss(
    model: PreTrainedModel, head: Head, inputs: dict[str, Any], targets: Tensor
) -> Tensor:
    """Sum the loss over the trained tokens.

    Args:
        inputs: Of the decoder.
        targets: For each token the one to be predicted next, or ``NOT_TRAINED``.
    """
    if head == "fused":
        summed: Tensor = -model(**inputs, shift_labels=targets, fused_lm_head=True).log_probs.sum()
        return summed
    if head == "whole":
        return _whole(model, inputs, targets)[0]
    wanted = targets != NOT_TRAINED
    hidden = model.get_decoder()(**inputs, use_cache=False).last_hidden_state
    weights = model.get_output_embeddings()
    return summed_loss(hidden[wanted], weights.weight, weights.bias, targets[wanted])


def head_score(
    model: PreTrainedModel, head: Head, inputs: dict[str, Any], targets: Tensor
) -> tuple[Tensor, Tensor]:
    """Sum the loss over the trained tokens, and count those that the model finds the likeliest.

    Args:
        inputs: Of the decoder.
        targets: As for ``head_loss``.
    """
    if head == "whole":
        return _whole(model, inputs, targets)
    if head == "fused":  # its logits are scaled or capped: only the model itself knows how
        return head_loss(model, head, inputs, targets), _whole(model, inputs, targets)[1]
    wanted = targets != NOT_TRAINED
    hidden = model.get_decoder()(**inputs, use_cache=False).last_hidden_state[wanted]
    weights, trained = model.get_output_embeddings(), targets[wanted]
    found = hits(hidden, weights.weight, weights.bias, trained)
    return summed_loss(hidden, weights.weight, weights.bias, trained), found


def _whole(
    model: PreTrainedModel, inputs: dict[str, Any], targets: Tensor
) -> tuple[Tensor, Tensor]:
    """Compute both from the model's own logits."""
    wanted = targets != NOT_TRAINED
    logits = model(**inputs, use_cache=False).logits[wanted].float()
    found = (logits.argmax(dim=1) == targets[wanted]).sum()
    return cross_entropy(logits, targets[wanted], reduction="sum"), found
