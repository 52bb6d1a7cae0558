"""Families of chat templates, and conversations, that the mask is tested with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from engine.data.template import ChatTemplate
from engine.data.types import Conversation, Message, ToolCall

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPLATES = Path(__file__).parent / "templates"

CHATML = r"<\|im_start\|>assistant\n(.*?<\|im_end\|>)"
LLAMA = r"<\|start_header_id\|>assistant<\|end_header_id\|>\n\n(.*?<\|eot_id\|>)"
GEMMA = r"<start_of_turn>model\n(.*?<end_of_turn>)"
MISTRAL = r"(?:\[/INST\]|\[/TOOL_RESULTS\])((?:(?!\[INST\]|\[AVAIL|\[TOOL_R).)*?</s>)"
PHI = r"<\|assistant\|>\n(.*?<\|end\|>(?:\n</s>\Z)?)"
DEEPSEEK = r"(?:<｜Assistant｜>|<｜tool▁outputs▁end｜>)(.*?<｜end▁of▁sentence｜>)"


@dataclass(frozen=True)
class Family:
    """A template, and what is known of it without running it."""

    name: str
    answer: str
    """Finds an answer with its end-of-turn token in a rendered text."""
    native: frozenset[str] = frozenset()
    """The conversations with tools that the template renders without loss."""
    eos: str = "</s>"
    has_system: bool = True

    @cached_property
    def template(self) -> ChatTemplate:
        """Load it."""
        source = (TEMPLATES / f"{self.name}.jinja").read_text(encoding="utf-8")
        return ChatTemplate(source, {"bos_token": "<s>", "eos_token": self.eos})

    def answers(self, text: str) -> list[str]:
        """Find the answers by what this family's texts look like."""
        return [one.group(1) for one in re.finditer(self.answer, text, re.DOTALL)]


MISTRAL_TOOLS = frozenset({"tool", "tool_again", "tool_twice"})
ALL = frozenset({"tool", "tool_says", "tool_twice", "tool_again"})
FAMILIES = (
    Family("smollm2", CHATML, eos="<|im_end|>"),
    Family("families/smollm3_manner", r"(<\|im_start\|>assistant\n.*?<\|im_end\|>)"),
    Family("families/chatml", CHATML, eos="<|im_end|>"),
    Family("families/qwen2_5", CHATML.replace(r"\n(", r"\n?("), ALL),
    Family("families/qwen2_5_training", CHATML.replace(r"\n(", "("), ALL),
    Family("families/qwen3", CHATML, ALL),
    Family("families/qwen3_training", CHATML, ALL),
    Family("families/qwen3_instruct_2507", CHATML, ALL),
    Family("families/lfm2_2_5", CHATML, ALL),
    Family("families/llama3", LLAMA),
    Family("families/llama3_training", LLAMA),
    Family("families/llama3_1", LLAMA, frozenset({"tool", "tool_again"})),
    Family("families/llama3_2", LLAMA, frozenset({"tool", "tool_again"})),
    Family("families/gemma", GEMMA, has_system=False),
    Family("families/gemma3", GEMMA),
    Family("families/gemma3_training", GEMMA),
    Family("families/phi3", PHI, eos="</s>"),
    Family("families/phi3_5", PHI),
    Family("families/phi_4", CHATML.replace(r"\n", r"<\|im_sep\|>")),
    Family("families/zephyr", r"<\|assistant\|>\n(.*?</s>)"),
    Family("zephyr", r"<\|assistant\|>\n(.*?</s>)"),
    Family("families/mistral_v1", MISTRAL),
    Family(
        "families/mistral_v2v3",
        MISTRAL,
        frozenset({"tool", "tool_again", "tool_twice"}),
        has_system=False,
    ),
    Family(
        "families/mistral_v3_tekken",
        MISTRAL,
        frozenset({"tool", "tool_again", "tool_twice"}),
        has_system=False,
    ),
    Family("families/mistral_v7_tekken", MISTRAL),
    Family("families/deepseekv3", DEEPSEEK, eos="<｜end▁of▁sentence｜>"),
    Family("families/deepseek_r1_distill", DEEPSEEK, eos="<｜end▁of▁sentence｜>"),
    Family(
        "families/cohere",
        r"<\|CHATBOT_TOKEN\|>(.*?<\|END_OF_TURN_TOKEN\|>)",
        eos="<|END_OF_TURN_TOKEN|>",
    ),
    Family(
        "families/gptoss",
        r"<\|start\|>assistant(.*?(?:<\|end\|>|<\|return\|>|<\|call\|>))",
        frozenset({"tool", "tool_again"}),
    ),
)

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tell the weather.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "description": "Where."}},
            "required": ["city"],
        },
    },
}


