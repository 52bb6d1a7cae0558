"""The names under which datasets know the speakers of a conversation."""

from __future__ import annotations

from typing import Final, Literal

Speaker = Literal["system", "user", "assistant", "call", "tool"]
"""A role; ``call`` is an assistant whose text is the call of a function."""

SPEAKERS: Final[dict[str, Speaker]] = {
    **dict.fromkeys(("human", "user", "prompter"), "user"),
    **dict.fromkeys(("gpt", "assistant", "chatgpt", "bot", "model", "ai"), "assistant"),
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(("function_call", "tool_call", "tool_calls"), "call"),
    **dict.fromkeys(
        ("observation", "tool", "function", "function_response", "tool_response"), "tool"
    ),
}

ASKING: Final = ("human", "user", "prompt", "question", "query", "q", "instruction", "input")
"""Keys of a turn that holds a question and its answer; the answer's are in ``ANSWERING``."""

ANSWERING: Final = (
    *("assistant", "gpt", "chatgpt", "bot", "model", "completion", "answer", "a", "response"),
    "output",
)

SENDER_KEYS: Final = ("from", "role", "speaker", "sender")
CONTENT_KEYS: Final = ("value", "content", "text", "message", "parts")


def speaker_of(sender: str) -> Speaker | None:
    """Find who a sender is, whatever the case of its name; ``None`` for a stranger."""
    known = SPEAKERS.get(sender)
    return known or SPEAKERS.get(sender.strip().lower().replace("-", "_").replace(" ", "_"))
