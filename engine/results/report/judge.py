"""Judges base and adapter: how well they foresee answers, and what they answer themselves."""

from __future__ import annotations

import math
import random
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.results.answering import ROOM, answer
from engine.results.prompts import LONGEST_REFERENCE
from engine.results.report.likeness import chrf, is_same, is_short
from engine.results.report.types import JudgedAnswer, Scores
from engine.tasks.events import StopTested
from engine.train.rows import Row
from engine.train.spec import StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from datasets import Dataset
    from transformers import PreTrainedTokenizerBase

    from engine.results.answering import Said
    from engine.results.prompts import Prompt
    from engine.train.deck_trainer import DeckTrainer

_MOST_ROWS = 256
_FEWEST_TOKENS = 2_000
_TOKEN_SHARE = 1 / 20
"""Of the tokens that were trained: judging two models, forward only, then costs 3 % of the time."""
_ASKED_AT_ONCE = 4
_MOST_ASKED = 8
_SECONDS, _TIME_SHARE = 10.0, 0.03
"""What two rounds of answers may take, the larger of both; only then is there a second one."""


class Answers(NamedTuple):
    """What base and adapter answered."""

    judged: tuple[JudgedAnswer, ...]
    stop: StopTested | None
    """``None`` where no prompt has a whole answer to end."""


def rows_to_judge(rows: Dataset, trained_tokens: float, seed: int) -> list[Row]:
    """Draw the rows that are judged: all of them where they cost little beside the training.

    Args:
        rows: Encoded ones.
        trained_tokens: How many tokens the training went through.
    """
    chance = random.Random(seed)  # noqa: S311 - no secret
    most, tokens = max(_FEWEST_TOKENS, trained_tokens * _TOKEN_SHARE), 0
    chosen: list[Row] = []
    for index in chance.sample(range(len(rows)), min(len(rows), _MOST_ROWS)):
        row = Row.of(rows[index])
        tokens += len(row.input_ids)
        if chosen and tokens > most:
            break
        chosen.append(row)
    return sorted(chosen, key=lambda row: row.number)


def judge_rows(
    trainer: DeckTrainer, rows: Sequence[Row], broken: Callable[[], bool]
) -> tuple[Scores, Scores]:
    """Score the base and the adapter on rows, as the training scores them.

    Args:
        broken: Asked before each pass whether to leave it.

    Raises:
        StoppedError: ``broken`` said so.
    """

    def go_on() -> None:
        """Raise where it is to be left."""
        if broken():
            raise StoppedError

    with trainer.model.disable_adapter():
        base = trainer.score(rows, go_on)
    return _scores(*base), _scores(*trainer.score(rows, go_on))


def judge_answers(
    trainer: DeckTrainer,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Prompt],
    seconds: float,
    broken: Callable[[], bool],
) -> Answers:
    """Ask base and adapter the same questions, a few at once, for as long as that is cheap.

    Args:
        seconds: How long the training took.
        broken: Asked at each token whether to leave it.

    Raises:
        StoppedError: ``broken`` said so.
    """
    half = time.monotonic() + max(_SECONDS, _TIME_SHARE * seconds) / 2
    judged: list[tuple[Prompt, JudgedAnswer]] = []
    longest = 0
    for at in range(0, min(len(prompts), _MOST_ASKED), _ASKED_AT_ONCE):
        if judged and time.monotonic() > half:
            break
        some = prompts[at : at + _ASKED_AT_ONCE]
        limit = ROOM + max(_tokens(tokenizer, one) for one in some)
        longest = max(longest, limit)
        with trainer.generating() as model:
            asked: tuple[Any, ...] = (model, tokenizer, some, limit, broken)
            adapter = answer(*asked)
            with model.disable_adapter():
                base = answer(*asked)
        judged += zip(some, map(_judged, some, base, adapter), strict=True)
    whole = [said.ended for prompt, said in judged if not (prompt.cut or prompt.plain)]
    stop = StopTested(asked=len(whole), ended=sum(whole), limit=longest) if whole else None
    return Answers(tuple(said for _, said in judged), stop)


def _tokens(tokenizer: PreTrainedTokenizerBase, prompt: Prompt) -> int:
    """Count the tokens of a reference."""
    ids = tokenizer(prompt.reference, add_special_tokens=False)["input_ids"]
    return min(LONGEST_REFERENCE, len(ids))


def _judged(prompt: Prompt, base: Said, adapter: Said) -> JudgedAnswer:
    """Hold two answers to the reference."""
    reference, short = prompt.reference, is_short(prompt)
    # Beside the beginning of an answer, only the beginning of another is like it
    end = len(reference) if prompt.cut else None
    return JudgedAnswer(
        question=prompt.question,
        reference=reference,
        base=base.text,
        adapter=adapter.text,
        base_chrf=chrf(base.text[:end], reference),
        adapter_chrf=chrf(adapter.text[:end], reference),
        short=short,
        base_exact=short and is_same(base.text, reference),
        adapter_exact=short and is_same(adapter.text, reference),
        ended=adapter.ended,
    )


def _scores(loss: float, accuracy: float) -> Scores:
    """Lay out what was measured; a perplexity beyond all numbers is as large as they get.

    Raises:
        ValueError: The loss is no number.
    """
    if not math.isfinite(loss):
        raise ValueError("the loss on the judged rows is no number")
    return Scores(loss=loss, perplexity=math.exp(min(loss, 700.0)), token_accuracy=accuracy)
