"""Makes one answer, token by token."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import torch
from transformers import DynamicCache, GenerationConfig, StoppingCriteriaList
from transformers.cache_utils import DynamicLayer

from engine.errors import LoraDeckError
from engine.language import tr
from engine.results.chat.stream import TextStream
from engine.results.chat.wire import Ended
from engine.text import visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.results.chat.model import ChatModel
    from engine.results.chat.prompt import Prompt
    from engine.results.chat.wire import Finish, Question, Voice

_CHUNK = 512
"""Tokens of a prompt that are read at once: between two chunks an answer can be cancelled."""
_NO_CHANCE = 1e-4
"""A temperature below which the likeliest token is taken: far below, dividing by it overflows."""
_KEPT_TOKENS = 8192
"""What was read and said of so many tokens, in all conversations, is kept for their next turns."""


class Memory:
    """What the model has read and said in each voice last: the next turn goes on from there."""

    def __init__(self) -> None:
        self._kept: dict[Voice, tuple[list[int], DynamicCache]] = {}

    def take(self, voice: Voice, tokens: list[int], *, anew: bool) -> DynamicCache | None:
        """Give what is known of the beginning of a prompt, at most all but its last token."""
        known, cache = self._kept.pop(voice, ([], None))
        same = 0 if anew else _same(known, tokens[:-1])
        if cache is None or not same:
            return None
        cache.crop(same - cache.get_seq_length())
        return cache

    def keep(self, voice: Voice, tokens: list[int], cache: DynamicCache) -> None:
        """Keep what a model has read and said, and forget the oldest where it grows large."""
        if any(type(layer) is not DynamicLayer for layer in cache.layers):
            return  # what slides or is summed up cannot be taken back
        self._kept[voice] = (tokens[: cache.get_seq_length()], cache)
        while sum(len(one) for one, _ in self._kept.values()) > _KEPT_TOKENS:
            del self._kept[next(iter(self._kept))]

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()


class Watch:
    """Takes each token as it is made, passes its text on, and ends the answer where it must."""

    def __init__(
        self,
        stream: TextStream,
        ends: list[int],
        say: Callable[[str], None],
        gone: Callable[[], bool],
    ) -> None:
        self._stream, self._ends, self._say, self._gone = stream, ends, say, gone
        self.first = self.last = 0.0
        self.count = 0
        self._ended = self._cancelled = False

    def __call__(self, input_ids: Any, _scores: Any, **_: Any) -> Any:
        """Take the newest token; ``generate`` asks this whether it is done."""
        self.last = time.monotonic()
        self.first = self.first or self.last
        self.count += 1
        token = int(input_ids[0, -1])
        self._ended = token in self._ends
        if not self._ended and (text := self._stream.put(token)):
            self._say(text)
        done = self._ended or self._stream.stopped or self.left()
        return torch.tensor([done], device=input_ids.device)

    def left(self) -> bool:
        """Tell whether nobody waits any more."""
        self._cancelled = self._cancelled or self._gone()
        return self._cancelled

    @property
    def finish(self) -> Finish:
        """Why the answer ended."""
        if self._ended or self._stream.stopped:
            return "stop"
        return "cancelled" if self._cancelled else "length"


def answer(
    model: ChatModel,
    memory: Memory,
    question: Question,
    say: Callable[[str], None],
    gone: Callable[[], bool],
) -> Ended:
    """Answer a question.

    Where the answer is to be the same each time (a seed, or no chance at all), nothing that was
    read before is used again: read in other portions, a prompt gives other last digits.

    Args:
        say: Takes the answer's text as it comes.
        gone: Tells whether nobody waits for the answer any more.

    Raises:
        LoraDeckError: It cannot be answered.
    """
    sampling, speech = question.sampling, model.speech(question.voice)
    stream = TextStream(speech.decode, [*sampling.stop, *speech.stops])
    watch = Watch(stream, speech.ends, say, gone)
    try:
        with model.speaking(question.voice), torch.inference_mode():
            asked = time.monotonic()
            prompt = speech.prompt(question.messages, model.context, sampling.max_tokens)
            _refuse_foreign(prompt, model)
            _generate(model, memory, question, prompt.tokens, watch)
    except (MemoryError, RuntimeError) as error:
        memory.clear()
        raise _failed(error) from error
    if rest := stream.end():
        say(rest)
    between = watch.last - watch.first
    return Ended(
        finish=watch.finish,
        prompt_tokens=len(prompt.tokens),
        tokens=watch.count,
        first_token_seconds=max(0.0, watch.first - asked),
        tokens_per_second=(watch.count - 1) / between if between else 0.0,
        notices=prompt.notices,
    )


def _generate(
    model: ChatModel, memory: Memory, question: Question, tokens: list[int], watch: Watch
) -> None:
    """Read the prompt and make tokens until the watch ends it."""
    sampling, answering = question.sampling, model.answering
    ids = torch.tensor([tokens], device=model.base.device)
    given: dict[str, Any] = {}
    if model.remembers:
        exact = sampling.seed is not None or sampling.temperature < _NO_CHANCE
        cache = memory.take(question.voice, tokens, anew=exact) or model.empty_cache()
        if not _read(answering, ids, cache, watch):
            return
        given = {"past_key_values": cache}
    torch.manual_seed(torch.seed() if sampling.seed is None else sampling.seed)
    made = answering.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        generation_config=_settings(model, question, len(tokens)),
        stopping_criteria=StoppingCriteriaList([watch]),
        **given,
    )
    if given:
        memory.keep(question.voice, made[0].tolist(), cache)


def _read(answering: Any, ids: Any, cache: DynamicCache, watch: Watch) -> bool:
    """Read a prompt but for its last portion; tells whether the answer is still wanted."""
    for start in range(cache.get_seq_length(), ids.shape[1] - _CHUNK, _CHUNK):
        if watch.left():
            return False
        part = ids[:, start : start + _CHUNK]
        answering(input_ids=part, past_key_values=cache, use_cache=True, logits_to_keep=1)
    return not watch.left()


def _settings(model: ChatModel, question: Question, read: int) -> GenerationConfig:
    """Say how tokens are drawn, in transformers' words."""
    sampling, drawn = question.sampling, question.sampling.temperature >= _NO_CHANCE
    ends = model.speech(question.voice).ends
    chance = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
    }
    return GenerationConfig(
        do_sample=drawn,
        repetition_penalty=sampling.repetition_penalty,
        max_new_tokens=min(sampling.max_tokens, model.context - read),
        eos_token_id=ends or None,
        pad_token_id=ends[0] if ends else 0,
        **(chance if drawn else {}),
    )


def _refuse_foreign(prompt: Prompt, model: ChatModel) -> None:
    """Refuse tokens that the base model has no place for.

    Raises:
        LoraDeckError: There are some.
    """
    if max(prompt.tokens) >= model.vocabulary:
        raise LoraDeckError(
            tr("Tokenizer of another model"),
            tr("The adapter's tokenizer has tokens that the base model does not know."),
            tr("Was it trained on this base model?"),
        )


def _same(one: list[int], other: list[int]) -> int:
    """Count the tokens with which both begin."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _failed(error: Exception) -> LoraDeckError:
    """Put what torch raises while it computes into words."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return LoraDeckError(
            tr("Out of memory"),
            tr("There is not enough memory for this answer."),
            tr("Begin a new conversation, or wait until the trainings beside it are done."),
        )
    reason = (visible(str(error)).splitlines() or [""])[0][:300]
    words = f"{type(error).__name__}: {reason}"
    return LoraDeckError(tr("Answer failed"), words, tr("See {file}.", file="run/chat.log"))
