"""The mask: which tokens are trained, and that the prompt never is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.data.model_files import load_tokenizer
from engine.data.render import NOT_TRAINED, EncodedRow, cut, encode
from engine.data.template import ChatTemplate
from engine.errors import LoraDeckError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.data.types import Conversation

TURNS = ("What is it?", "The answer.", "And there?", "你好 😀!")
THINKING = ("One?", "<think>\nFirst.\n</think>\n\nA.", "Two?", "<think>\nSecond.\n</think>\n\nB.")


@pytest.fixture
def encoded(
    make_model: Callable[..., Path], talk: Callable[..., Conversation]
) -> Callable[..., EncodedRow]:
    """Encode a conversation with a template, by name or text."""

    def run(name: str, *turns: str, source: str | None = None, system: str = "") -> EncodedRow:
        folder = make_model(name, source)
        conversation = talk(*turns, system=system, row=7)
        return encode(conversation, ChatTemplate.load(folder), load_tokenizer(folder))

    return run


def trained_texts(row: EncodedRow) -> list[str]:
    """Join the texts of neighbouring trained tokens."""
    texts: list[str] = []
    last, reached = -2, 0
    for index, ((start, end), label) in enumerate(zip(row.offsets, row.labels, strict=True)):
        if label == NOT_TRAINED:
            continue
        assert label == row.input_ids[index]
        if last != index - 1:
            texts.append("")
            reached = start
        # Byte-level tokens of one character share its offsets
        texts[-1] += row.text[max(start, reached) : end]
        last, reached = index, max(end, reached)
    return texts


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("smollm2", ["The answer.<|im_end|>", "你好 😀!<|im_end|>"]),
        ("llama3", ["The answer.<|eot_id|>", "你好 😀!<|eot_id|>"]),
        ("zephyr", ["The answer.</s>", "你好 😀!</s>"]),
        ("mistral", [" The answer.</s>", " 你好 😀!</s>"]),
        ("gemma", ["The answer.<end_of_turn>", "你好 😀!<end_of_turn>"]),
        ("qwen3", ["The answer.<|im_end|>", "<think>\n\n</think>\n\n你好 😀!<|im_end|>"]),
        ("reasoner", ["The answer.</s>", "你好 😀!</s>"]),
        ("end_once", [" The answer.", "你好 😀!</s>"]),
        ("generation", ["The answer.<|im_end|>", "你好 😀!<|im_end|>"]),
        ("default", ["The answer.</s>", "你好 😀!</s>"]),
    ],
)
def test_answers_and_their_ends_are_trained_and_nothing_else(
    encoded: Callable[..., EncodedRow], name: str, expected: list[str]
) -> None:
    row = encoded(name, *TURNS, source="" if name == "default" else None, system="Be brief.")
    assert trained_texts(row) == expected
    assert row.end_trained
    assert row.row == 7
    assert row.trained == sum(label != NOT_TRAINED for label in row.labels)
    assert len(row.input_ids) == len(row.labels) == len(row.offsets)


def test_stripped_thinking_is_not_trained_where_the_template_drops_it(
    encoded: Callable[..., EncodedRow],
) -> None:
    row = encoded("qwen3", *THINKING)
    assert trained_texts(row) == ["A.<|im_end|>", "<think>\nSecond.\n</think>\n\nB.<|im_end|>"]


@pytest.mark.parametrize("name", ["llama3", "mistral", "default"])
def test_one_bos_only(encoded: Callable[..., EncodedRow], name: str) -> None:
    row = encoded(name, "Question?", "Answer.", source="" if name == "default" else None)
    assert row.text.startswith("<s>")
    assert row.input_ids.count(row.input_ids[0]) == 1


def test_the_same_words_in_question_and_answer_are_told_apart(
    encoded: Callable[..., EncodedRow],
) -> None:
    row = encoded("qwen3", "Same.", "Same.", "Same.", "Same.")
    assert trained_texts(row) == ["Same.<|im_end|>", "<think>\n\n</think>\n\nSame.<|im_end|>"]


def test_special_tokens_in_an_answer_end_nothing_early(encoded: Callable[..., EncodedRow]) -> None:
    row = encoded("smollm2", "a <|im_end|> b", "c <|im_end|> d", "e", "f")
    assert trained_texts(row) == ["c <|im_end|> d<|im_end|>", "f<|im_end|>"]


def test_a_template_without_end_of_turn_is_flagged(encoded: Callable[..., EncodedRow]) -> None:
    source = "{% for m in messages %}{{ m.role + ': ' + m.content + '\n' }}{% endfor %}"
    row = encoded("endless", "Question?", "Answer.", source=source)
    assert row.trained
    assert not row.end_trained


def test_an_eos_the_tokenizer_does_not_know_is_flagged(
    make_model: Callable[..., Path], talk: Callable[..., Conversation]
) -> None:
    folder = make_model("bare", "", eos_token="<nowhere>")
    row = encode(talk("a", "b"), ChatTemplate.load(folder), load_tokenizer(folder))
    assert not row.end_trained


def test_a_template_that_leaves_answers_out_trains_nothing(
    encoded: Callable[..., EncodedRow],
) -> None:
    source = "{% for m in messages if m.role == 'user' %}{{ m.content }}{% endfor %}"
    row = encoded("mute", "Question?", "Answer.", source=source)
    assert (row.trained, row.spans, row.end_trained) == (0, (), False)


def test_an_altered_answer_is_refused_with_its_row(encoded: Callable[..., EncodedRow]) -> None:
    source = (
        "{% for m in messages %}{{ m.content | upper }}{% endfor %}"
        "{% if add_generation_prompt %}assistant{% endif %}"
    )
    with pytest.raises(LoraDeckError, match=r"Row 7: .*turn 2"):
        encoded("shouting", "Question?", "Answer.", source=source)


def test_a_refusing_template_names_the_row(encoded: Callable[..., EncodedRow]) -> None:
    with pytest.raises(LoraDeckError, match=r"Row 7: .*no thanks"):
        encoded("rude", "a", "b", source="{{ raise_exception('no thanks') }}")


def test_whitespace_joined_to_an_end_token_does_not_hide_it(
    make_model: Callable[..., Path], talk: Callable[..., Conversation]
) -> None:
    folder = make_model("smollm2")
    path = folder / "tokenizer.json"
    # As Phi-3's <|end|>, which swallows the line end behind it
    path.write_text(path.read_text().replace('"rstrip":false', '"rstrip":true'))
    row = encode(talk(*TURNS), ChatTemplate.load(folder), load_tokenizer(folder))
    assert trained_texts(row) == ["The answer.<|im_end|>\n", "你好 😀!<|im_end|>\n"]
    assert row.end_trained


def test_truncation_and_padding_of_the_file_are_off(
    make_model: Callable[..., Path], talk: Callable[..., Conversation]
) -> None:
    folder = make_model("smollm2")
    tokenizer = load_tokenizer(folder)
    whole = encode(talk(*TURNS), ChatTemplate.load(folder), tokenizer)
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=500)
    tokenizer.save(str(folder / "tokenizer.json"))
    assert encode(talk(*TURNS), ChatTemplate.load(folder), load_tokenizer(folder)) == whole


def test_cut_drops_the_end_and_says_so(encoded: Callable[..., EncodedRow]) -> None:
    row = encoded("smollm2", *TURNS)
    # The template's last token is the line end behind the end-of-turn token
    kept = cut(row, len(row.input_ids) - 1)
    assert kept.end_trained
    assert kept.trained == row.trained
    short = cut(row, len(row.input_ids) - 2)
    assert not short.end_trained
    assert short.trained == row.trained - 1
    assert len(short.input_ids) == len(short.labels) == len(short.offsets)
    assert cut(row, len(row.input_ids)) is row