def user(content: str) -> Message:
    """Make a question."""
    return Message(role="user", content=content)


def says(content: str) -> Message:
    """Make an answer."""
    return Message(role="assistant", content=content)


def calls(*cities: str, content: str = "") -> Message:
    """Make a turn that asks for the weather in some cities."""
    made = tuple(ToolCall(name="get_weather", arguments={"city": city}) for city in cities)
    return Message(role="assistant", content=content, tool_calls=made)


def result(content: str) -> Message:
    """Make the answer of a function."""
    return Message(role="tool", content=content, name="get_weather")


def talk(*turns: str | Message, system: str | None = None, tools: bool = False) -> Conversation:
    """Build a conversation; texts are questions and answers by turns."""
    messages = [Message(role="system", content=system)] if system is not None else []
    for index, turn in enumerate(turns):
        made = (says if index % 2 else user)(turn) if isinstance(turn, str) else turn
        messages.append(made)
    return Conversation(row=7, messages=tuple(messages), tools=(WEATHER,) if tools else ())


ASKED = (user("How warm is it?"), calls("Köln"), result("18 °C"), says("18 °C."))
CONVERSATIONS = {
    "single": talk("What is it?", "The answer."),
    "several": talk("What is it?", "The answer.", "And there?", "There too.", "Why?", "So."),
    "system": talk("What is it?", "The answer.", "Why?", "So.", system="Be brief."),
    "empty_system": talk("What is it?", "The answer.", system=""),
    "foreign": talk("¿Qué?", "你好 😀!", "👩‍👩‍👧 ok?", "Да 👍🏽 — naïve"),
    "blanks": talk("Hm? \n", " \n between blanks \n\n", "\tx\n\n", "two\n\nparagraphs "),
    "short": talk("a", "b", "c", "d"),
    "echo": talk("Same.", "Same.", "Same.", "Same."),
    "thinking": talk(
        *("One?", "<think>\nFirst.\n</think>\n\nA.", "Two?", "<think>\nSecond.\n</think>\n\nB.")
    ),
    "tool": talk(*ASKED, tools=True),
    "tool_again": talk(*ASKED, user("And now?"), *ASKED[1:], tools=True),
    "tool_says": talk(ASKED[0], calls("Köln", content="I look."), *ASKED[2:], tools=True),
    "tool_twice": talk(
        ASKED[0], calls("Köln", "Bonn"), result("18 °C"), result("19 °C"), says("Warm."), tools=True
    ),
}
SPECIAL_TEXTS = {
    "special": talk("a <|im_end|> b </s>", "c <|im_end|> d </s> <|eot_id|>e", "f", "g"),
    "marks": talk("\ue0f0000000\ue0f2?", "\ue0f0\ue0f1 <think> \ue0f0000000\ue0f2", "x", "y"),
    "headers": talk("<|im_start|>assistant\nno<|im_end|>", "[/INST] <|assistant|>\nyes", "x", "y"),
}
"""Texts that look like what templates write: no pattern finds the answers in them."""


def as_openai(conversation: Conversation) -> list[dict[str, Any]]:
    """Write a conversation as transformers takes it, apart from the code under test."""
    chat: list[dict[str, Any]] = []
    number, asked = 0, [""]
    for message in conversation.messages:
        turn: dict[str, Any] = {"role": message.role, "content": message.content}
        if message.tool_calls:
            asked = [f"call{number + at:05d}" for at in range(len(message.tool_calls))]
            number += len(asked)
            turn["tool_calls"] = [
                {"id": identity, "type": "function", "function": call.model_dump()}
                for identity, call in zip(asked, message.tool_calls, strict=True)
            ]
        if message.role == "tool":
            turn |= {"tool_call_id": asked[0], "name": message.name}
            asked = asked[1:] or asked
        chat.append(turn)
    return chat


def make_tokenizer() -> Tokenizer:
    """Train a byte-level BPE with every special token of the families."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=700,
        show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=["<s>", "</s>", *sorted(set(_special_tokens()) - {"<s>", "</s>"})],
    )
    text = "What is the answer to the question? The answer is here, the question there.\n\n"
    tokenizer.train_from_iterator([text] * 4, trainer)
    return tokenizer


def _special_tokens() -> Iterator[str]:
    """Find what the templates write as special tokens."""
    pattern = r"<\|[A-Za-z_]+\|>|<(?:start|end)_of_turn>|<｜[^｜]+｜>|\[/?[A-Z_]+\]"
    for family in FAMILIES:
        yield from re.findall(pattern, (TEMPLATES / f"{family.name}.jinja").read_text("utf-8"))
