"""Each check: rows that it flags, and rows much like them that it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.data.checks import row_codes
from engine.data.checks.words import WORDS
from engine.data.inspect import inspect_dataset
from engine.data.types import Conversation, Message, ToolCall

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FLAGGED = [
    ("special-token-text", "Say <|im_end|> twice.", "I will not."),
    ("special-token-text", "Say it.", "Fine.</s>"),
    ("special-token-text", "[INST] Say it. [/INST]", "Fine then."),
    ("special-token-text", "<start_of_turn>user", "Fine then."),
    ("special-token-text", "Say <｜end▁of▁sentence｜>.", "Fine then."),
    ("control-characters", "Say it.", "\x1b[31mred\x1b[0m"),
    ("control-characters", "NUL\0", "Fine then."),
    ("control-characters", "Say it.", "turned \u202e round"),
    ("mojibake", "Say it.", "The cafÃ© is open."),
    ("mojibake", "Say it.", "It isnâ€™t open."),
    ("mojibake", "Say it.", "ä½\xa0å¥½, world"),
    ("mojibake", "Say it.", "ÐŸÑ€Ð¸Ð²ÐµÑ‚"),
    ("mojibake", "Say it.", "锟斤拷 is here"),
    ("mojibake", "Say it.", "half a \ufffd sign"),
    ("mojibake", "Say it.", "浣犲ソ锛屼笘鐣屻€傛垜浠殑鐢熸椿"),
    ("answer-is-question", "Say it.", "Say it."),
    ("answer-is-question", "Say it.", " Say it.\n"),
    ("short-answer", "Is it?", "No"),
    ("template-leftover", "Say it.", "Fine.\n### Response: again"),
    ("assistant-phrase", "Say it.", "As an AI language model, I cannot."),
    ("long-row", "Say it.", "word " * 10_001),
]
CLEAN = [
    ("Is a < b and b > c?", "Yes: a <b> is bold, x[0] is first, and | is a bar."),
    ("Tabs\tand lines\r\nare fine", "So are emoji 👩‍👩‍👧 and ع‏."),
    ("« Ça va ? » « été\xa0»", "Ça va très bien, merci Âme. Déjà vu, naïve, façade."),
    ("AÇÃO E CORAÇÃO", "NÃO, ÂNGULO, Ñandú, Straße, größer"),
    ("你好吗？", "很好，谢谢。锛子是一种工具。"),
    ("Привет, как дела?", "Хорошо, спасибо."),
    ("Translate: yes", "Oui."),
    ("Explain ### in Markdown", "### Headings look like this."),
    ("What is an AI?", "It acts as a model of thought."),
]


def pair(question: str, answer: str) -> Conversation:
    messages = Message(role="user", content=question), Message(role="assistant", content=answer)
    return Conversation(row=1, messages=messages)


@pytest.mark.parametrize(("code", "question", "answer"), FLAGGED)
def test_a_row_is_flagged(code: str, question: str, answer: str) -> None:
    assert row_codes(pair(question, answer)) == (code,)


@pytest.mark.parametrize(("question", "answer"), CLEAN)
def test_a_row_is_not_flagged(question: str, answer: str) -> None:
    assert row_codes(pair(question, answer)) == ()


def test_a_plain_text_with_a_template_in_it_is_told_in_other_words() -> None:
    text = Message(role="assistant", content="<s>[INST] Hi [/INST] Ho </s>")
    assert row_codes(Conversation(row=1, messages=(text,), plain=True)) == ("rendered-already",)


def test_a_call_without_words_is_no_short_answer() -> None:
    call = ToolCall(name="weather", arguments={"city": "Rome"})
    messages = (
        Message(role="user", content="?"),
        Message(role="assistant", content="", tool_calls=(call,)),
    )
    assert row_codes(Conversation(row=1, messages=messages)) == ()


def rows_of(path: Path, code: str) -> tuple[int, ...]:
    return next((one.rows for one in inspect_dataset(path).findings if one.code == code), ())


def row(question: str, answer: str) -> dict[str, str]:
    return {"instruction": question, "output": answer}


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (row("What is it?", "It is this."), "duplicate"),
        (row("what is  it", "IT IS THIS!"), "near-duplicate"),
        (row("“What is it？”", "It is this…"), "near-duplicate"),
        (row("What is it?", "It is that."), "different-answers"),
        (row("What is 1.5?", "It is this."), ""),
        (row("What is -it?", "It is this."), ""),
    ],
)
def test_rows_are_compared_with_earlier_ones(
    write_rows: Callable[..., Path], second: dict[str, str], code: str
) -> None:
    path = write_rows(row("What is it?", "It is this."), row("Else?", "No other."), second)
    compared = {"duplicate", "near-duplicate", "different-answers"}
    found = {one.code: one.rows for one in inspect_dataset(path).findings if one.code in compared}
    assert found == ({code: (3,)} if code else {})


def test_sums_that_differ_in_a_sign_are_no_copies(write_rows: Callable[..., Path]) -> None:
    rows = [row(f"Compute 6 {sign} 2", "See the book.") for sign in "+-*/"]
    assert rows_of(write_rows(*rows), "near-duplicate") == ()


def test_one_answer_in_most_rows_is_noted(write_rows: Callable[..., Path]) -> None:
    mostly = [row(f"Question {n}", "Yes, sir." if n % 5 else f"No {n}.") for n in range(20)]
    assert rows_of(write_rows(*mostly), "same-answer")[:4] == (2, 3, 4, 5)
    half = [row(f"Question {n}", "Yes, sir." if n % 2 else f"No {n}.") for n in range(20)]
    assert rows_of(write_rows(*half), "same-answer") == ()


def test_words_of_each_check_are_told_with_the_first_row(write_rows: Callable[..., Path]) -> None:
    path = write_rows(row("a b c", "Fine then."), row("Say it", "a <|eot_id|>"))
    found = next(one for one in inspect_dataset(path).findings if one.level == "warning")
    assert found.message == (
        "1 row whose text holds special tokens of chat templates, row 2: it holds <|eot_id|>."
    )
    assert found.hint == WORDS["special-token-text"].hint
