"""The stop test counts answers that end, and generation ends where answers were trained to."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from engine.results.stop_test import end_at, stop_test

END, OTHER = 7, 5


class Model:
    """Answers a prompt's first token times over, then ends; a prompt of 9 never does."""

    device = "cpu"

    def __init__(self, ends: int | list[int] | None = END) -> None:
        self.generation_config = SimpleNamespace(eos_token_id=ends)
        self.asked: torch.Tensor | None = None

    def generate(self, input_ids: torch.Tensor, max_new_tokens: int, **_: Any) -> torch.Tensor:
        """Lay the answers behind their prompts."""
        self.asked = input_ids
        answers = [
            [OTHER] * max_new_tokens
            if prompt[-1] == 9
            else [OTHER] * 3 + [END] * (max_new_tokens - 3)
            for prompt in input_ids.tolist()
        ]
        return torch.cat([input_ids, torch.tensor(answers)], dim=1)


def _row(prompt: list[int], answer: list[int]) -> dict[str, list[int]]:
    """Encode a question with its answer."""
    return {"input_ids": prompt + answer, "labels": [-100] * len(prompt) + answer}


def test_answers_that_end_are_counted() -> None:
    rows = [_row([1, 2], [3, END]), _row([9], [3, 3, 3, END]), _row([1, 1, 1], [END])]
    model = Model()
    found = stop_test(model, SimpleNamespace(pad_token_id=0), rows)
    assert found
    assert (found.asked, found.ended, found.limit) == (3, 2, 4 + 32)
    assert model.asked is not None
    assert model.asked.tolist() == [[0, 1, 2], [0, 0, 9], [1, 1, 1]]


def test_texts_without_a_question_are_not_asked() -> None:
    assert stop_test(Model(), SimpleNamespace(pad_token_id=0), [_row([], [3, 3, END])]) is None


@pytest.mark.parametrize(
    ("before", "after"), [(END, END), (2, [2, END]), ([2, 3], [2, 3, END]), (None, [END])]
)
def test_generation_ends_where_answers_were_trained_to_end(
    before: int | list[int] | None, after: int | list[int]
) -> None:
    model = Model(before)
    end_at(model, END)
    assert model.generation_config.eos_token_id == after
