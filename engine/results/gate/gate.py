"""Holds what the adapter says against each of its forms, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.results.gate.compare import agreement_of_base, judge
from engine.results.gate.llama import Llama
from engine.results.gate.speech import heard_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from engine.results.export.types import Agreement
    from engine.results.gate.speech import Heard, Reference

_ROOM = 8
"""Tokens of context beyond the longest prompt with its answer."""


class Gate:
    """What the adapter says, how far its base is from that, and what was found of each form.

    Args:
        references: The adapter's answers.
        base: What its base makes of them.
    """

    def __init__(self, references: Sequence[Reference], base: Sequence[Heard]) -> None:
        self.references = tuple(references)
        self.base = agreement_of_base(references, base)
        self.found: list[Agreement] = [self.base]
        self.heard: tuple[Heard, ...] = ()
        """What the file that was asked last says."""

    @property
    def passed(self) -> bool:
        """Whether all forms that were asked speak like the adapter."""
        return all(one.passed for one in self.found)

    def judge(self, name: str, heard: Sequence[Heard], *, lossless: bool) -> None:
        """Add what a form makes of the references."""
        self.found.append(judge(name, self.references, heard, self.base, lossless=lossless))

    def judge_texts(self, name: str, texts: Sequence[str], *, lossless: bool) -> None:
        """Add a form of which only its answers' texts are known, in the references' order."""
        pairs = zip(self.references, texts, strict=True)
        self.judge(name, [heard_text(*pair) for pair in pairs], lossless=lossless)

    def ask_file(
        self,
        name: str,
        file: Path,
        tell: Callable[[float], None],
        *,
        lossless: bool,
        template: str = "",
    ) -> None:
        """Ask a GGUF file in a real llama.cpp; with a template, it has to hold that one.

        Raises:
            LoraDeckError: llama.cpp does not load it.
        """
        longest = max(len(one.prompt.prompt_ids) + len(one.answer) for one in self.references)
        with Llama(file, longest + _ROOM, template) as llama:
            self.heard = tuple(llama.hear(self.references, tell))
        self.judge(name, self.heard, lossless=lossless)
