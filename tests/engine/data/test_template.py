"""Chat templates: rendered as transformers renders them, and refused with words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from engine.data.chat import as_turns
from engine.data.model_files import load_tokenizer
from engine.data.render import encode
from engine.data.template import DEFAULT_TEMPLATE, ChatTemplate
from engine.data.types import Message
from engine.errors import LoraDeckError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.data.types import Conversation

NAMES = (
    *("smollm2", "llama3", "zephyr", "mistral", "gemma", "qwen3"),
    *("reasoner", "end_once", "generation"),
)
NO_SYSTEM = ("mistral", "gemma")
CONVERSATIONS = [
    ("What is it?", "The answer."),
    ("a", " <b> & 'c' \n", "你好 😀?", "<think>\nhm\n</think>\n\nDone.\n", "x\n\ny", "z"),
]


@pytest.fixture(scope="session")
def auto_tokenizer() -> Any:
    """transformers takes seconds to import: once for all tests that compare with it."""
    transformers = pytest.importorskip("transformers")
    return transformers.AutoTokenizer


@pytest.mark.parametrize("name", [*NAMES, "default"])
def test_text_and_tokens_equal_those_of_transformers(
    name: str,
    auto_tokenizer: Any,
    make_model: Callable[..., Path],
    talk: Callable[..., Conversation],
) -> None:
    folder = make_model(name, DEFAULT_TEMPLATE if name == "default" else None)
    theirs = auto_tokenizer.from_pretrained(folder, local_files_only=True)
    template, tokenizer = ChatTemplate.load(folder), load_tokenizer(folder)
    for turns in CONVERSATIONS:
        for system in ("",) if name in NO_SYSTEM else ("", "Be brief."):
            conversation = talk(*turns, system=system)
            chat = as_turns(conversation.messages)
            for prompt in (False, True):
                expected = theirs.apply_chat_template(
                    chat, tokenize=False, add_generation_prompt=prompt
                )
                rendered = template.render(conversation.messages, add_generation_prompt=prompt)
                assert rendered == expected
            ids = theirs.apply_chat_template(chat, tokenize=True, return_dict=True)["input_ids"]
            assert encode(conversation, template, tokenizer).input_ids == ids


@pytest.mark.parametrize("name", NO_SYSTEM)
def test_a_refused_system_turn_goes_before_the_first_question(
    name: str, make_model: Callable[..., Path], talk: Callable[..., Conversation]
) -> None:
    template = ChatTemplate.load(make_model(name))
    with_system = talk("Question?", "Answer.", system="Be brief.")
    folded = talk("Be brief.\n\nQuestion?", "Answer.")
    assert template.render(with_system.messages) == template.render(folded.messages)


def test_a_model_without_template_gets_the_default_one(
    make_model: Callable[..., Path], talk: Callable[..., Conversation]
) -> None:
    template = ChatTemplate.load(make_model("bare", ""))
    assert template.is_default
    assert template.source == DEFAULT_TEMPLATE
    conversation = talk("Question?", "Answer.", system="Be brief.")
    assert template.render(conversation.messages) == (
        "<s>Be brief.\n\nUser:\nQuestion?\n\nAssistant:\nAnswer.</s>\n\n"
    )


@pytest.mark.parametrize(
    "value",
    ["{{ 'hi' }}", [{"name": "tool_use", "template": "x"}, {"name": "default", "template": "hi"}]],
)
def test_template_in_the_tokenizer_config(make_model: Callable[..., Path], value: object) -> None:
    template = ChatTemplate.load(make_model("bare", "", chat_template=value))
    assert not template.is_default
    assert template.render([Message(role="user", content="a")]) == "hi"


def test_special_tokens_of_both_files_and_shapes(make_model: Callable[..., Path]) -> None:
    added = {"content": "<|im_end|>", "lstrip": False}
    folder = make_model("bare", "", eos_token=added, image_token="<img>")
    (folder / "special_tokens_map.json").write_text(json.dumps({"bos_token": {"content": "<x>"}}))
    template = ChatTemplate.load(folder)
    assert template.tokens == {
        "bos_token": "<x>",
        "eos_token": "<|im_end|>",
        "image_token": "<img>",
    }
    assert template.eos_token == "<|im_end|>"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{% if %}", "Expected an expression"),
        ("{{ raise_exception('Not these roles!') }}", "Not these roles!"),
        ("{{ messages[5].content.x }}", "no element 5"),
        ("{{ 1 // 0 }}", "zero"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{% set n = namespace(__init__=1) %}{{ n }}", "private name"),
        ("{{ messages.append(1) }}", "unsafe"),
        ("{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}", "recursion"),
        ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "recursion"),
        ("{% for a in range(10000000) %}{% endfor %}", "Range too big"),
        ("{{ 'x' * 30000000 }}", "30,000,000 characters"),
        ("{{ messages[0].content | nosuchfilter }}", "nosuchfilter"),
        ("{{ raise_exception('\x1b]0;x\x07') }}", "␛]0;x␇"),
    ],
)
def test_faulty_templates_are_refused_with_words(source: str, words: str) -> None:
    with pytest.raises(LoraDeckError) as caught:
        ChatTemplate(source, {}).render([Message(role="user", content="a")])
    assert words in caught.value.message
    assert caught.value.title == "Chat template failed"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("tokenizer_config.json", "{", "tokenizer_config.json"),
        ("tokenizer_config.json", "[]", "no JSON object"),
        ("tokenizer_config.json", '{"chat_template": 5}', "not a text"),
        ("tokenizer_config.json", '{"chat_template": [{"name": "rag"}]}', "called default"),
        ("chat_template.jinja", b"\xff", "chat_template.jinja"),
        ("special_tokens_map.json", "nope", "special_tokens_map.json"),
    ],
)
def test_damaged_model_files_are_named(tmp_path: Path, name: str, content: Any, words: str) -> None:
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(LoraDeckError) as caught:
        ChatTemplate.load(tmp_path)
    assert words in caught.value.message


def test_missing_and_damaged_tokenizers(tmp_path: Path) -> None:
    with pytest.raises(LoraDeckError, match=r"no tokenizer.json"):
        load_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(LoraDeckError, match=r"tokenizer.json"):
        load_tokenizer(tmp_path)


def test_time_stands_still_within_a_template() -> None:
    template = ChatTemplate("{{ strftime_now('%Y %f') }}", {})
    first = template.render([Message(role="user", content="a")])
    assert first == template.render([Message(role="user", content="a")])
    assert first[:2] == "20"
