"""What a model at Ollama answers is held against what the adapter says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from engine.results.gate.speech import Heard
from engine.results.ollama.compare import compare
from engine.results.ollama.deploy import trial
from engine.results.ollama.server import OllamaServer
from tests.engine.results.ollama.references import ANSWERS, GO, gate_of, reference
from tests.ollama_double import ollama_double

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.results.export.types import Agreement
    from engine.results.gate.gate import Gate


def _compared(
    tmp_path: Path,
    gate: Gate,
    say: Callable[[str, str], tuple[str, str]],
    template: str = GO,
    start: str = "",
    *,
    lossless: bool = True,
) -> dict[str, Agreement]:
    """Compare with an Ollama that says what a script makes of question and prompt."""

    def answer(_: bytes, prompt: str, options: dict[str, Any]) -> tuple[str, str]:
        assert options["temperature"] == 0.0
        assert options["repeat_penalty"] == 1.0
        found = re.search(r"q\d", prompt)
        return say(found[0] if found else "", prompt)

    file = tmp_path / "m.gguf"
    file.write_bytes(b"GGUF")
    with (
        ollama_double(answer=answer) as (url, _),
        OllamaServer(url) as server,
        trial(server, "m", file, template, {}, lambda _: lambda _: None) as name,
    ):
        found = compare(server, name, gate, start, lossless=lossless, tell=lambda _: None)
    return {one.name: one for one in found}


def _right(question: str, prompt: str) -> tuple[str, str]:
    """Answer as the adapter does, where the prompt is the trained one."""
    wanted = f"<user>{question}<assistant>"
    return (ANSWERS[question] if prompt == wanted else "what?", "stop")


def test_the_same_answers_pass(tmp_path: Path) -> None:
    gate = gate_of(reference("q0"), reference("q1", chat=False))
    found = _compared(tmp_path, gate, _right)
    raw, chat = found["ollama"], found["ollama chat"]
    assert (raw.passed, raw.prompts, raw.tokens, raw.agreeing, raw.same_answers) == (
        True, 2, 10, 10, 2,
    )  # fmt: skip
    assert (chat.passed, chat.prompts, chat.same_answers) == (True, 1, 1)
    assert raw.logprob_mean is None


def test_a_wrong_template_is_told_from_wrong_weights(tmp_path: Path) -> None:
    references = [reference("q0"), reference("q1")]
    found = _compared(tmp_path, gate_of(*references), _right, template="{{ .Prompt }}")
    assert found["ollama"].passed
    chat = found["ollama chat"]
    assert not chat.passed
    assert (chat.prompt, chat.expected, chat.found) == ("q0", ANSWERS["q0"], "what?")
    found = _compared(tmp_path, gate_of(*references), lambda *_: ("nonsense", "stop"))
    assert not found["ollama"].passed


def test_one_that_does_not_end_is_refused(tmp_path: Path) -> None:
    endless = _compared(
        tmp_path, gate_of(reference("q0")), lambda question, _: (ANSWERS[question], "length")
    )
    assert "does not end the answer" in endless["ollama"].problem
    assert endless["ollama"].found == ANSWERS["q0"] + " …"


@pytest.mark.parametrize(("margin", "passed"), [(0.1, True), (5.0, False)])
def test_another_word_passes_where_two_were_nearly_as_likely(
    tmp_path: Path, margin: float, passed: bool
) -> None:
    gate = gate_of(reference("q0", margin), reference("q1"))
    found = _compared(
        tmp_path,
        gate,
        lambda question, _: ("the other one" if question == "q0" else ANSWERS[question], "stop"),
    )
    assert found["ollama"].passed is passed
    assert (found["ollama"].agreeing, found["ollama"].same_answers) == (6, 1)


def test_a_lossy_file_has_to_say_what_it_says_here(tmp_path: Path) -> None:
    """Its own words differ from the adapter's; at Ollama they must be its own."""
    own = {question: f"the {question} in my words" for question in ANSWERS}
    references = [reference(question) for question in ("q0", "q1")]
    heard = tuple(
        Heard((True,) * 4 + (False,), (-0.2,) * 5, own[one.prompt.question]) for one in references
    )
    gate = gate_of(*references, heard=heard)
    same = _compared(tmp_path, gate, lambda q, _: (own[q], "stop"), lossless=False)
    assert same["ollama"].passed
    assert not same["ollama"].judged
    assert same["ollama"].same_answers == 0
    assert (same["ollama"].prompt, same["ollama"].found) == ("q0", own["q0"])
    other = _compared(tmp_path, gate, lambda q, _: (ANSWERS[q][:4], "stop"), lossless=False)
    assert "otherwise than the same file does" in other["ollama"].problem


def test_what_the_tokenizer_adds_is_not_sent_twice(tmp_path: Path) -> None:
    seen: list[str] = []

    def say(question: str, prompt: str) -> tuple[str, str]:
        seen.append(prompt)
        return ANSWERS[question], "stop"

    _compared(tmp_path, gate_of(reference("q0", chat=False)), say, start="<user>")
    assert seen == ["q0<assistant>"]
