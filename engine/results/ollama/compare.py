"""Whether a model at Ollama answers as the adapter does, asked the gate's prompts greedily."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING

from engine.language import tr
from engine.results.gate.compare import judge
from engine.results.gate.speech import heard_text
from engine.results.ollama.parameters import greedy_options

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from engine.results.export.types import Agreement
    from engine.results.gate.gate import Gate
    from engine.results.gate.speech import Heard, Reference
    from engine.results.ollama.server import OllamaServer, Said

RAW, CHAT = "ollama", "ollama chat"
"""Asked with the trained text as it is; asked through the template that the model has there."""
_LEAST_CONTEXT = 512
_ROOM = 64
_ALIKE = 0.4
"""Share of a lossy file's own answers that must come from Ollama too, in characters up to the
first difference. Even the same llama.cpp rounds otherwise where it has a prompt's beginning in
memory, and what follows a tie differs; with another template hardly the first words agree."""


def compare(
    server: OllamaServer,
    model: str,
    gate: Gate,
    start: str,
    *,
    lossless: bool,
    tell: Callable[[float], None],
) -> tuple[Agreement, ...]:
    """Ask a model at Ollama all prompts, as text and as conversations, and judge its answers.

    Args:
        server: Where it is.
        model: Its name there.
        gate: What the adapter says, and what the same file says in a llama.cpp here.
        start: What the tokenizer there puts before each text by itself.
        lossless: Whether the file's number format is.
        tell: Takes the share that is asked.
    """
    longest = max(len(one.prompt.prompt_ids) + len(one.answer) for one in gate.references)
    texts: dict[int, Said] = {}
    chats: dict[int, Said] = {}
    for number, one in enumerate(gate.references):
        options = greedy_options(len(one.answer), max(_LEAST_CONTEXT, longest + _ROOM))
        texts[number] = server.complete(model, one.prompt.text.removeprefix(start), options)
        if one.prompt.messages:
            turns = [turn.model_dump() for turn in one.prompt.messages]
            chats[number] = server.answer(model, turns, options)
        tell((number + 1) / len(gate.references))
    asked = {RAW: texts, CHAT: chats}
    return tuple(_judged(*one, gate, lossless=lossless) for one in asked.items() if one[1])


def _judged(name: str, said: Mapping[int, Said], gate: Gate, *, lossless: bool) -> Agreement:
    """Judge the answers to some of the prompts, by their numbers."""
    references = [gate.references[number] for number in said]
    heard = [_heard(gate.references[number], one) for number, one in said.items()]
    found = judge(name, references, heard, gate.base, lossless=True)
    if lossless or any(one.fault for one in heard):
        return found.model_copy(update={"judged": lossless})
    # What it lost was judged before it was sent: here it has to be the same file
    here = {number: gate.heard[number].text for number in said} if gate.heard else {}
    alike = _share([(text, said[number].text.strip()) for number, text in here.items()]) >= _ALIKE
    words = "" if alike else tr("It answers otherwise than the same file does in a llama.cpp here.")
    return found.model_copy(update={"judged": False, "passed": alike, "problem": words})


def _heard(reference: Reference, said: Said) -> Heard:
    """Follow an answer up to its first difference: what comes after that says nothing more."""
    heard = heard_text(reference, said.text)
    if False in heard.likeliest:
        until = heard.likeliest.index(False) + 1
        return replace(heard, likeliest=heard.likeliest[:until])
    if reference.ended and not said.ended:
        words = tr("Ollama does not end the answer where the adapter does.")
        return replace(heard, fault=words, expected=reference.text, found=said.text + " …")
    return heard


def _share(pairs: Sequence[tuple[str, str]]) -> float:
    """Give how much of the first texts the second ones share from the beginning, from 0 to 1."""
    expected = sum(len(text) for text, _ in pairs)
    return sum(_alike(*pair) for pair in pairs) / expected if expected else 1.0


def _alike(one: str, other: str) -> int:
    """Give how many characters two texts share from the beginning."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
