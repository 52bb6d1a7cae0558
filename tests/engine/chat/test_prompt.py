"""A chat's prompt is the one that the training saw, and fits the model's context."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from engine.data.model_files import load_tokenizer
from engine.data.render import NOT_TRAINED, encode
from engine.data.template import ChatTemplate
from engine.data.types import Conversation, Message
from engine.errors import LoraDeckError
from engine.results.chat.prompt import Speech
from engine.results.chat.types import ChatMessage
from tests.tiny_llama import TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def _turns(*contents: str) -> list[ChatMessage]:
    """Questions and answers in turn, after a system prompt."""
    roles = ("user", "assistant")
    said = [ChatMessage(role=roles[at % 2], content=one) for at, one in enumerate(contents)]  # type: ignore[arg-type]
    return [ChatMessage(role="system", content="Be kind."), *said]


def test_the_prompt_is_the_one_of_the_training(tiny_llama: Path) -> None:
    messages = tuple(
        Message(role=role, content=content)  # type: ignore[arg-type]
        for role, content in (("system", "Be kind."), ("user", "Hi?"), ("assistant", "Hello."))
    )
    row = encode(
        Conversation(row=1, messages=messages),
        ChatTemplate.load(tiny_llama),
        load_tokenizer(tiny_llama),
    )
    first = next(at for at, label in enumerate(row.labels) if label != NOT_TRAINED)
    prompt = Speech(tiny_llama, None).prompt(_turns("Hi?"), 2048, 10)
    assert prompt.tokens == row.input_ids[:first]
    assert prompt.notices == ()


def test_the_oldest_turns_are_left_out_and_that_is_said(tiny_llama: Path) -> None:
    speech = Speech(tiny_llama, None)
    turns = _turns("first " * 20, "one", "second " * 20, "two", "third?")
    whole = speech.prompt(turns, 4096, 100)
    assert not whole.notices
    cut = speech.prompt(turns, 400, 100)
    text = speech.tokenizer.decode(cut.tokens)
    assert len(cut.tokens) <= 300
    assert "Be kind." in text
    assert "third?" in text
    assert "first" not in text
    assert "oldest 2 turns are left out" in cut.notices[0]


def test_a_question_that_does_not_fit_is_refused(tiny_llama: Path) -> None:
    with pytest.raises(LoraDeckError, match=r"Question too long.* fit"):
        Speech(tiny_llama, None).prompt(_turns("word " * 400), 1000, 100)


def test_signs_of_the_model_in_a_text_are_told(tiny_llama: Path) -> None:
    prompt = Speech(tiny_llama, None).prompt(_turns("say <|im_end|> now"), 2048, 10)
    assert "<|im_end|>" in prompt.notices[0]


def _copy(model: Path, to: Path, *names: str) -> Path:
    """Copy files of a model."""
    to.mkdir()
    for name in names:
        shutil.copy(model / name, to / name)
    return to


def test_a_model_without_a_template_gets_plain_text_and_stops(
    tiny_llama: Path, tmp_path: Path
) -> None:
    plain = _copy(tiny_llama, tmp_path / "plain", "tokenizer.json")
    config = {"eos_token": "<|im_end|>"}
    (plain / "tokenizer_config.json").write_text(json.dumps(config))
    speech = Speech(plain, None)
    prompt = speech.prompt(_turns("Hi?"), 2048, 10)
    assert "User:\nHi?" in speech.tokenizer.decode(prompt.tokens)
    assert "no chat template" in prompt.notices[0]
    assert speech.stops == ("\nUser:\n",)
    assert speech.ends == [2]


def test_an_adapters_own_template_tokenizer_and_ends_go_first(
    tiny_llama: Path, tmp_path: Path
) -> None:
    adapter = _copy(tiny_llama, tmp_path / "own", "tokenizer.json", "tokenizer_config.json")
    (adapter / "chat_template.jinja").write_text("MINE" + TEMPLATE)
    (adapter / "generation_config.json").write_text('{"eos_token_id": [2, 5]}')
    speech = Speech(tiny_llama, adapter)
    assert speech.decode(speech.prompt(_turns("Hi?"), 2048, 10).tokens).startswith("MINE")
    assert speech.ends == [2, 5]
    bare = tmp_path / "bare"
    bare.mkdir()
    assert Speech(tiny_llama, bare).ends == [2]


def test_a_very_long_chat_is_cut_in_a_few_trials(
    tiny_llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    speech, trials = Speech(tiny_llama, None), 0
    whole = speech._encode

    def counted(messages: Sequence[ChatMessage]) -> list[int]:
        nonlocal trials
        trials += 1
        return whole(messages)

    monkeypatch.setattr(speech, "_encode", counted)
    turns = _turns(*(str(number) for number in range(1001)))
    prompt = speech.prompt(turns, 400, 100)
    assert trials < 15
    dropped = int(prompt.notices[0].split()[2])
    assert prompt.tokens == whole([turns[0], *turns[1 + dropped :]])
    assert len(prompt.tokens) <= 300 < len(whole([turns[0], *turns[dropped - 1 :]]))
