"""Questions answered greedily: several at once, as the model was trained to be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from transformers import StoppingCriteria

from engine.train.spec import StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from peft import PeftModel
    from transformers import PreTrainedTokenizerBase

    from engine.results.prompts import Prompt

ROOM = 32
"""Tokens by which an answer may be longer than the longest of the references."""


class Said(NamedTuple):
    """An answer."""

    text: str
    ended: bool
    """Whether it ended by itself."""


class _Broken(StoppingCriteria):  # type: ignore[misc]
    """Breaks the generation off when it is told to."""

    def __init__(self, broken: Callable[[], bool]) -> None:
        self._broken = broken

    def __call__(self, input_ids: torch.Tensor, _scores: Any, **_: Any) -> torch.Tensor:
        """Tell of each answer whether it is to end here: (answers)."""
        return torch.full((len(input_ids),), self._broken(), device=input_ids.device)


def answer(
    model: PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Prompt],
    limit: int,
    broken: Callable[[], bool],
) -> list[Said]:
    """Answer prompts all at once, each token the likeliest.

    Args:
        model: In evaluation mode, with its own attention.
        limit: Tokens of an answer, at most.
        broken: Asked at each token whether to leave it.

    Raises:
        StoppedError: ``broken`` said so.
    """
    width = max(len(one.prompt_ids) for one in prompts)
    pad = tokenizer.pad_token_id or 0
    asked = torch.tensor(
        [[pad] * (width - len(one.prompt_ids)) + [*one.prompt_ids] for one in prompts]
    )
    seen = torch.tensor(
        [[at >= width - len(one.prompt_ids) for at in range(width)] for one in prompts]
    )
    with torch.no_grad():
        tokens = model.generate(
            input_ids=asked.to(model.device),
            attention_mask=seen.long().to(model.device),
            max_new_tokens=limit,
            do_sample=False,
            repetition_penalty=1.0,  # a base's own settings would make it another model
            use_cache=True,
            pad_token_id=pad,
            stopping_criteria=[_Broken(broken)],
        )[:, width:].tolist()
    if broken():
        raise StoppedError
    ends = end_tokens(model)
    return [
        Said(
            str(tokenizer.decode(one, skip_special_tokens=True)).strip(),
            not ends.isdisjoint(one),
        )
        for one in (_until(answer, ends) for answer in tokens)
    ]


def _until(tokens: Sequence[int], ends: set[int]) -> list[int]:
    """Cut an answer behind its end: what follows only fills it up to the longest."""
    end = next((at for at, token in enumerate(tokens) if token in ends), len(tokens))
    return list(tokens[: end + 1])


def end_at(model: PeftModel, token: int) -> None:
    """Let generation end at the token that answers were trained to end with.

    A base model's settings often know its own end of text alone: the adapter would end each
    answer and talk on.
    """
    if token not in (ends := end_tokens(model)):
        model.generation_config.eos_token_id = [*sorted(ends), token]


def end_tokens(model: PeftModel) -> set[int]:
    """Give the tokens at which the model's generation ends."""
    ends = model.generation_config.eos_token_id
    if ends is None:
        return set()
    return set(ends) if isinstance(ends, list) else {ends}
