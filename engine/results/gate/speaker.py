"""Asks a model in transformers, in float32 on the processor: as exactly as it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from transformers import GenerationConfig

from engine.results.gate.speech import Heard, Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from engine.results.prompts import Prompt

LONGEST_ANSWER = 40
"""Tokens; the first ones show what differs, and each costs a pass through the model."""
_AT_ONCE = 4
"""Prompts that are answered together: attention over padded rows costs memory."""


class Speaker:
    """A model that answers greedily.

    Args:
        model: In evaluation mode.
        tokenizer: Its tokenizer.
        ends: The tokens that end an answer.
        tell: Called with the share that is done of what is asked.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        ends: Sequence[int],
        tell: Callable[[float], None],
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._ends = list(ends)
        self._tell = tell

    def refer(self, prompts: Sequence[Prompt]) -> list[Reference]:
        """Answer prompts, and tell how sure each token is."""
        answers = self._answers([one.prompt_ids for one in prompts])
        return [self._reference(*pair) for pair in zip(prompts, answers, strict=True)]

    def hear(self, references: Sequence[Reference]) -> list[Heard]:
        """Follow another's answers token by token; answer itself where it would go another way."""
        scored = [self._score(one.prompt.prompt_ids, one.answer) for one in references]
        leaving = [n for n, (agree, _, _) in enumerate(scored) if not all(agree)]
        own = dict(
            zip(
                leaving,
                self._answers([references[n].prompt.prompt_ids for n in leaving]),
                strict=True,
            )
        )
        return [
            Heard(
                likeliest=agree,
                logprobs=logprobs,
                text=self._text(own[n]) if n in own else references[n].text,
            )
            for n, (agree, logprobs, _) in enumerate(scored)
        ]

    def _reference(self, prompt: Prompt, answer: tuple[int, ...]) -> Reference:
        """Put an answer together with how sure it is."""
        _, logprobs, margins = self._score(prompt.prompt_ids, answer)
        text = self._text(answer)
        begun = [self._text(answer[: end + 1]) for end in range(len(answer))]
        return Reference(
            prompt=prompt,
            answer=answer,
            logprobs=logprobs,
            margins=margins,
            text=text,
            reaches=tuple(len(one) for one in begun),
            ended=answer[-1] in self._ends,
        )

    def _score(
        self, prompt: Sequence[int], answer: Sequence[int]
    ) -> tuple[tuple[bool, ...], tuple[float, ...], tuple[float, ...]]:
        """Tell of each token of an answer whether it is the likeliest, how likely, and how clear.

        The last is its log-probability less that of the best other token.
        """
        row = torch.tensor([[*prompt, *answer[:-1]]])
        with torch.inference_mode():
            logits = self._model(input_ids=row, logits_to_keep=len(answer)).logits[0]
        logprobs = logits[-len(answer) :].float().log_softmax(-1)
        at = torch.arange(len(answer)), torch.tensor(list(answer))
        ours = logprobs[at].clone()
        logprobs[at] = -torch.inf
        margins = ours - logprobs.max(-1).values
        agree = tuple(bool(margin >= 0) for margin in margins)
        return agree, tuple(ours.tolist()), tuple(margins.tolist())

    def _answers(self, prompts: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
        """Answer prompts greedily, some at a time, each up to its end or the longest answer."""
        answers: list[tuple[int, ...]] = []
        for first in range(0, len(prompts), _AT_ONCE):
            answers += self._batch(prompts[first : first + _AT_ONCE])
            self._tell(len(answers) / len(prompts))
        return answers

    def _batch(self, prompts: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
        """Answer prompts at once, padded on the left."""
        pad = self._tokenizer.pad_token_id or 0
        width = max(len(one) for one in prompts)
        rows = torch.tensor([[pad] * (width - len(one)) + list(one) for one in prompts])
        seen = torch.tensor([[0] * (width - len(one)) + [1] * len(one) for one in prompts])
        # Whatever the model's own settings say, such as a penalty, must not be in it
        self._model.generation_config = GenerationConfig(
            do_sample=False,
            max_new_tokens=LONGEST_ANSWER,
            eos_token_id=self._ends or None,
            pad_token_id=pad,
        )
        with torch.inference_mode():
            made = self._model.generate(input_ids=rows, attention_mask=seen)[:, width:].tolist()
        return [self._cut(answer) for answer in made]

    def _cut(self, answer: list[int]) -> tuple[int, ...]:
        """Cut what follows the end of an answer."""
        end = next((n for n, token in enumerate(answer) if token in self._ends), len(answer))
        return tuple(answer[: end + 1])

    def _text(self, answer: Sequence[int]) -> str:
        """Write an answer as it is read."""
        return str(self._tokenizer.decode(list(answer), skip_special_tokens=True)).strip()
