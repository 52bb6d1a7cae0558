"""Asks a GGUF file in a real llama.cpp, through its own template, tokenizer and end of answers."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any, Self

import httpx

from engine.errors import LoraDeckError
from engine.language import mark, tr
from engine.models.gguf_header import read_header
from engine.results.gate.said import entries, logprob_of
from engine.results.gate.speech import Heard

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from engine.results.gate.speech import Reference
    from engine.results.prompts import Prompt

_LISTED = 64
"""Likeliest tokens whose log-probabilities are asked for; one below has at most the last one's."""
_TALKS_ON = mark("llama.cpp does not end the answer where the adapter does.")
_SECONDS = 600.0  # for a request: large models on slow machines


def llama_is_here() -> bool:
    """Tell whether a llama.cpp is installed that GGUF files can be asked in."""
    return importlib.util.find_spec("xllamacpp") is not None


class Llama:
    """A llama.cpp that serves one file while the block runs.

    Args:
        file: The GGUF file.
        context: Tokens that one request may hold.
        template: The chat template that the adapter was trained with; empty where that is not one.

    Raises:
        LoraDeckError: It does not load the file, or ends in the midst.
    """

    def __init__(self, file: Path, context: int, template: str = "") -> None:
        self._file = file
        self._trained = template
        self._template = read_header(file).metadata.get("tokenizer.chat_template")
        self._http = httpx.Client(timeout=_SECONDS, trust_env=False)
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-m", "engine.results.gate.llama_process", file, str(context)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __enter__(self) -> Self:
        assert self._child.stdout is not None  # noqa: S101 - it is a pipe
        try:
            line = self._child.stdout.readline()
        except BaseException:
            self.__exit__()
            raise
        if not line:
            self.__exit__()
            raise _not_loaded(self._file)
        place = json.loads(line)
        self._http.base_url = place["address"]
        self._http.headers["Authorization"] = f"Bearer {place['key']}"
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()
        self._child.kill()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                pipe.close()
        self._child.wait()

    def hear(self, references: Sequence[Reference], tell: Callable[[float], None]) -> list[Heard]:
        """Ask for each reference's prompt, and follow its answer token by token."""
        heard, in_doubt = [], _end_in_doubt(references)
        for number, reference in enumerate(references, 1):
            fault = self._rendered(reference.prompt)
            if not fault and reference.prompt.end_id == in_doubt:
                fault = self._unended(reference.prompt, in_doubt)
            heard.append(fault or self._followed(reference))
            tell(number / len(references))
        return heard

    def _rendered(self, prompt: Prompt) -> Heard | None:
        """Refuse a prompt that llama.cpp makes other tokens of; ``None`` where it does not."""
        if not prompt.messages:
            return self._split(prompt)
        if not self._template:
            return _fault(tr("The file holds no chat template."), prompt.text, "")
        turns = [one.model_dump() for one in prompt.messages]
        try:
            text = str(self._post("/apply-template", {"messages": turns})["prompt"])
        except httpx.HTTPStatusError as error:
            said = error.response.text[:200]
            words = tr("llama.cpp cannot use its chat template: {said}", said=said)
            return _fault(words, prompt.text, "")
        if self._tokens(text, special=True) == list(prompt.prompt_ids):
            return self._other_template()
        # What begins a text is taken out here, and put before the tokens again
        if text in (prompt.text, prompt.text.removeprefix(self._begin())):
            return self._other_tokens(prompt, text, special=True)
        words = tr("llama.cpp renders the prompt otherwise than it was trained.")
        return _fault(words, prompt.text, text)

    def _other_template(self) -> Heard | None:
        """Refuse a template that would only render later turns otherwise."""
        if not self._trained or self._template == self._trained:
            return None
        words = tr("The file's chat template is another one than the adapter's.")
        return _fault(words, self._trained, str(self._template))

    def _unended(self, prompt: Prompt, end: int) -> Heard | None:
        """Refuse a file whose answers go on beyond their end, by letting one say nothing but it."""
        made = self._post(
            "/completion",
            {
                "prompt": list(prompt.prompt_ids),
                "n_predict": 1,
                "temperature": 0,
                "logit_bias": [[end, 1000.0]],
                "cache_prompt": True,
                "return_tokens": True,
            },
        )
        shown = (
            tr("token {id} ends an answer", id=end),
            tr("token {id} is a word like any other", id=end),
        )
        goes_on = made["tokens"] == [end] and made["stop_type"] != "eos"
        return _fault(tr(_TALKS_ON), *shown) if goes_on else None

    def _split(self, prompt: Prompt) -> Heard | None:
        """Refuse a prompt without turns that llama.cpp splits otherwise.

        One token may go before them: the beginning of text, which is the tokenizer's to add.
        """
        tokens = self._tokens(prompt.text, special=False)
        if tokens in (list(prompt.prompt_ids), list(prompt.prompt_ids[1:])):
            return None
        return self._other_tokens(prompt, prompt.text, special=False)

    def _other_tokens(self, prompt: Prompt, text: str, *, special: bool) -> Heard:
        """Show how a prompt is split otherwise, from the first token that differs."""
        ours, theirs = list(prompt.prompt_ids), self._tokens(text, special=special)
        pairs = enumerate(zip(ours, theirs, strict=False))
        first = next((n for n, (one, other) in pairs if one != other), min(len(ours), len(theirs)))
        shown = [" ".join(map(str, row[first : first + 8])) for row in (ours, theirs)]
        words = tr(
            "llama.cpp splits the prompt into other tokens, from token {number} on.",
            number=first + 1,
        )
        return _fault(words, *shown)

    def _followed(self, reference: Reference) -> Heard:
        """Let it answer, and set it right wherever it goes another way than the adapter."""
        likeliest: list[bool] = []
        logprobs: list[float | None] = []
        text, fault = reference.text, ""
        while (at := len(likeliest)) < len(reference.answer):
            made = self._answer(reference, at)
            for said, entry, expected in zip(*entries(made), reference.answer[at:], strict=False):
                likeliest.append(said == expected)
                logprobs.append(logprob_of(entry, expected))
                if said != expected:
                    text = str(made["content"]).strip() if at == 0 else text
                    break
            if len(likeliest) == at:
                raise _silent(at)
            if likeliest[-1] and _talks_on(made, reference, len(likeliest)):
                fault = tr(_TALKS_ON)
        shown = (reference.text, f"{text} …") if fault else ("", "")
        return Heard(tuple(likeliest), tuple(logprobs), text, fault, *shown)

    def _answer(self, reference: Reference, at: int) -> dict[str, Any]:
        """Let it go on greedily after the first tokens of the adapter's answer."""
        return self._post(
            "/completion",
            {
                "prompt": [*reference.prompt.prompt_ids, *reference.answer[:at]],
                "n_predict": len(reference.answer) - at,
                "temperature": 0,
                "n_probs": _LISTED,
                "cache_prompt": True,
                "return_tokens": True,
            },
        )

    def _begin(self) -> str:
        """Give the token that begins a text, as text."""
        answer = self._http.get("/props")
        answer.raise_for_status()
        return str(answer.json().get("bos_token", ""))

    def _tokens(self, text: str, *, special: bool) -> list[int]:
        """Split a text as llama.cpp does; ``special`` adds what its tokenizer puts around it."""
        body = {"content": text, "add_special": special, "parse_special": True}
        return [int(token) for token in self._post("/tokenize", body)["tokens"]]

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send one request."""
        try:
            answer = self._http.post(path, json=body)
        except httpx.TransportError as error:
            raise _not_loaded(self._file) from error
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


def _end_in_doubt(references: Sequence[Reference]) -> int:
    """Give the token that ends most answers, where none of them is short enough to show it; or -1.

    The others may be slips of rows that were cut.
    """
    ends = Counter(one.prompt.end_id for one in references)
    if any(one.ended for one in references):
        return -1
    return max(ends, key=ends.__getitem__)


def _silent(at: int) -> LoraDeckError:
    """Put an answer without a token into words."""
    return LoraDeckError(
        tr("llama.cpp gives no answer"),
        tr("It says nothing after {count} tokens of the adapter's answer.", count=at),
        tr("What it said is in the job's log."),
    )


def _talks_on(made: dict[str, Any], reference: Reference, done: int) -> bool:
    """Tell whether an answer that the adapter has ended here is not ended for llama.cpp."""
    whole = done == len(reference.answer)
    return whole and reference.ended and made["stop_type"] != "eos"


def _fault(words: str, expected: str, found: str) -> Heard:
    """Give what is wrong before a word is said."""
    return Heard((), (), "", words, expected, found)


def _not_loaded(file: Path) -> LoraDeckError:
    """Put a llama.cpp that has ended into words."""
    return LoraDeckError(
        tr("llama.cpp ended"),
        tr("It cannot work with {file}.", file=file.name),
        tr("What it said last is in the job's log."),
    )
