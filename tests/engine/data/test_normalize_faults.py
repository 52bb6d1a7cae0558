"""Rows that cannot train: which fault they have, and where."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from engine.data.faults import FAULTS, FaultyRowError, fault_findings
from engine.data.normalize import normalize, normalizer
from engine.data.shapes import propose
from engine.data.types import Shape

ASK, SAY = {"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}
CALL = {"role": "assistant", "content": None, "tool_calls": [{"name": "f", "arguments": "{}"}]}
TOLD = {"role": "tool", "content": "1"}
SYSTEM = {"role": "system", "content": "S"}

ALPACA = propose([{"instruction": "Q", "output": "A", "input": "", "system": "", "history": []}])
PAIR = propose([{"问题": "Q", "答案": "A"}])
MESSAGES = propose([{"messages": [ASK, SAY]}])
SHARES = propose([{"conversations": [{"from": "human", "value": "Q"}]}])
TEXT = propose([{"text": "A"}])
PREFERENCE = propose([{"prompt": "Q", "chosen": "A", "rejected": "B"}])


def part(**fields: Any) -> dict[str, Any]:
    return {"messages": [ASK | {"content": [fields]}, SAY]}


def say(*turns: dict[str, Any], **columns: Any) -> dict[str, Any]:
    return {"messages": list(turns), **columns}


def talk(*turns: tuple[Any, Any]) -> dict[str, Any]:
    return {"conversations": [{"from": who, "value": text} for who, text in turns]}


@pytest.mark.parametrize(
    ("shape", "row", "code", "words"),
    [
        (ALPACA, {"a": 1}, "other-shape", "its keys are a"),
        (ALPACA, {"instruction": "Q"}, "no-answer", "'output' is missing"),
        (ALPACA, {"instruction": "Q", "output": None}, "no-answer", "'output' is null"),
        (ALPACA, {"output": "A"}, "empty-question", "turn 1 (user)"),
        (ALPACA, {"instruction": "Q", "output": b"A"}, "wrong-type", "raw bytes"),
        (ALPACA, {"instruction": "Q", "output": 1 + 2j}, "wrong-type", "of the type complex"),
        (
            ALPACA,
            {"instruction": "Q", "output": "A", "history": "[[1"},
            "wrong-type",
            "'history' is a text, not a list",
        ),
        (PAIR, {"问题": "Q"}, "no-answer", "'答案' is missing"),
        (PAIR, {"问题": "Q", "答案": " "}, "empty-answer", "turn 2 (assistant)"),
        (PAIR, {"问题": "Q", "答案": 4}, "wrong-type", "'答案' is a number"),
        (PAIR, {"答案": "A"}, "no-question", "no turn is from human or user"),
        (PAIR, {"问题": "\ud83d", "答案": "A"}, "broken-text", "'问题' holds half a character"),
        (PAIR, {"question": "Q", "answer": "A"}, "other-shape", "its keys are question, answer"),
        (PAIR, {"问题": [], "答案": []}, "no-answer", "no turn"),
        (PAIR, {"问题": "Q", "答案": "A", "label": False}, "unwanted", "'label' is false"),
        (MESSAGES, {"messages": None}, "no-answer", "'messages' is null"),
        (MESSAGES, {"messages": ""}, "no-answer", "'messages' is empty"),
        (MESSAGES, {"messages": "[{"}, "wrong-type", "'messages' is a text, not a list"),
        (MESSAGES, {"messages": {}}, "wrong-type", "'messages' is an object, not a list"),
        (MESSAGES, say(ASK, None), "wrong-type", "turn 2 is null"),  # type: ignore[arg-type]
        (MESSAGES, say(ASK, {"role": "assistant"}), "wrong-type", "turn 2 has the keys role"),
        (MESSAGES, say(ASK, SAY | {"content": None}), "wrong-type", "'content of turn 2' is null"),
        (MESSAGES, say(ASK, SAY | {"content": ""}), "empty-answer", "turn 2 (assistant)"),
        (MESSAGES, say(SYSTEM, SAY), "no-question", "no turn is from human or user"),
        (MESSAGES, say(SYSTEM, ASK), "no-answer", "no turn is from gpt"),
        (MESSAGES, say(ASK, SAY, ASK), "no-answer", "the last question has no answer"),
        (MESSAGES, say(SAY, ASK, SAY), "wrong-order", "the assistant speaks first"),
        (MESSAGES, say(ASK, SAY, SYSTEM), "wrong-order", "as turn 3"),
        (MESSAGES, say(SYSTEM, SYSTEM, ASK, SAY), "wrong-order", "a system turn comes after"),
        (MESSAGES, say(ASK, SAY, SAY), "wrong-order", "the assistant speaks twice"),
        (MESSAGES, say(ASK, ASK, SAY), "wrong-order", "in turn 2"),
        (MESSAGES, say(ASK | {"role": "narrator"}), "unknown-role", "turn 1 is from 'narrator'"),
        (MESSAGES, say(ASK | {"role": None}), "wrong-type", "'role of turn 1' is null"),
        (MESSAGES, say(TOLD, ASK, SAY), "tool-order", "turn 1 is from a tool that nobody called"),
        (MESSAGES, say(ASK, TOLD, SAY), "tool-order", "turn 2 is from a tool that nobody called"),
        (MESSAGES, say(ASK, SAY, TOLD), "tool-order", "turn 3 is from a tool that nobody called"),
        (MESSAGES, say(ASK, CALL, ASK, SAY), "tool-order", "the call before turn 3 has no answer"),
        (MESSAGES, say(ASK, CALL, SAY), "tool-order", "the call before turn 3 has no answer"),
        (MESSAGES, say(ASK, CALL, TOLD, ASK, SAY), "tool-order", "in turn 4"),
        (MESSAGES, say(ASK, CALL, TOLD), "no-answer", "a tool speaks last"),
        (MESSAGES, say(ASK, CALL | {"tool_calls": [{}]}), "bad-tools", "turn 2 has no name"),
        (MESSAGES, say(ASK, CALL | {"tool_calls": "f()"}), "bad-tools", "no JSON: f()"),
        (
            MESSAGES,
            say(ASK, CALL | {"tool_calls": [{"name": "f", "arguments": [1]}]}),
            "bad-tools",
            "the arguments in turn 2 are a list",
        ),
        (
            MESSAGES,
            say(ASK, CALL | {"tool_calls": [{"name": "f", "arguments": {"a": "\udc00"}}]}),
            "broken-text",
            "turn 2",
        ),
        (MESSAGES, say(ASK, SAY, tools="search"), "bad-tools", "'tools' is a text"),
        (MESSAGES, say(ASK, SAY, tools=[{"a": 1}]), "bad-tools", "tool 1 has no name"),
        (MESSAGES, say(ASK, SAY, tools=[1]), "bad-tools", "tool 1 is a number"),
        (
            MESSAGES,
            say(ASK, SAY, tools=[{"name": "f", "parameters": "x"}]),
            "bad-tools",
            "the parameters of tool 1 are a text",
        ),
        (MESSAGES, part(type="image_url", image_url={}), "media", "'image_url'"),
        (MESSAGES, part(type="input_audio"), "media", "content of turn 1 has a part"),
        (MESSAGES, part(type="tool_use"), "wrong-type", "of the type 'tool_use'"),
        (MESSAGES, part(type="text", text=None), "wrong-type", "null, not a text"),
        (
            MESSAGES,
            say(ASK | {"content": "<image>What?"}, SAY, images=["a.jpg"]),
            "media",
            "its text holds <image>",
        ),
        (SHARES, talk(("human", "Q"), ("observation", "1"), ("gpt", "A")), "tool-order", "turn 2"),
        (SHARES, talk(("human", "Q"), ("function_call", "f(1)")), "bad-tools", "value of turn 2"),
        (SHARES, talk(("human", "Q"), ("function_call", "[]")), "bad-tools", "value of turn 2"),
        (SHARES, {"conversations": [{"a": "b"}]}, "wrong-type", "wanted: from, value"),
        (SHARES, {"messages": [ASK, SAY]}, "other-shape", "its keys are messages"),
        (TEXT, {"a": "b"}, "other-shape", "its keys are a"),
        (TEXT, {"text": None}, "empty-text", "'text' says nothing"),
        (TEXT, {"text": " \n"}, "empty-text", "'text' says nothing"),
        (TEXT, {"text": 4}, "wrong-type", "'text' is a number"),
        (PREFERENCE, {"prompt": "Q"}, "other-shape", "its keys are prompt"),
        (PREFERENCE, {"prompt": "Q", "rejected": "B"}, "no-answer", "'chosen' is missing"),
        (PREFERENCE, {"prompt": "Q", "chosen": "A"}, "no-rejected", "'rejected' is missing"),
        (
            PREFERENCE,
            {"prompt": "Q", "chosen": "A", "rejected": None},
            "no-rejected",
            "'rejected' is null",
        ),
        (PREFERENCE, {"prompt": "Q", "chosen": "A", "rejected": " "}, "no-rejected", "nothing"),
        (PREFERENCE, {"prompt": "Q", "chosen": "A", "rejected": " A"}, "same-answers", "chosen"),
        (PREFERENCE, {"chosen": "A", "rejected": "B"}, "no-question", "no turn is from human"),
        (PREFERENCE, {"prompt": "Q", "chosen": 1, "rejected": "B"}, "wrong-type", "'chosen'"),
        (PREFERENCE, {"prompt": "Q", "chosen": "", "rejected": "B"}, "empty-answer", "turn 2"),
        (
            PREFERENCE,
            {"chosen": "Human: Q\n\nHuman: R\n\nAssistant: A", "rejected": "B"},
            "wrong-order",
            "the user speaks twice",
        ),
    ],
)
def test_faults(shape: Shape, row: dict[str, Any], code: str, words: str) -> None:
    with pytest.raises(FaultyRowError) as caught:
        normalize(row, 3, shape)
    assert caught.value.code == code
    assert words in caught.value.detail
    (finding,) = fault_findings({3: caught.value})
    assert finding.message.startswith(f"1 row {FAULTS[code].headline}, row 3: ")
    assert finding.hint


def test_what_is_nested_too_deep_is_a_fault() -> None:
    deep: Any = "x"
    for _ in range(20_000):
        deep = [deep]
    for row in (
        say(ASK, SAY, tools=[{"name": "f", "parameters": {"a": deep}}]),
        say(ASK, SAY, tools="[" * 100_000),
        say(ASK, CALL | {"tool_calls": [{"name": "f", "arguments": {"a": deep}}]}),
        say(ASK, CALL, TOLD | {"content": deep}, SAY),
        {"messages": "[" * 100_000},
    ):
        with pytest.raises(FaultyRowError):
            normalize(row, 1, MESSAGES)


def test_many_line_breaks_take_no_time() -> None:
    blank = "Human: Q\n\nAssistant: A" + "\n" * 300_000
    row = {"chosen": blank + "x", "rejected": blank}
    assert len(normalize(row, 1, PREFERENCE).messages) == 2


ROW_FAULTS = {
    *("no-answer", "no-question", "empty-answer", "empty-question", "empty-text", "no-rejected"),
    *("same-answers", "wrong-order", "tool-order", "unknown-role", "wrong-type", "other-shape"),
    *("broken-text", "bad-tools", "media"),
}
NAMES = ["instruction", "input", "output", "history", "system", "tools", "conversations"]
NAMES += ["messages", "prompt", "completion", "chosen", "rejected", "text", "images", "a.b"]
KEYS = ["from", "value", "role", "content", "tool_calls", "function_call", "name", "arguments"]
KEYS += ["function", "parameters", "type", "text", "human", "assistant", "tool_call_id", "id"]
WORDS = [
    "",
    " ",
    "Q",
    "问",
    "\ud800",
    "\x00",
    "human",
    "gpt",
    "user",
    "assistant",
    "system",
    "tool",
]
WORDS += ["function_call", "observation", "[", "{}", "[{}]", "[1, (2,), {3: 4}]", "{'name': 'f'}"]
WORDS += ["Human: Q\n\nAssistant: A", "</think>", '{"name": "f"}', "image", "<image>", "[[]]"]
LEAVES = [None, True, 0, -1.5, float("nan"), 10**400, b"x", {1, 2}, (1,), object()]


def _value(draw: random.Random, depth: int) -> Any:
    """Draw any value, likely one that resembles a part of a dataset's row."""
    chance = draw.random()
    if depth == 0 or chance < 0.4:
        return draw.choice(WORDS) if draw.random() < 0.8 else draw.choice(LEAVES)
    if chance < 0.7:
        return [_value(draw, depth - 1) for _ in range(draw.randrange(4))]
    kept = {key: _value(draw, depth - 1) for key in draw.sample(KEYS, draw.randrange(5))}
    return json.dumps(kept, default=str) if chance > 0.97 else kept


