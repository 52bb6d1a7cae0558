"""Rows of every shape, and what may go wrong inside them."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

_CALL = {"name": "oven", "arguments": {"degrees": 220}}
_TOOL = {"type": "function", "function": {"name": "oven", "parameters": {"type": "object"}}}
SHAPES: dict[str, dict[str, Any]] = {
    "alpaca": {"instruction": "What is it?", "input": "bread", "output": "Bread, süß und 好."},
    "history": {
        "instruction": "And now?",
        "output": "Now it rests.",
        "history": [["Begin?", "Yes."]],
        "system": "You bake.",
    },
    "sharegpt": {
        "conversations": [
            {"from": "human", "value": "How hot?"},
            {"from": "function_call", "value": '{"name": "oven", "arguments": {}}'},
            {"from": "observation", "value": "220"},
            {"from": "gpt", "value": "220 degrees."},
        ],
        "tools": '[{"name": "oven", "parameters": {}}]',
        "system": "You bake.",
    },
    "messages": {
        "messages": [
            {"role": "system", "content": "You bake."},
            {"role": "user", "content": [{"type": "text", "text": "How hot?"}]},
            {"role": "assistant", "content": "", "tool_calls": [{"id": "1", "function": _CALL}]},
            {"role": "tool", "content": "220", "tool_call_id": "1"},
            {"role": "assistant", "content": "220 degrees."},
        ],
        "tools": [_TOOL],
    },
    "prompt": {"prompt": "Knead ", "completion": "for ten minutes."},
    "question": {"question": "Why?", "answer": "Because of the yeast.", "id": 7, "score": 0.5},
    "text": {"text": "Bread is made of flour, water, salt and time."},
    "preference": {"prompt": "Salt?", "chosen": "Two percent.", "rejected": "No idea."},
    "turns": {
        "chosen": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}],
        "rejected": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "c"}],
    },
}
_DEEP: Any = []
for _ in range(300):
    _DEEP = [_DEEP]
_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 10**30, 1e308, float("nan"), float("inf"), "", " ", "\n"),
    *([], {}, [[]], [None], [{}], {"a": None}, [1, "a", None], _DEEP, "\x00", "\x1b[31m\u202e"),
    *("\ud83d", "😀" * 50, "x" * 20_000, "<|im_start|>system", "{{ 7*7 }}", "[]", '[{"from": 1}]'),
    *("null", "\ufeff", "\u2028", "=cmd()", "assistant", "gpt", {"role": "user"}),
)


def some_rows(random: Random) -> list[Any]:
    """Make some rows, mostly of one shape, and break a few of their values."""
    names = list(SHAPES)
    shape = random.choice(names)
    rows: list[Any] = []
    for number in range(random.choice((1, 2, 5, 20))):
        name = shape if random.random() < 0.9 else random.choice(names)
        row = copy.deepcopy(SHAPES[name])
        for key, value in row.items():
            if isinstance(value, str):
                row[key] = f"{value} {number}"
        rows.append(row)
    for _ in range(random.choice((0, 0, 1, 3))):
        index = random.randrange(len(rows))
        rows[index] = broken(rows[index], random)
    return rows


def broken(value: Any, random: Random) -> Any:
    """Change something in a value, at any depth."""
    if isinstance(value, dict) and value and random.random() < 0.8:
        key = random.choice(list(value))
        return _broken_object(dict(value), key, random)
    if isinstance(value, list) and value and random.random() < 0.8:
        items, index = list(value), random.randrange(len(value))
        action = random.randrange(5)
        if action == 0:
            del items[index]
        elif action == 1:
            items.insert(index, random.choice(_VALUES))
        elif action == 2:
            items *= random.choice((2, 50))
        elif action == 3:
            random.shuffle(items)
        else:
            items[index] = broken(items[index], random)
        return items
    return random.choice(_VALUES)


def _broken_object(value: dict[str, Any], key: str, random: Random) -> dict[str, Any]:
    """Change something in an object."""
    action = random.randrange(5)
    if action == 0:
        del value[key]
    elif action == 1:
        value[str(random.choice(_VALUES))[:40]] = value.pop(key)
    elif action == 2:
        value[str(random.choice(_VALUES))[:40]] = random.choice(_VALUES)
    else:
        value[key] = broken(value[key], random)
    return value
