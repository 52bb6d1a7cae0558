"""How rows are to be read: shapes found in names and values, and mappings."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from engine.data.mapping import parse_mapping
from engine.data.shapes import describe_shape, propose
from engine.errors import LoraDeckError

TURNS = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
SHARED = [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]
PAIRS = [{"human": "a", "assistant": "b"}]
TEXT = "words"


@pytest.mark.parametrize(
    ("row", "words", "guessed"),
    [
        ({"instruction": TEXT, "output": TEXT}, "alpaca: instruction, output", False),
        (
            {
                "history": [],
                "input": "",
                "instruction": TEXT,
                "output": TEXT,
                "system": "",
                "id": 1,
            },
            "alpaca: instruction, output, input, history, system",
            False,
        ),
        (
            {"Instruction": TEXT, "OUTPUT": TEXT},
            "alpaca: instruction from Instruction, output from OUTPUT",
            False,
        ),
        (
            {"instruction": TEXT, "context": "", "response": TEXT, "category": TEXT},
            "alpaca: instruction, output from response, input from context",
            True,
        ),
        (
            {"question": TEXT, "context": TEXT, "answer": TEXT},
            "alpaca: instruction from question, output from answer, input from context",
            True,
        ),
        (
            {"instruction": TEXT, "question": TEXT, "output": TEXT},
            "alpaca: instruction, output, input from question",
            True,
        ),
        (
            {"instruction": TEXT, "output": TEXT, "text": TEXT, "prompt": TEXT},
            "alpaca: instruction, output",
            False,
        ),
        (
            {"instruction": TEXT, "output": TEXT, "history": TURNS},
            "alpaca: instruction, output, history",
            False,
        ),
        ({"conversations": SHARED, "id": TEXT}, "sharegpt: conversations", False),
        (
            {"conversations": SHARED, "system": TEXT, "tools": "[]"},
            "sharegpt: conversations, system, tools",
            False,
        ),
        ({"conversation": PAIRS}, "sharegpt: conversations from conversation", True),
        ({"messages": SHARED}, "sharegpt: conversations from messages", True),
        ({"items": SHARED}, "sharegpt: conversations from items", True),
        ({"any name": SHARED}, "sharegpt: conversations from any name", True),
        ({"conversations": []}, "sharegpt: conversations", False),
        ({"conversations": TEXT}, "sharegpt: conversations", False),
        ({"messages": TURNS}, "messages: messages", False),
        (
            {"messages": TURNS, "functions": [{"name": "f"}]},
            "messages: messages, tools from functions",
            True,
        ),
        ({"conversations": TURNS}, "messages: messages from conversations", True),
        ({"messages": json.dumps(TURNS)}, "messages: messages", False),
        ({"dialog": str(SHARED)}, "sharegpt: conversations from dialog", True),
        ({"messages": TURNS, "prompt": TEXT, "prompt_id": TEXT}, "messages: messages", False),
        ({"problem": TEXT, "solution": TEXT, "messages": TURNS}, "messages: messages", False),
        ({"prompt": TEXT, "completion": TEXT}, "prompt_completion: prompt, completion", False),
        (
            {"prompt": TURNS[:1], "completion": TURNS[1:]},
            "prompt_completion: prompt, completion",
            False,
        ),
        (
            {"system_prompt": "", "question": TEXT, "response": TEXT},
            "prompt_completion: prompt from question, completion from response, "
            "system from system_prompt",
            True,
        ),
        (
            {"article": TEXT, "highlights": TEXT, "id": TEXT},
            "prompt_completion: prompt from article, completion from highlights",
            True,
        ),
        (
            {"user_question": TEXT, "bot_answer (en)": TEXT, "question_id": TEXT},
            "prompt_completion: prompt from user_question, completion from bot_answer (en)",
            True,
        ),
        (
            {"prompt": TEXT, "answer": 3, "response": TEXT},
            "prompt_completion: prompt, completion from response",
            True,
        ),
        (
            {"question": TEXT, "answer": 4},
            "prompt_completion: prompt from question, completion from answer",
            True,
        ),
        ({"text": TEXT, "label": 1}, "text: text", False),
        ({"text": TEXT, "summary": TEXT}, "text: text", False),
        ({"title": TEXT, "content": TEXT, "url": TEXT}, "text: text from content", True),
        ({"正文": TEXT}, "text: text from 正文", True),
        ({"id": "x1", "poem": TEXT, "lines": 3}, "text: text from poem", True),
        (
            {"prompt": TEXT, "chosen": TEXT, "rejected": TEXT},
            "preference: chosen, rejected, prompt",
            False,
        ),
        (
            {"prompt": TEXT, "chosen": TURNS, "rejected": TURNS, "messages": TURNS},
            "preference: chosen, rejected, prompt",
            False,
        ),
        (
            {"question": TEXT, "chosen": TEXT, "rejected": TEXT, "system": ""},
            "preference: chosen, rejected, prompt from question, system",
            True,
        ),
        (
            {"conversations": SHARED[:1], "chosen": SHARED[1], "rejected": SHARED[1]},
            "preference: chosen, rejected, prompt from conversations",
            True,
        ),
    ],
)
def test_a_row_shows_its_shape(row: dict[str, Any], words: str, guessed: bool) -> None:
    shape = propose([row])
    assert describe_shape(shape) == words
    assert shape.guessed is guessed


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        *(("question", "answer"), ("query", "response"), ("q", "a"), ("Prompt Text", "reply")),
        *(("input", "output"), ("input", "target"), ("source", "target"), ("human", "gpt")),
        *(("问题", "答案"), ("問題", "答案"), ("提问", "回答"), ("输入", "输出"), ("问", "答")),
        *(("質問", "回答"), ("질문", "답변"), ("Frage", "Antwort"), ("pregunta", "respuesta")),
        *(("question", "réponse"), ("domanda", "risposta"), ("pergunta", "resposta")),
        *(("вопрос", "ответ"), ("vraag", "antwoord"), ("soru", "cevap"), ("سؤال", "جواب")),
        *(("user-query", "bot_response"), ("USER", "Assistant"), ("request", "response")),
    ],
)
def test_questions_and_answers_in_many_languages(question: str, answer: str) -> None:
    shape = propose([{"id": "1", question: TEXT, answer: TEXT}])
    assert shape.dataset_type == "prompt_completion"
    assert shape.columns == {"prompt": question, "completion": answer}
    assert shape.guessed


@pytest.mark.parametrize("instruction", ["指令", "指示", "지시", "Anweisung", "инструкция"])
def test_instructions_in_many_languages(instruction: str) -> None:
    shape = propose([{instruction: TEXT, "输入": TEXT, "output": TEXT}])
    assert shape.dataset_type == "alpaca"
    assert shape.columns == {"instruction": instruction, "output": "output", "input": "输入"}


def test_most_rows_decide_and_their_optional_columns_are_gathered() -> None:
    alpaca = {"instruction": TEXT, "output": TEXT}
    odd = {"conversations": SHARED}
    assert propose([odd, alpaca, alpaca]).dataset_type == "alpaca"
    assert propose([odd, alpaca, odd]).dataset_type == "sharegpt"
    rows = [alpaca, alpaca | {"system": TEXT}, alpaca | {"input": TEXT}, odd]
    assert describe_shape(propose(rows)) == "alpaca: instruction, output, input, system"


def test_columns_of_a_table_that_are_null_do_not_vote() -> None:
    nothing = dict.fromkeys(("instruction", "output", "conversations"))
    alpaca = nothing | {"instruction": TEXT, "output": TEXT}
    assert propose([alpaca, alpaca, nothing | {"conversations": SHARED}]).dataset_type == "alpaca"
    assert propose([nothing]).dataset_type == "sharegpt"
    assert propose([{"instruction": TEXT, "output": None}]).dataset_type == "alpaca"


def test_a_wrong_value_in_one_row_does_not_change_the_shape() -> None:
    rows = [{"messages": "nothing"}, {"messages": TURNS}, {"messages": None}]
    assert propose(rows).dataset_type == "messages"


@pytest.mark.parametrize(
    "rows",
    [
        *([], [{}], [{"a": TEXT, "b": TEXT}], [{"prompt": TEXT}], [{"instruction": TEXT}]),
        *([{"id": 1}], [{"question": TEXT, "context": TEXT, "answers": {"text": [TEXT]}}]),
        [{"\x1b]0;x": TEXT, "b": [1]}, {"c": TEXT}],
    ],
)
def test_unknown_shapes_name_what_was_found_and_what_is_wanted(rows: list[dict[str, Any]]) -> None:
    with pytest.raises(LoraDeckError) as caught:
        propose(rows)
    error = caught.value
    assert error.title == "Unknown dataset format"
    for word in ("instruction", "output", "conversations", "from", "value", "messages", "chosen"):
        assert word in error.hint
    for row in rows:
        for key in row:
            assert key.replace("\x1b", "␛") in error.message
    assert not rows or not rows[0] or "--map instruction=COLUMN,output=COLUMN" in error.hint


def test_unknown_shape_offers_a_mapping_that_works() -> None:
    row = {"id": "x", "erste": TEXT, "zweite": TEXT}
    with pytest.raises(LoraDeckError) as caught:
        propose([row])
    offered = "instruction=erste,output=zweite"
    assert f"--map {offered}" in caught.value.hint
    assert propose([row], parse_mapping(offered)).columns == {
        "instruction": "erste",
        "output": "zweite",
    }


ROW = {"甲": TEXT, "乙": TEXT, "input": TEXT, "meta": {"answer": TEXT, "all": [TEXT]}, "a.b": TEXT}


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ("instruction=甲,output=乙", "alpaca: instruction from 甲, output from 乙, input"),
        (
            "instruction=甲,output=乙,input=",
            "alpaca: instruction from 甲, output from 乙, no input",
        ),
        ("input=甲,output=乙", "alpaca: output from 乙, input from 甲"),
        ("prompt=甲,completion=乙", "prompt_completion: prompt from 甲, completion from 乙"),
        ("Prompt = 甲 ， COMPLETION＝乙,", "prompt_completion: prompt from 甲, completion from 乙"),
        ('prompt="甲",completion=乙', "prompt_completion: prompt from 甲, completion from 乙"),
        ("prompt=INPUT,completion=乙", "prompt_completion: prompt from input, completion from 乙"),
        ("completion=乙", "prompt_completion: prompt from input, completion from 乙"),
        ("text=乙", "text: text from 乙"),
        (
            "chosen=甲,rejected=乙",
            "preference: chosen from 甲, rejected from 乙, prompt from input",
        ),
        ("messages=甲,system=乙", "messages: messages from 甲, system from 乙"),
        ("conversations=甲", "sharegpt: conversations from 甲"),
        ("text=meta.answer", "text: text from meta.answer"),
        ("text=meta.all.0", "text: text from meta.all.0"),
        ("text=a.b", "text: text from a.b"),
    ],
)
def test_a_mapping_decides(mapping: str, words: str) -> None:
    assert describe_shape(propose([ROW], parse_mapping(mapping))) == words


def test_a_mapping_of_one_field_keeps_the_rest_of_what_was_found() -> None:
    row = {"instruction": TEXT, "context": TEXT, "output": TEXT, "better": TEXT, "persona": TEXT}
    shape = propose([row], {"output": "better"})
    assert describe_shape(shape) == (
        "alpaca: instruction, output from better, input from context, system from persona"
    )


@pytest.mark.parametrize(
    ("mapping", "title", "words"),
    [
        ({"anser": "甲"}, "Unknown field", "no field 'anser'"),
        ({"question": "甲"}, "Unknown field", "Did you mean prompt or"),
        ({"answer": "甲"}, "Unknown field", "Did you mean completion or output?"),
        ({"instrution": "甲"}, "Unknown field", "Did you mean instruction"),
        ({"output": "inptu"}, "Unknown column", "no column 'inptu'. Did you mean input?"),
        ({"output": "meta.answers"}, "Unknown column", "no column 'meta.answers'"),
        ({"output": "meta.all.7"}, "Unknown column", "no column"),
        ({"output": "\x1b[2J"}, "Unknown column", "'␛[2J'"),
        ({"text": "甲", "output": "乙"}, "Fields do not fit together", "text, output"),
        ({"system": "甲"}, "Mapping incomplete", "system alone"),
        ({"rejected": "甲"}, "Mapping incomplete", "needs a column for chosen"),
        ({"instruction": "甲"}, "Mapping incomplete", "needs a column for output"),
        ({"output": ""}, "Mapping incomplete", "needs a column for instruction and output"),
        (
            {"output": "甲", "instruction": "甲"},
            "Mapping not understood",
            "column 甲 is named twice",
        ),
        (
            {"output": "甲", "Output": "乙"},
            "Mapping not understood",
            "named twice in output, Output",
        ),
    ],
)
def test_a_mapping_that_cannot_be_is_refused(
    mapping: dict[str, str], title: str, words: str
) -> None:
    with pytest.raises(LoraDeckError) as caught:
        propose([ROW], mapping)
    assert caught.value.title == title
    assert words in caught.value.message
    assert caught.value.hint


def test_an_unknown_column_is_answered_with_the_columns_there_are() -> None:
    with pytest.raises(LoraDeckError) as caught:
        propose([ROW], {"output": "x"})
    assert caught.value.hint == "The columns are 甲, 乙, input, meta, a.b."


def test_mappings_are_parsed() -> None:
    assert parse_mapping("instruction=问题,output=答案") == {
        "instruction": "问题",
        "output": "答案",
    }
    assert parse_mapping(' text = "a, b" ') == {"text": "a, b"}
    assert parse_mapping("output=a b,input=") == {"output": "a b", "input": ""}
    assert parse_mapping("output=x=y") == {"output": "x=y"}


@pytest.mark.parametrize(
    "text",
    ["", " ", ",", "a", "a,b", "=a", "a=b,c", 'a="b', 'a="b"c', "a=b,a=c", "a=b,c=b", "a=b,,c=d"],
)
def test_malformed_mappings_are_refused(text: str) -> None:
    with pytest.raises(LoraDeckError, match="Mapping not understood") as caught:
        parse_mapping(text)
    assert "instruction=问题,output=答案" in caught.value.hint


def test_any_rows_have_a_shape_or_a_refusal() -> None:
    draw = random.Random(3)  # noqa: S311
    names = ["instruction", "output", "input", "q", "a", "text", "chosen", "rejected", "prompt"]
    names += ["messages", "tools", "x", "问题", ""]
    values: list[Any] = [
        *(None, "", TEXT, 1, True, [], {}, TURNS, SHARED, PAIRS, [TEXT], [[TEXT]], {"a": {}}),
        *(json.dumps(TURNS), str(SHARED), "[", "[1", "{", "\ud800", b"x", "[[" * 5000),
    ]
    refused = 0
    for _ in range(400):
        rows = [
            {name: draw.choice(values) for name in draw.sample(names, draw.randrange(6))}
            for _ in range(draw.randrange(4))
        ]
        mapping = {
            draw.choice(names): draw.choice([*names, "x.0"]) for _ in range(draw.randrange(3))
        }
        try:
            describe_shape(propose(rows, mapping))
        except LoraDeckError:
            refused += 1
    assert 0 < refused < 400
