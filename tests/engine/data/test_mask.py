"""The mask over the templates of many families: what is trained, found by patterns as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.data import turns
from engine.data.render import NOT_TRAINED, EncodedRow, encode
from engine.data.rendering import trained_spans
from engine.data.template import ChatTemplate
from engine.data.turns import find_turns
from engine.data.types import Conversation, Message
from tests.engine.data.mask_cases import (
    ASKED,
    CONVERSATIONS,
    FAMILIES,
    SPECIAL_TEXTS,
    Family,
    calls,
    make_tokenizer,
    result,
    says,
    talk,
    user,
)

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BY_NAME = {family.name: family for family in FAMILIES}
families = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """A tokenizer that knows the special tokens of all families."""
    return make_tokenizer()


def trained_texts(row: EncodedRow) -> list[str]:
    """Give the texts of what is trained."""
    return [row.text[start:end] for start, end in trained_spans(row)]


def trained_by_tokens(row: EncodedRow, tokenizer: Tokenizer) -> list[str]:
    """Decode the runs of trained tokens: no offset has a part in it."""
    runs: list[list[int]] = [[]]
    for label in row.labels:
        if label == NOT_TRAINED:
            runs.append([])
        else:
            runs[-1].append(label)
    return [tokenizer.decode(run, skip_special_tokens=False) for run in runs if run]


@families
@pytest.mark.parametrize("case", CONVERSATIONS)
def test_each_answer_is_trained_with_its_end_and_nothing_else(
    family: Family, case: str, tokenizer: Tokenizer
) -> None:
    row = encode(CONVERSATIONS[case], family.template, tokenizer)
    if case == "tool_again" and family.name == "families/deepseekv3":
        pytest.skip("this template writes a second call without a header: no pattern finds it")
    expected = [answer.strip() for answer in family.answers(row.text)]
    assert expected
    assert [text.strip() for text in trained_texts(row)] == expected
    assert [text.strip() for text in trained_by_tokens(row, tokenizer)] == expected
    assert row.end_trained


@families
@pytest.mark.parametrize("case", CONVERSATIONS)
def test_everything_said_is_in_the_text_and_only_answers_are_trained(
    family: Family, case: str, tokenizer: Tokenizer
) -> None:
    conversation = CONVERSATIONS[case]
    row = encode(conversation, family.template, tokenizer)
    trained = trained_texts(row)
    speakers = [one for one in conversation.messages if one.role == "assistant"]
    assert len(trained) == len(speakers)
    for message, text in zip(speakers, trained, strict=True):
        assert message.content.rpartition("</think>")[2].strip() in text
        assert all(call.name in text for call in message.tool_calls)
        for call in message.tool_calls:
            assert isinstance(call.arguments, dict)
            assert call.arguments["city"] in text
    for message in conversation.messages:
        assert message.content.rpartition("</think>")[2].strip() in row.text
    assert ("Tell the weather." in row.text) == bool(conversation.tools)


@families
def test_what_is_folded_is_what_the_template_would_lose(
    family: Family, tokenizer: Tokenizer
) -> None:
    for case, conversation in CONVERSATIONS.items():
        row = encode(conversation, family.template, tokenizer)
        has_tools = bool(conversation.tools)
        assert row.tools_folded == (has_tools and case not in family.native), case
    row = encode(CONVERSATIONS["system"], family.template, tokenizer)
    assert row.system_folded == (not family.has_system)


@families
@pytest.mark.parametrize("case", SPECIAL_TEXTS)
def test_texts_that_look_like_templates_change_nothing(
    family: Family, case: str, tokenizer: Tokenizer
) -> None:
    said = SPECIAL_TEXTS[case].messages
    row = encode(SPECIAL_TEXTS[case], family.template, tokenizer)
    plain = trained_texts(encode(talk("κ", "λ", "μ", "ν"), family.template, tokenizer))
    expected = [plain[0].replace("λ", said[1].content), plain[1].replace("ν", said[3].content)]
    assert trained_texts(row) == expected


@families
def test_a_long_conversation_is_masked_as_answer_by_answer(
    family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    for conversation in (
        talk(*[f"turn {number} {'x' * number}" for number in range(20)], system="Be brief."),
        talk(*ASKED * 5, tools=True),
        talk(*ASKED * 4, user("thanks \n"), says(" bye\n")),
        talk("<think>\na\n</think>\n\nb", *["<think>\nc\n</think>\n\nd", " e \n"] * 8, "f"),
    ):
        monkeypatch.setattr(turns, "_MANY_TURNS", 0)
        at_once = find_turns(conversation, family.template)
        monkeypatch.setattr(turns, "_MANY_TURNS", 1000)
        assert find_turns(conversation, family.template) == at_once


def test_thinking_of_earlier_turns_is_not_trained_where_the_template_drops_it(
    tokenizer: Tokenizer,
) -> None:
    row = encode(CONVERSATIONS["thinking"], BY_NAME["families/qwen3"].template, tokenizer)
    assert trained_texts(row) == ["A.<|im_end|>", "<think>\nSecond.\n</think>\n\nB.<|im_end|>"]
    assert "First." not in row.text
    row = encode(CONVERSATIONS["single"], BY_NAME["families/qwen3"].template, tokenizer)
    assert trained_texts(row) == ["<think>\n\n</think>\n\nThe answer.<|im_end|>"]


def test_a_native_call_is_trained_in_the_words_of_its_template(tokenizer: Tokenizer) -> None:
    def call(name: str) -> str:
        template = BY_NAME[f"families/{name}"].template
        return trained_texts(encode(CONVERSATIONS["tool"], template, tokenizer))[0]

    assert call("llama3_2") == '{"name": "get_weather", "parameters": {"city": "Köln"}}<|eot_id|>'
    inner = '"name": "get_weather", "arguments": {"city": "Köln"}'
    assert call("qwen2_5") == f"<tool_call>\n{{{inner}}}\n</tool_call><|im_end|>"
    assert call("mistral_v3_tekken") == f'[TOOL_CALLS][{{{inner}, "id": "call00000"}}]</s>'
    assert 'get_weather\n```json\n{"city": "Köln"}\n```' in call("deepseekv3")


@pytest.mark.parametrize("name", ["zephyr", "families/gemma", "smollm2", "default"])
def test_a_template_without_tools_gets_them_as_text(name: str, tokenizer: Tokenizer) -> None:
    if name == "default":
        template = ChatTemplate.default({"eos_token": "</s>"})
    else:
        template = BY_NAME[name].template
    row = encode(CONVERSATIONS["tool_twice"], template, tokenizer)
    assert row.tools_folded
    first, last = trained_texts(row)
    assert '<tool_call>{"name": "get_weather", "arguments": {"city": "Köln"}}</tool_call>' in first
    assert '"Bonn"' in first
    assert last.startswith("Warm.")
    assert "<tool_response>\n18 °C\n</tool_response>\n<tool_response>\n19 °C" in row.text
    assert row.text.index("You may call functions.") < row.text.index("How warm is it?")


def test_arguments_that_are_no_object_and_results_without_call_are_kept(
    tokenizer: Tokenizer,
) -> None:
    call = calls("x").tool_calls[0].model_copy(update={"arguments": "not json"})
    odd = Message(role="assistant", content="", tool_calls=(call,))
    conversation = talk(user("q"), odd, result("r1"), result("r2"), says("a"), tools=True)
    for family in FAMILIES:
        row = encode(conversation, family.template, tokenizer)
        assert "not json" in trained_texts(row)[0], family.name
        assert "r1" in row.text, family.name
        assert "r2" in row.text, family.name


def test_generation_marks_without_the_end_token_are_extended_to_it(tokenizer: Tokenizer) -> None:
    source = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' %}"
        "{% generation %}{{ m.content }}{% endgeneration %}{% else %}{{ m.content }}{% endif %}"
        "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    row = encode(CONVERSATIONS["several"], ChatTemplate(source, {}), tokenizer)
    assert trained_texts(row) == ["The answer.<|im_end|>", "There too.<|im_end|>", "So.<|im_end|>"]
    assert row.end_trained


def test_generation_marks_decide_which_answers_are_trained(tokenizer: Tokenizer) -> None:
    source = (
        "{% for m in messages %}{{ m.role }}:{% if loop.last %}{% generation %}{{ m.content }}"
        "<|im_end|>{% endgeneration %}{% else %}{{ m.content }}<|im_end|>{% endif %}{% endfor %}"
    )
    row = encode(CONVERSATIONS["several"], ChatTemplate(source, {}), tokenizer)
    assert trained_texts(row) == ["So.<|im_end|>"]


def test_generation_marks_that_mark_nothing_are_no_word(tokenizer: Tokenizer) -> None:
    template = BY_NAME["families/chatml"].template
    source = template.source + "{% generation %}{% endgeneration %}"
    row = encode(CONVERSATIONS["several"], ChatTemplate(source, template.tokens), tokenizer)
    assert trained_texts(row)[-1] == "So.<|im_end|>"


def test_a_system_turn_that_a_template_swallows_goes_to_the_question(tokenizer: Tokenizer) -> None:
    source = (
        "{% for m in messages if m.role != 'system' %}<|im_start|>{{ m.role }}\n{{ m.content }}"
        "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    row = encode(CONVERSATIONS["system"], ChatTemplate(source, {}), tokenizer)
    assert row.system_folded
    assert "user\nBe brief.\n\nWhat is it?" in row.text


def test_a_conversation_that_the_assistant_opens(tokenizer: Tokenizer) -> None:
    conversation = Conversation(row=1, messages=(says("Hi!"), user("a"), says("b")))
    row = encode(conversation, BY_NAME["families/chatml"].template, tokenizer)
    assert trained_texts(row) == ["Hi!<|im_end|>", "b<|im_end|>"]
