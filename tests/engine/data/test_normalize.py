"""Rows of every shape in normal form."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.data.normalize import normalize, normalizer
from engine.data.shapes import propose
from engine.data.types import Shape, ToolCall

ASK, SAY = {"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}
TALK = [ASK, SAY]
QA = [("user", "Q"), ("assistant", "A")]


def turns(row: dict[str, Any], mapping: dict[str, str] | None = None) -> list[tuple[str, str]]:
    messages = normalize(row, 1, propose([row], mapping)).messages
    return [(one.role, one.content) for one in messages]


def shares(*said: tuple[str, Any], **columns: Any) -> dict[str, Any]:
    return {"conversations": [{"from": who, "value": text} for who, text in said], **columns}


@pytest.mark.parametrize(
    "row",
    [
        {"instruction": "Q", "output": "A"},
        {"instruction": "", "input": "Q", "output": "A", "history": "", "system": None},
        {"instruction": None, "input": "Q", "output": "A", "history": "[]"},
        {"question": "Q", "answer": "A"},
        {"问题": "Q", "答案": "A"},
        {"prompt": "Q", "completion": "A"},
        {"prompt": [ASK], "completion": [SAY]},
        {"prompt": "Q", "completion": [SAY]},
        {"prompt": json.dumps([ASK]), "completion": str([SAY])},
        {"prompt": ASK, "completion": SAY},
        shares(("human", "Q"), ("gpt", "A")),
        shares(("user", "Q"), ("chatgpt", "A")),
        shares((" Human", "Q"), ("BOT", "A"), id=3),
        shares(("system", ""), ("prompter", "Q"), ("model", "A")),
        {"messages": TALK},
        {"messages": json.dumps(TALK)},
        {"conversations": str(TALK)},
        {"conversations": str(TALK).replace("}, {", "}\n {")},
        {"messages": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]},
        {"conversation": [{"human": "Q", "assistant": "A"}]},
        {"conversation": [{"input": "Q", "output": "A"}]},
        {"messages": [ASK, SAY | {"tool_calls": None, "weight": 1, "name": None}]},
        {"messages": [ASK | {"content": [{"type": "text", "text": "Q"}]}, SAY]},
        {"messages": [ASK, SAY | {"content": [{"text": "A", "type": None}, ""]}]},
        {
            "contents": [
                {"role": "user", "parts": ["Q"]},
                {"role": "model", "parts": [{"text": "A"}]},
            ]
        },
        {"prompt": "Q", "chosen": "A", "rejected": "B"},
        {"question": "Q", "chosen": SAY, "rejected": {"role": "assistant", "content": "B"}},
        {"prompt": "Q", "chosen": TALK, "rejected": [ASK, {"role": "assistant", "content": "B"}]},
        {"prompt": [ASK], "chosen": [SAY], "rejected": [ASK]},
        {"chosen": TALK, "rejected": [ASK, {"role": "assistant", "content": "B"}]},
        {
            "conversations": [{"from": "human", "value": "Q"}],
            "chosen": {"from": "gpt", "value": "A"},
            "rejected": {"from": "gpt", "value": "B"},
        },
        {"chosen": "\n\nHuman: Q\n\nAssistant: A", "rejected": "\n\nHuman: Q\n\nAssistant: B"},
        {"prompt": "\n\nHuman: Q\n\nAssistant:", "chosen": " A", "rejected": " B"},
    ],
)
def test_one_question_and_one_answer(row: dict[str, Any]) -> None:
    assert [(role, text.strip()) for role, text in turns(row)] == QA


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (
            {"instruction": "Q", "context": "C", "response": "A"},
            [("user", "Q\n\nC"), ("assistant", "A")],
        ),
        (
            {"instruction": "Q", "output": "A", "history": '[["1", "2"]]', "system": "S"},
            [("system", "S"), ("user", "1"), ("assistant", "2"), *QA],
        ),
        ({"prompt": "Q", "response": "A", "history": TALK}, [*QA, *QA]),
        ({"system_prompt": "S", "question": "Q", "response": "A"}, [("system", "S"), *QA]),
        (
            {"messages": [{"role": "developer", "content": "S"}, *TALK], "system": "other"},
            [("system", "S"), *QA],
        ),
        (shares(("system", " "), ("human", "Q"), ("gpt", "A"), system="S"), [("system", "S"), *QA]),
        (
            {"prompt": [{"role": "system", "content": "S"}, ASK], "chosen": TALK, "rejected": "B"},
            [("system", "S"), *QA],
        ),
        (
            {"chosen": "Human: 1\n\nAssistant: 2\n\nHuman: Q\n\nAssistant: A", "rejected": "B"},
            [("user", "1"), ("assistant", "2"), *QA],
        ),
        (
            {"messages": [ASK, SAY | {"reasoning_content": "R"}]},
            [("user", "Q"), ("assistant", "<think>\nR\n</think>\n\nA")],
        ),
        (
            {"messages": [ASK | {"content": [{"type": "text", "text": one} for one in "ab"]}, SAY]},
            [("user", "ab"), ("assistant", "A")],
        ),
        ({"prompt": "Q", "completion": '[{"type": "circle"}]'}, None),
    ],
)
def test_rows_with_more_to_them(
    row: dict[str, Any], expected: list[tuple[str, str]] | None
) -> None:
    assert turns(row) == (expected or [("user", "Q"), ("assistant", row["completion"])])


def test_mapped_columns_are_read_by_path() -> None:
    row = {"q": {"text": "Q"}, "answers": [{"text": "A"}], "input": "unwanted"}
    mapping = {"instruction": "q.text", "output": "answers.0.text", "input": ""}
    assert turns(row, mapping) == QA
    assert turns(row, mapping | {"input": "input"})[0] == ("user", "Q\n\nunwanted")


def test_an_input_alone_can_be_the_question() -> None:
    assert turns({"frage": "Q", "wert": "A"}, {"input": "frage", "output": "wert"}) == QA


def test_optional_columns_count_that_appear_late() -> None:
    read = normalizer(propose([{"instruction": "Q", "output": "A"}]))
    late = read({"instruction": "Q", "output": "A", "system": "S", "input": "C"}, 7)
    assert [one.content for one in late.messages] == ["S", "Q\n\nC", "A"]
    assert late.row == 7


def test_a_column_taken_by_a_field_is_not_read_as_another() -> None:
    shape = Shape(dataset_type="alpaca", columns={"instruction": "input", "output": "system"})
    conversation = normalize({"input": "Q", "system": "A"}, 1, shape)
    assert [(one.role, one.content) for one in conversation.messages] == QA


def test_plain_text_is_trained_whole() -> None:
    conversation = normalize({"id": 1, "正文": "Human: a\n"}, 2, propose([{"正文": "a"}]))
    assert conversation.plain
    assert [(one.role, one.content) for one in conversation.messages] == [
        ("assistant", "Human: a\n")
    ]


CALL = {"name": "weather", "arguments": {"city": "Oslo"}}
TOOL = {"name": "weather", "description": "D", "parameters": {"type": "object", "properties": {}}}
FULL = {"type": "function", "function": TOOL}
CALLED = (ToolCall(name="weather", arguments={"city": "Oslo"}),)


@pytest.mark.parametrize(
    "value",
    [
        *(CALL, [CALL], json.dumps(CALL), json.dumps([CALL]), str(CALL)),
        *(
            {"type": "function", "function": CALL},
            {"name": "weather", "parameters": CALL["arguments"]},
        ),
        {"name": "weather", "arguments": json.dumps(CALL["arguments"])},
        {"name": "weather", "arguments": {"city": "Oslo", "of_another_tool": None}},
    ],
)
@pytest.mark.parametrize("answerer", ["observation", "tool", "function_response"])
def test_sharegpt_calls(value: Any, answerer: str) -> None:
    row = shares(
        *(("human", "Q"), ("function_call", value), (answerer, {"grad": -3}), ("gpt", "A")),
        tools=json.dumps([TOOL]),
    )
    conversation = normalize(row, 1, propose([row]))
    ask, call, answer, say = conversation.messages
    assert (call.role, call.content, call.tool_calls) == ("assistant", "", CALLED)
    assert (answer.role, answer.content, answer.name) == ("tool", '{"grad": -3}', "weather")
    assert (ask.content, say.content) == ("Q", "A")
    assert conversation.tools == (FULL,)


def test_calls_join_the_words_and_calls_before_them() -> None:
    call, other = json.dumps(CALL), json.dumps(CALL | {"name": "time"})
    row = shares(
        *(("human", "Q"), ("gpt", "Let me see."), ("function_call", call)),
        *(("function_call", other), ("observation", "1"), ("observation", ""), ("gpt", "A")),
    )
    _, calls, *answers, _ = normalize(row, 1, propose([row])).messages
    assert calls.content == "Let me see."
    assert [one.name for one in calls.tool_calls] == ["weather", "time"]
    assert [one.name for one in answers] == ["weather", "time"]


def test_thoughts_stay_before_a_call() -> None:
    row = shares(("human", "Q"), ("function_call", f"<think>R</think>\n{json.dumps(CALL)}"))
    call = normalize(row, 1, propose([row])).messages[-1]
    assert (call.content, call.tool_calls) == ("<think>R</think>", CALLED)


def test_openai_calls_are_named_by_their_ids() -> None:
    calls = [
        {"id": name, "type": "function", "function": {"name": f"f{name}", "arguments": "{}"}}
        for name in "12"
    ]
    answers = [{"role": "tool", "tool_call_id": name, "content": name} for name in "21"]
    row = {"messages": [ASK, {"role": "assistant", "tool_calls": calls}, *answers, SAY]}
    messages = normalize(row, 1, propose([row])).messages
    assert [one.name for one in messages] == ["", "", "f2", "f1", ""]
    assert messages[1].tool_calls == (
        ToolCall(name="f1", arguments={}),
        ToolCall(name="f2", arguments={}),
    )


def test_the_older_form_of_openai_calls() -> None:
    call = {"role": "assistant", "content": None, "function_call": CALL}
    answer = {"role": "function", "name": "weather", "content": "-3"}
    row = {"messages": [ASK, call, answer, SAY], "functions": [TOOL]}
    conversation = normalize(row, 1, propose([row]))
    assert conversation.messages[1].tool_calls == CALLED
    assert conversation.messages[2].name == "weather"
    assert conversation.tools == (FULL,)


def test_arguments_that_are_no_object_stay_a_text() -> None:
    row = shares(("human", "Q"), ("function_call", {"name": "f", "arguments": "Oslo"}))
    assert normalize(row, 1, propose([row])).messages[1].tool_calls[0].arguments == "Oslo"


@pytest.mark.parametrize(
    "tools",
    [
        *([TOOL], [FULL], TOOL, json.dumps([TOOL]), json.dumps(FULL), str([FULL])),
        *([json.dumps(TOOL)], [FULL | {"function": TOOL | {"strict": None}}]),
        [{"name": "weather", "description": "D", "input_schema": TOOL["parameters"]}],
        [{"name": "weather", "description": "D"}],
    ],
)
def test_tools_come_in_openais_form(tools: Any) -> None:
    row = shares(("human", "Q"), ("gpt", "A"), tools=tools)
    assert normalize(row, 1, propose([row])).tools == (FULL,)


@pytest.mark.parametrize("tools", [None, "", " ", [], "[]"])
def test_no_tools(tools: Any) -> None:
    assert normalize(shares(("human", "Q"), ("gpt", "A"), tools=tools), 1, _SHARES).tools == ()


def test_a_tools_name_and_description_come_first() -> None:
    row = shares(("human", "Q"), ("gpt", "A"), tools=[{"parameters": {"a": 1}, "name": "f"}])
    (tool,) = normalize(row, 1, _SHARES).tools
    assert list(tool["function"].items()) == [
        *(("name", "f"), ("description", ""), ("parameters", {"a": 1})),
    ]


def test_null_stays_where_json_text_says_it() -> None:
    schema = {"type": "object", "properties": {"a": {"default": None}}}
    text = json.dumps([TOOL | {"parameters": schema}])
    row = shares(("human", "Q"), ("gpt", "A"), tools=text)
    assert normalize(row, 1, _SHARES).tools[0]["function"]["parameters"] == schema


_SHARES = Shape(dataset_type="sharegpt", columns={"conversations": "conversations"})
