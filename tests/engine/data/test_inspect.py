"""From rows to conversations and findings: formats, faults of rows, samples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import sample_datasets
from engine.data.inspect import inspect_dataset, load_conversations, refuse_errors
from engine.errors import LoraDeckError

if TYPE_CHECKING:
    from collections.abc import Callable

SAMPLES = Path(str(sample_datasets.__file__)).parent
GOOD = {"instruction": "Question?", "input": "", "output": "Answer."}


def shares(*turns: tuple[Any, Any], **columns: Any) -> dict[str, Any]:
    return {"conversations": [{"from": who, "value": text} for who, text in turns], **columns}


TALK = shares(("human", "Question?"), ("gpt", "Answer."))


def turns_of(path: Path, row: int = 0) -> list[tuple[str, str]]:
    return [(one.role, one.content) for one in load_conversations(path)[row].messages]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (GOOD, [("user", "Question?"), ("assistant", "Answer.")]),
        (GOOD | {"input": "Context"}, [("user", "Question?\n\nContext"), ("assistant", "Answer.")]),
        (GOOD | {"instruction": "", "input": "C"}, [("user", "C"), ("assistant", "Answer.")]),
        (GOOD | {"input": None, "system": None, "history": None, "id": 7}, None),
        (
            GOOD | {"system": "Be kind.", "history": [["One?", "Two."]]},
            [
                *(("system", "Be kind."), ("user", "One?"), ("assistant", "Two.")),
                *(("user", "Question?"), ("assistant", "Answer.")),
            ],
        ),
        (TALK, [("user", "Question?"), ("assistant", "Answer.")]),
        (TALK | {"system": "Be kind."}, [("system", "Be kind."), ("user", "Question?")]),
        (
            shares(("system", "Be short."), ("user", "a"), ("assistant", "b"), system="Be kind."),
            [("system", "Be short."), ("user", "a"), ("assistant", "b")],
        ),
        (shares(("system", ""), ("human", "a"), ("gpt", "b")), [("user", "a"), ("assistant", "b")]),
    ],
)
def test_rows_become_messages(
    write_rows: Callable[..., Path], row: dict[str, Any], expected: list[tuple[str, str]] | None
) -> None:
    expected = expected or [("user", "Question?"), ("assistant", "Answer.")]
    assert turns_of(write_rows(row))[: len(expected)] == expected


@pytest.mark.parametrize(
    ("row", "code", "words"),
    [
        ({"instruction": "a"}, "no-answer", "'output' is missing"),
        (GOOD | {"output": ""}, "empty-answer", "turn 2 (assistant) says nothing"),
        (GOOD | {"output": " \n"}, "empty-answer", "turn 2 (assistant) says nothing"),
        (GOOD | {"instruction": ""}, "empty-question", "turn 1 (user) says nothing"),
        ({"output": "a"}, "empty-question", "turn 1 (user) says nothing"),
        (GOOD | {"output": 4}, "wrong-type", "'output' is a number"),
        (GOOD | {"output": True}, "wrong-type", "'output' is true or false"),
        (GOOD | {"output": ["a"]}, "wrong-type", "'output' is a list"),
        (GOOD | {"output": None}, "no-answer", "'output' is null"),
        (GOOD | {"instruction": {}}, "wrong-type", "'instruction' is an object"),
        (GOOD | {"input": 1}, "wrong-type", "'input' is a number"),
        (GOOD | {"system": []}, "wrong-type", "'system' is a list"),
        (GOOD | {"history": "a"}, "wrong-type", "'history' is a text, not a list"),
        (GOOD | {"history": [["a"]]}, "wrong-type", "entry 1 of 'history'"),
        (GOOD | {"history": [["a", 1]]}, "wrong-type", "'history entry 1' is a number"),
        (GOOD | {"history": [["a", ""]]}, "empty-answer", "turn 2 (assistant)"),
        (GOOD | {"output": "\ud83d"}, "broken-text", "'output' holds half a character"),
        ({"question": "a"}, "other-shape", "its keys are question"),
    ],
)
def test_alpaca_faults(
    write_rows: Callable[..., Path], row: dict[str, Any], code: str, words: str
) -> None:
    assert_fault(write_rows(GOOD, row), code, words)


@pytest.mark.parametrize(
    ("row", "code", "words"),
    [
        (shares(), "no-answer", "no turn is from gpt"),
        (shares(("human", "a")), "no-answer", "no turn is from gpt"),
        (
            shares(("human", "a"), ("gpt", "b"), ("human", "c")),
            "no-answer",
            "the last question has no answer",
        ),
        (shares(("gpt", "a"), ("human", "b")), "wrong-order", "the assistant speaks first"),
        (
            shares(("human", "a"), ("human", "b"), ("gpt", "c")),
            "wrong-order",
            "the user speaks twice",
        ),
        (
            shares(("human", "a"), ("gpt", "b"), ("gpt", "c")),
            "wrong-order",
            "the assistant speaks twice",
        ),
        (
            shares(("human", "a"), ("system", "b"), ("gpt", "c")),
            "wrong-order",
            "a system turn comes after the first",
        ),
        (shares(("human", "a"), ("narrator", "b")), "unknown-role", "from 'narrator'"),
        (shares(("human", "a"), ("gpt", "")), "empty-answer", "turn 2"),
        (shares(("human", ""), ("gpt", "a")), "empty-question", "turn 1"),
        (shares(("human", "a"), ("gpt", 5)), "wrong-type", "'value of turn 2' is a number"),
        (shares((1, "a"), ("gpt", "b")), "wrong-type", "'from of turn 1' is a number"),
        ({"conversations": "a"}, "wrong-type", "'conversations' is a text"),
        ({"conversations": ["a"]}, "wrong-type", "turn 1 is a text"),
        (
            {"conversations": [{"role": "user", "words": "a"}]},
            "wrong-type",
            "turn 1 has the keys role, words; wanted: from, value",
        ),
        (GOOD, "other-shape", "its keys are instruction, input, output"),
    ],
)
def test_sharegpt_faults(
    write_rows: Callable[..., Path], row: dict[str, Any], code: str, words: str
) -> None:
    assert_fault(write_rows(TALK, row, TALK), code, words)


def assert_fault(path: Path, code: str, words: str) -> None:
    inspection = inspect_dataset(path)
    error = inspection.findings[0]
    assert (error.level, error.code, error.count, error.rows) == ("error", code, 1, (2,))
    assert "row 2: " in error.message
    assert words in error.message
    assert error.hint
    assert not inspection.can_train
    with pytest.raises(LoraDeckError) as caught:
        load_conversations(path)
    assert str(path) in caught.value.message
    assert words in caught.value.message


def test_many_faults_are_grouped_with_the_first_ten_rows(write_rows: Callable[..., Path]) -> None:
    path = write_rows(*[GOOD | {"output": ""}] * 12, *[GOOD] * 13, {"instruction": "a"})
    empty, missing = (one for one in inspect_dataset(path).findings if one.level == "error")
    assert empty.rows == tuple(range(1, 11))
    assert empty.message == (
        "12 rows with an empty answer (rows 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …): "
        "in row 1, turn 2 (assistant) says nothing."
    )
    assert (missing.count, missing.rows) == (1, (26,))


def test_unknown_format_names_the_keys_found_and_wanted(write_rows: Callable[..., Path]) -> None:
    path = write_rows({"prompt": "a"}, {"prompt": "b", "completion\x1b": "c"})
    with pytest.raises(LoraDeckError) as caught:
        inspect_dataset(path)
    assert f"{path}: The rows have the keys prompt, completion␛." in caught.value.message
    for key in ("instruction", "output", "conversations", "from", "value"):
        assert key in caught.value.hint


def test_most_rows_decide_the_format(write_rows: Callable[..., Path]) -> None:
    assert inspect_dataset(write_rows(GOOD, TALK, TALK)).dataset_type == "sharegpt"
    assert inspect_dataset(write_rows(TALK, GOOD, GOOD)).dataset_type == "alpaca"


def test_duplicates_are_a_warning_and_few_rows_a_note(write_rows: Callable[..., Path]) -> None:
    inspection = inspect_dataset(write_rows(GOOD, GOOD | {"id": 2}, GOOD | {"input": "x"}))
    assert [(one.level, one.code, one.rows) for one in inspection.findings] == [
        ("warning", "duplicate", (2,)),
        ("note", "few-rows", ()),
    ]
    assert inspection.can_train
    refuse_errors(inspection)


def test_enough_different_rows_have_no_findings(write_rows: Callable[..., Path]) -> None:
    rows = [GOOD | {"input": str(number), "output": f"No. {number}"} for number in range(50)]
    inspection = inspect_dataset(write_rows(*rows))
    assert inspection.findings == ()
    assert (inspection.rows, len(inspection.preview)) == (50, 3)
    assert inspection.size_bytes == Path(inspection.path).stat().st_size


def test_preview_shows_rows_that_can_train(write_rows: Callable[..., Path]) -> None:
    inspection = inspect_dataset(write_rows(GOOD | {"output": ""}, GOOD))
    assert [one.row for one in inspection.preview] == [2]


@pytest.mark.parametrize(
    ("name", "dataset_type"),
    [
        ("alpaca_example.json", "alpaca"),
        ("sharegpt_example.json", "sharegpt"),
        ("alpaca_zh.jsonl", "alpaca"),
    ],
)
def test_samples_can_train(name: str, dataset_type: str) -> None:
    inspection = inspect_dataset(SAMPLES / name)
    assert inspection.dataset_type == dataset_type
    assert inspection.rows >= 10
    assert [one.code for one in inspection.findings] == ["few-rows"]
    assert len(load_conversations(SAMPLES / name)) == inspection.rows


def test_first_sample_asks_what_loradeck_is() -> None:
    assert turns_of(SAMPLES / "alpaca_example.json")[0] == ("user", "What is LoRADeck?")


BROKEN = {
    "blank.jsonl": "nothing in it",
    "broken_json.json": "line 3, column 43",
    "broken_jsonl.jsonl": "line 3, column 52",
    "cut_off.json": "line 3, column 19",
    "cut_off.jsonl.gz": "ended before the end",
    "cut_off.parquet": "Parquet",
    "empty.json": "nothing in it",
    "empty_answer.json": "row 2",
    "empty_question.json": "row 2",
    "half_character.json": "row 2",
    "mixed_formats.json": "row 3",
    "no_answer.json": "row 2: 'output' is missing",
    "no_rows.json": "empty list",
    "not_an_array.json": "holds a text",
    "not_utf8.json": "0xF6, line 3",
    "ragged.csv": "line 3 has 3 cells",
    "row_not_object.json": "row 2 is a text",
    "unanswered_turn.json": "row 2: the last question has no answer",
    "unknown_format.json": "height, width",
    "unknown_role.json": "from 'narrator'",
    "wrong_order.json": "row 2: the assistant speaks first",
    "wrong_type.json": "row 2: 'output' is a number",
}


def test_every_broken_sample_is_in_the_list_and_the_readme() -> None:
    assert sorted(path.name for path in (SAMPLES / "broken").iterdir()) == sorted(BROKEN)
    readme = (SAMPLES / "README.md").read_text()
    assert [name for name in BROKEN if f"`{name}`" not in readme] == []


@pytest.mark.parametrize("name", BROKEN)
def test_broken_samples_are_refused_with_file_and_place(name: str) -> None:
    path = SAMPLES / "broken" / name
    with pytest.raises(LoraDeckError) as caught:
        load_conversations(path)
    assert str(path) in caught.value.message
    assert BROKEN[name] in caught.value.message
    assert caught.value.hint


def test_inspection_crosses_the_interface_whole(write_rows: Callable[..., Path]) -> None:
    inspection = inspect_dataset(write_rows(GOOD, {"instruction": "\u2028"}))
    assert type(inspection).model_validate(json.loads(inspection.model_dump_json())) == inspection