def _turn(draw: random.Random) -> Any:
    """Draw a turn that is often right."""
    sender, content = draw.choice([("from", "value"), ("role", "content")])
    turn = {sender: draw.choice(WORDS[6:14]), content: _value(draw, 2)}
    if draw.random() < 0.3:
        turn[draw.choice(KEYS)] = _value(draw, 3)
    return turn


def test_random_rows_are_read_or_have_a_fault() -> None:
    draw = random.Random(20)  # noqa: S311
    readers = [
        normalizer(Shape(dataset_type=name, columns=columns))  # type: ignore[arg-type]
        for name in (*("alpaca", "sharegpt", "messages", "prompt_completion", "text"), "preference")
        for columns in ({}, {"output": "a.b", "messages": "prompt", "tools": "tools"})
    ]
    codes: dict[str, int] = {}
    for number in range(4000):
        row = {name: _value(draw, 4) for name in draw.sample(NAMES, 5)}
        if draw.random() < 0.5:
            turns = [_turn(draw) for _ in range(draw.randrange(5))]
            row |= dict.fromkeys(("messages", "conversations", "chosen", "history"), turns)
        for read in readers:
            try:
                conversation = read(row, number)
                conversation.model_dump_json().encode()
                codes["none"] = codes.get("none", 0) + 1
            except FaultyRowError as fault:
                fault.detail.encode()
                codes[fault.code] = codes.get(fault.code, 0) + 1
    assert set(codes) == ROW_FAULTS | {"none"}
    assert set(FAULTS) >= ROW_FAULTS  # the others are of files, not of rows
    assert codes["none"] > 500
