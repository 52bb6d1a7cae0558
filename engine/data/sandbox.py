"""The sandbox that chat templates run in: the same dialect that transformers gives them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from engine.language import tr

if TYPE_CHECKING:
    from datetime import datetime

    from jinja2.parser import Parser
    from jinja2.runtime import Context, Macro

GENERATION_MARKS = "_generation_marks"
"""The variable that holds what to write before and after a ``{% generation %}`` body."""


_MOST_BITS = 4096


class _GenerationTag(Extension):
    """Render what ``{% generation %}`` holds; between marks, where the rendering asks for them."""

    tags = {"generation"}  # noqa: RUF012 - jinja2 declares it so

    def parse(self, parser: Parser) -> nodes.Node:
        """Give a call block in the place of the tag, as transformers does."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        call = self.call_method("_enclose", [nodes.ContextReference()])
        return nodes.CallBlock(call, [], [], body).set_lineno(line)

    @staticmethod
    def _enclose(context: Context, caller: Macro) -> str:
        """Render the body; jinja2 calls this."""
        opening, closing = context.get(GENERATION_MARKS) or ("", "")
        return opening + caller() + closing


class _SafeNamespace(Namespace):
    """A ``namespace()`` that takes no underscored names: they lead out of the sandbox."""

    def __init__(*args: Any, **kwargs: Any) -> None:
        self, *given = args
        attributes = dict(*given, **kwargs)
        for name in attributes:
            _refuse_underscore(name)
        Namespace.__init__(self, attributes)

    def __setitem__(self, name: str, value: Any) -> None:
        """Set an attribute: ``{% set ns.name = value %}``."""
        _refuse_underscore(name)
        super().__setitem__(name, value)


class _Environment(ImmutableSandboxedEnvironment):
    """A sandbox in which numbers stay small: sums of millions of digits cannot be interrupted."""

    intercepted_binops = frozenset(("*", "**"))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Multiply or raise, unless a whole number of that size would be the result."""
        if isinstance(left, int) and isinstance(right, int):
            bits = left.bit_length()
            bits = bits * max(right, 0) if operator == "**" else bits + right.bit_length()
            if bits > _MOST_BITS:
                raise jinja2.TemplateRuntimeError(tr("a number has too many digits"))
        return super().call_binop(context, operator, left, right)


class _PlainDict:
    """The ``dict`` of templates: builds dictionaries, and is no class to climb out from."""

    def __call__(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        return dict(*args, **kwargs)

    def fromkeys(self, *args: Any) -> dict[Any, Any]:
        """Build a dictionary from its keys."""
        return dict.fromkeys(*args)


def make_environment(now: datetime) -> ImmutableSandboxedEnvironment:
    """Build the environment of transformers' ``apply_chat_template``.

    Args:
        now: What ``strftime_now`` formats; fixed, so that two renderings of one row agree.
    """
    environment = _Environment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_GenerationTag, loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    environment.globals.update(
        {
            "raise_exception": _raise_exception,
            "strftime_now": now.strftime,
            "dict": _PlainDict(),
            "namespace": _SafeNamespace,
        }
    )
    return environment


def _raise_exception(message: str) -> NoReturn:
    """Let a template refuse a conversation."""
    raise jinja2.TemplateError(message)


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """Write JSON without jinja2's HTML escapes."""
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )


def _refuse_underscore(name: Any) -> None:
    """Refuse a private name."""
    if isinstance(name, str) and name.startswith("_"):
        raise jinja2.exceptions.SecurityError(
            tr("a namespace takes no private name: {name!r}", name=name)
        )
