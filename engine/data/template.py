"""Render conversations with a model's own chat template."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import jinja2

from engine.data.model_files import special_tokens, template_source
from engine.data.sandbox import make_environment
from engine.data.types import Message
from engine.data.words import shown
from engine.errors import LoraDeckError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

DEFAULT_TEMPLATE = """\
{{- bos_token or '' }}
{%- for message in messages %}
    {%- if message['role'] == 'system' %}
        {{- message['content'] + '\\n\\n' }}
    {%- elif message['role'] == 'user' %}
        {{- 'User:\\n' + message['content'] + '\\n\\n' }}
    {%- else %}
        {{- 'Assistant:\\n' + message['content'] + (eos_token or '') + '\\n\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- 'Assistant:\\n' }}
{%- endif %}"""
"""For base models without a template: plain words, each answer ended by the model's eos token."""

_MAX_CHARACTERS = 20_000_000
_SHOWN_CHARACTERS = 300
# What running a stranger's template can raise: jinja2's own, and Python's from inside it
_FAILURES = (
    jinja2.TemplateError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)


class ChatTemplate:
    """A chat template with the special tokens it writes.

    Args:
        source: The template's text, in jinja2.
        tokens: Special tokens by name, e.g. ``eos_token``.
        is_default: Whether it is LoRADeck's own, for want of one of the model's.

    Raises:
        LoraDeckError: The text is no valid template.
    """

    def __init__(self, source: str, tokens: Mapping[str, str], *, is_default: bool = False) -> None:
        self.source = source
        self.tokens = dict(tokens)
        self.is_default = is_default
        environment = make_environment(datetime.now())  # noqa: DTZ005 - as transformers does
        try:
            self._template = environment.from_string(source)
        except _FAILURES as error:
            raise _failed(error) from None

    @classmethod
    def load(cls, folder: Path) -> ChatTemplate:
        """Load a model folder's template, or the default one where it has none.

        Raises:
            LoraDeckError: A file is damaged or the template is not valid.
        """
        source, tokens = template_source(folder), special_tokens(folder)
        return cls(
            DEFAULT_TEMPLATE if source is None else source, tokens, is_default=source is None
        )

    @property
    def eos_token(self) -> str | None:
        """The token that ends a text, where the model names one."""
        return self.tokens.get("eos_token")

    def render(self, messages: Sequence[Message], *, add_generation_prompt: bool = False) -> str:
        """Render as transformers' ``apply_chat_template(tokenize=False)`` does.

        Where a template refuses a system turn, its text goes before the first question.

        Raises:
            LoraDeckError: The template fails or refuses these turns.
        """
        try:
            return self._run(messages, add_generation_prompt)
        except _FAILURES as error:
            folded = _fold_system(messages)
            if folded is None:
                raise _failed(error) from None
            try:
                return self._run(folded, add_generation_prompt)
            except _FAILURES:
                raise _failed(error) from None

    def _run(self, messages: Sequence[Message], add_generation_prompt: bool) -> str:
        """Run the template once."""
        text = self._template.render(
            **self.tokens,
            messages=[{"role": one.role, "content": one.content} for one in messages],
            tools=None,
            documents=None,
            add_generation_prompt=add_generation_prompt,
        )
        if len(text) > _MAX_CHARACTERS:
            raise ValueError(f"it makes a text of {len(text):,} characters")
        return text


def _fold_system(messages: Sequence[Message]) -> list[Message] | None:
    """Put a leading system turn into the user turn after it, ``None`` where there is none."""
    if len(messages) < 2 or messages[0].role != "system":
        return None
    system, user, *rest = messages
    return [Message(role="user", content=f"{system.content}\n\n{user.content}"), *rest]


def _failed(error: BaseException) -> LoraDeckError:
    """Word a template's failure."""
    if isinstance(error, MemoryError):
        failure = "wants too much memory"
    else:
        reason = shown(str(error) or type(error).__name__)[:_SHOWN_CHARACTERS].rstrip(".")
        failure = f"says: {reason}"
    return LoraDeckError(
        "Chat template failed",
        f"The model's chat template {failure}.",
        "Mend the rows it refuses, or choose another base model.",
    )
