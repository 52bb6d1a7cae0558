"""Render conversations with a model's own chat template."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import jinja2

from engine.data.chat import as_turns, fold_system
from engine.data.model_files import special_tokens, template_source
from engine.data.run_limits import limited
from engine.data.sandbox import GENERATION_MARKS, make_environment
from engine.data.words import shown
from engine.errors import LoraDeckError
from engine.language import tr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from engine.data.types import Message

DEFAULT_TEMPLATE = """\
{{- bos_token or '' }}
{%- for message in messages %}
    {%- if message['role'] == 'system' %}
        {{- message['content'] + '\\n\\n' }}
    {%- elif message['role'] == 'user' %}
        {{- 'User:\\n' + message['content'] + '\\n\\n' }}
    {%- elif message['role'] == 'assistant' and not message['tool_calls'] %}
        {{- 'Assistant:\\n' + message['content'] + (eos_token or '') + '\\n\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- 'Assistant:\\n' }}
{%- endif %}"""
"""For base models without a template: plain words, each answer ended by the model's eos token.

It leaves functions, calls and results out: they are folded into the turns before.
"""

_GENERATION = re.compile(r"\{%[-+]?\s*generation\s*[-+]?%\}")
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
        RanTooLongError: It does not end while it is compiled.
    """

    def __init__(self, source: str, tokens: Mapping[str, str], *, is_default: bool = False) -> None:
        self.source = source
        self.tokens = dict(tokens)
        self.is_default = is_default
        self.marks_generation = _GENERATION.search(source) is not None
        environment = make_environment(datetime.now())  # noqa: DTZ005 - as transformers does
        try:
            with limited():  # jinja2 computes what is constant while it compiles
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
        return cls.default(tokens) if source is None else cls(source, tokens)

    @classmethod
    def default(cls, tokens: Mapping[str, str]) -> ChatTemplate:
        """Give LoRADeck's own template, with a model's special tokens."""
        return cls(DEFAULT_TEMPLATE, tokens, is_default=True)

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
            return self.run(as_turns(messages), prompt=add_generation_prompt)
        except LoraDeckError as error:
            folded = fold_system(messages)
            if folded is None:
                raise
            try:
                return self.run(as_turns(folded), prompt=add_generation_prompt)
            except LoraDeckError:
                raise error from None

    def run(
        self,
        turns: Sequence[dict[str, Any]],
        tools: Sequence[dict[str, Any]] = (),
        *,
        prompt: bool = False,
        marks: tuple[str, str] | None = None,
    ) -> str:
        """Run the template once, on turns in OpenAI's form.

        Args:
            turns: As ``as_turns`` makes them.
            tools: The functions that may be called.
            prompt: Whether the prompt for the next answer follows.
            marks: What to write before and after each ``{% generation %}`` body.

        Raises:
            LoraDeckError: The template fails or refuses these turns.
            RanTooLongError: It does not end; no other row or form need be tried.
        """
        try:
            with limited():
                text = self._template.render(
                    **self.tokens,
                    messages=list(turns),
                    tools=list(tools) or None,
                    documents=None,
                    add_generation_prompt=prompt,
                    **{GENERATION_MARKS: marks},
                )
        except _FAILURES as error:
            raise _failed(error) from None
        if len(text) > _MAX_CHARACTERS:
            raise _failed(ValueError(tr("it makes a text of {size:,} characters", size=len(text))))
        return text


def _failed(error: BaseException) -> LoraDeckError:
    """Word a template's failure."""
    if isinstance(error, MemoryError):
        failure = tr("wants too much memory")
    else:
        reason = shown(str(error) or type(error).__name__)[:_SHOWN_CHARACTERS].rstrip(".")
        failure = tr("says: {reason}", reason=reason)
    return LoraDeckError(
        tr("Chat template failed"),
        tr("The model's chat template {failure}.", failure=failure),
        tr("Mend the rows it refuses, or choose another base model."),
    )
