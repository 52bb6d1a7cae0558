"""The template that Ollama is given, learned from the model's own by what that makes of probes.

Ollama renders with templates of Go's, and does not run the jinja2 in a GGUF file's metadata: it
looks which of its built-in ones comes near. So the texts that stand between the turns are taken
from the trained template's own output, and written down as a Go template that puts them there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from engine.data.types import Message
from engine.errors import LoraDeckError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.data.template import ChatTemplate

_START, _END = "start", "end"
_MARK = "\ue000{}\ue001"  # from a private area: no template has a reason to look for these
_PROBES = (
    ("user",),
    ("system", "user"),
    ("user", "assistant", "user"),
    ("system", "user", "assistant", "user"),
    ("user", "assistant", "user", "assistant", "user"),
)


@dataclass(frozen=True)
class TurnTemplate:
    """What stands between two turns, by their roles: ``("user", "end")`` is the prompt's end."""

    between: Mapping[tuple[str, str], str]

    @property
    def takes_system(self) -> bool:
        """Whether a conversation may begin with a system turn."""
        return (_START, "system") in self.between

    def render(self, turns: Sequence[tuple[str, str]]) -> str:
        """Render turns of role and content as the Go template does, up to the next answer."""
        roles = [_START, *(role for role, _ in turns), _END]
        contents = [*(content for _, content in turns), ""]
        pairs = zip(pairwise(roles), contents, strict=True)
        return "".join(self.between[pair] + content for pair, content in pairs)

    def without_start(self, text: str) -> TurnTemplate:
        """Leave out what every conversation begins with, where it is this text."""
        between = {
            pair: words.removeprefix(text) if pair[0] == _START else words
            for pair, words in self.between.items()
        }
        return TurnTemplate(between)

    def as_go(self) -> str:
        """Write it as a template of Go's, as Ollama takes it."""
        turns = [
            f'if eq .Role "{role}" }}}}{before}{{{{ .Content }}}}'
            for role, before in self._before().items()
        ]
        return (
            '{{ $last := "" }}{{ range .Messages }}{{ '
            + "{{ else ".join(turns)
            + "{{ end }}{{ $last = .Role }}{{ end }}"
            + f'{{{{ if eq $last "user" }}}}{_go(self.between["user", _END])}{{{{ end }}}}'
        )

    def _before(self) -> dict[str, str]:
        """Give what comes before the content of each role's turn, as a piece of a Go template."""
        user = "".join(
            f'{{{{ if eq $last "{last}" }}}}{_go(self.between[pair, "user"])}{{{{ end }}}}'
            for pair, last in ((_START, ""), ("system", "system"), ("assistant", "assistant"))
            if (pair, "user") in self.between
        )
        before = {"user": user, "assistant": _go(self.between["user", "assistant"])}
        if self.takes_system:
            before["system"] = _go(self.between[_START, "system"])
        return before


def learn(template: ChatTemplate) -> TurnTemplate | None:
    """Learn what a chat template puts between turns; ``None`` where it does more than that.

    One that refuses system turns is learned without them.
    """
    between: dict[tuple[str, str], str] = {}
    for roles in _PROBES:
        try:
            pieces = _pieces(template, roles)
        except LoraDeckError:
            if "system" in roles:
                continue
            return None
        if pieces is None:
            return None
        for pair, words in zip(pairwise([_START, *roles, _END]), pieces, strict=True):
            if between.setdefault(pair, words) != words:
                return None
    return TurnTemplate(between)


def _pieces(template: ChatTemplate, roles: Sequence[str]) -> list[str] | None:
    """Render a probe and give what stands before, between and after its contents, in order."""
    marks = [_MARK.format(number) for number in range(len(roles))]
    turns = [Message(role=role, content=mark) for role, mark in zip(roles, marks, strict=True)]
    text = template.render(turns, add_generation_prompt=True)
    if re.findall(r"\ue000\d+\ue001", text) != marks:
        return None  # a content is missing, comes twice, or in another place
    return re.split(r"\ue000\d+\ue001", text)


def _go(text: str) -> str:
    """Write text so that Go's template does not act on it."""
    return text.replace("{{", '{{ "{{" }}')
