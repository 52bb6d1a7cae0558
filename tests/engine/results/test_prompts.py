"""The prompts that judge an adapter: chosen, as the model sees them, and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.data.model_files import load_tokenizer
from engine.data.render import NOT_TRAINED, encode
from engine.data.template import ChatTemplate
from engine.data.types import Conversation, Message
from engine.errors import LoraDeckError, NotFoundError
from engine.results.choose_prompts import candidates, choose
from engine.results.prompts import PROMPTS, load_prompts, make_prompt, save_prompts
from engine.train.prepare import prepare
from tests.engine.train.runs import SETTINGS, Kept, plan_of, spec_of, write_rows

if TYPE_CHECKING:
    from pathlib import Path

    from engine.results.prompts import Prompt


def _prompt(model: Path, *turns: tuple[str, str], plain: bool = False, **more: object) -> Prompt:
    """Make the prompt of a row."""
    messages = tuple(Message(role=role, content=said) for role, said in turns)  # type: ignore[arg-type]
    conversation = Conversation(row=1, messages=messages, plain=plain, **more)  # type: ignore[arg-type]
    tokenizer = load_tokenizer(model)
    row = encode(conversation, ChatTemplate.load(model), tokenizer)
    return make_prompt(conversation, row, tokenizer)


def test_a_prompt_is_what_the_model_sees_before_the_first_answer(tiny_llama: Path) -> None:
    turns = ("system", "Be brief."), ("user", "Wo?"), ("assistant", "Zürich"), ("user", "Why?")
    prompt = _prompt(tiny_llama, *turns, ("assistant", "No idea"))
    assert prompt.text.endswith("Wo?<|im_end|>\n<|im_start|>assistant\n")
    tokenizer = load_tokenizer(tiny_llama)
    assert tuple(tokenizer.encode(prompt.text, add_special_tokens=False).ids) == prompt.prompt_ids
    assert [(one.role, one.content) for one in prompt.messages] == list(turns[:2])
    assert (prompt.question, prompt.reference, prompt.cut) == ("Wo?", "Zürich", False)
    assert tokenizer.id_to_token(prompt.end_id) == "<|im_end|>"


def test_a_plain_text_is_asked_to_go_on(tiny_llama: Path) -> None:
    prompt = _prompt(tiny_llama, ("assistant", "abcdef" * 100), plain=True)
    assert prompt.messages == ()
    assert prompt.question == prompt.text == ("abcdef" * 50)[:256]
    assert (len(prompt.reference), prompt.plain, prompt.cut) == (128, True, True)
    assert prompt.end_id == 2


def test_turns_with_functions_are_not_said_to_make_the_prompt(tiny_llama: Path) -> None:
    turns = ("user", "Weather?"), ("assistant", "Rain")
    tools = ({"type": "function", "function": {"name": "f", "parameters": {}}},)
    prompt = _prompt(tiny_llama, *turns, tools=tools)
    assert prompt.messages == ()
    assert "Weather?" in prompt.text


def test_held_out_questions_are_kept_with_the_task(tiny_llama: Path, tmp_path: Path) -> None:
    dataset = write_rows(tmp_path / "rows.jsonl", 60)
    spec = spec_of(plan_of(dataset, tiny_llama, **SETTINGS | {"eval_rows": 20}), tmp_path)
    prepared = prepare(spec, tiny_llama, Kept())
    assert prepared.evaluation is not None
    prompts = load_prompts(spec.folder)
    held = [tuple(row["input_ids"]) for row in prepared.evaluation]
    assert len(prompts) == 16
    assert all(any(row[: len(one.prompt_ids)] == one.prompt_ids for row in held) for one in prompts)
    written = (spec.folder / PROMPTS).stat().st_mtime_ns
    prepare(spec, tiny_llama, Kept())  # as a resumed run does
    assert (spec.folder / PROMPTS).stat().st_mtime_ns == written


def test_rows_are_drawn_from_all_over_and_quick_ones_come_first() -> None:
    numbers = np.arange(1, 5001, dtype=np.int64)
    drawn = candidates(numbers, range(5000), seed=1)
    assert np.array_equal(drawn, candidates(numbers, range(5000), seed=1))
    assert not np.array_equal(drawn, candidates(numbers, range(5000), seed=2))
    assert (len(set(drawn.tolist())), bool(drawn.max() > 4000)) == (256, True)
    rows = [
        {"labels": [NOT_TRAINED] * 3 + [7] * (500 if n < 20 else 5), "row": n} for n in range(40)
    ]
    unasked = [{"labels": [7] * 5, "row": 99}]
    assert choose(unasked + rows, plain=False) == list(range(20, 36))
    assert choose(rows[:3], plain=False) == [0, 1, 2]  # better long ones than none


def test_prompts_are_read_back_or_said_to_be_damaged(tiny_llama: Path, tmp_path: Path) -> None:
    prompt = _prompt(tiny_llama, ("user", "A?"), ("assistant", "B"))
    with pytest.raises(NotFoundError, match="keeps no prompts"):
        load_prompts(tmp_path)
    save_prompts(tmp_path, [prompt])
    assert load_prompts(tmp_path) == (prompt,)
    (tmp_path / PROMPTS).write_text('[{"text": 3}]')
    with pytest.raises(LoraDeckError, match="is damaged"):
        load_prompts(tmp_path)
