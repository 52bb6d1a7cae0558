"""Answers are cut at their end, several at once; generation ends where answers were trained to."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from engine.results.answering import Said, answer, end_at
from engine.results.prompts import Prompt
from engine.train.spec import StoppedError

END, OTHER = 7, 5


class Model:
    """Says three tokens, then ends; to a prompt that ends with 9 it never does."""

    device = "cpu"

    def __init__(self, ends: int | list[int] | None = END) -> None:
        self.generation_config = SimpleNamespace(eos_token_id=ends)
        self.asked: torch.Tensor | None = None
        self.seen: torch.Tensor | None = None

    def generate(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        max_new_tokens: int,
        stopping_criteria: list[Any],
        **_: Any,
    ) -> torch.Tensor:
        """Lay the answers behind their prompts."""
        self.asked, self.seen = input_ids, attention_mask
        (broken,) = stopping_criteria
        assert broken(input_ids, None).shape == (len(input_ids),)
        answers = [
            [OTHER] * max_new_tokens
            if prompt[-1] == 9
            else [OTHER] * 3 + [END] * (max_new_tokens - 3)
            for prompt in input_ids.tolist()
        ]
        return torch.cat([input_ids, torch.tensor(answers)], dim=1)


class Tokenizer:
    """Writes a token as its number."""

    pad_token_id = 0

    def decode(self, tokens: list[int], **_: Any) -> str:
        """Leave the end out, as a special token."""
        return " ".join(str(token) for token in tokens if token != END)


def _prompt(*tokens: int) -> Prompt:
    """Make a prompt of its tokens."""
    return Prompt(text="t", prompt_ids=tokens, question="q", reference="r", end_id=END)


def test_prompts_are_answered_together_and_each_answer_has_its_own_end() -> None:
    model = Model()
    said = answer(model, Tokenizer(), [_prompt(1, 2), _prompt(9)], 6, lambda: False)
    assert said == [Said("5 5 5", ended=True), Said("5 5 5 5 5 5", ended=False)]
    assert model.asked is not None
    assert model.seen is not None
    assert (model.asked.tolist(), model.seen.tolist()) == ([[1, 2], [0, 9]], [[1, 1], [0, 1]])


def test_an_answer_that_nobody_waits_for_is_left() -> None:
    with pytest.raises(StoppedError):
        answer(Model(), Tokenizer(), [_prompt(1)], 6, lambda: True)


@pytest.mark.parametrize(
    ("before", "after"), [(END, END), (2, [2, END]), ([2, 3], [2, 3, END]), (None, [END])]
)
def test_generation_ends_where_answers_were_trained_to_end(
    before: int | list[int] | None, after: int | list[int]
) -> None:
    model = Model(before)
    end_at(model, END)
    assert model.generation_config.eos_token_id == after
