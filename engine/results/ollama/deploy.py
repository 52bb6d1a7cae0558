"""Makes a model at Ollama of a GGUF file: under a name of its own first, asked, then named."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from engine.errors import LoraDeckError
from engine.language import tr
from engine.results.ollama.push import digest_of, push

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engine.results.ollama.server import OllamaServer

_DONE = "success"
_FILE = "model.gguf"


def trial_name(name: str) -> str:
    """Give the name under which a model is tried before it gets its own; the same each time.

    What a killed deployment left is so taken up, and removed, by the next one of that name.
    """
    return f"loradeck-trial-{hashlib.sha256(name.lower().encode()).hexdigest()[:12]}"


@contextmanager
def trial(
    server: OllamaServer,
    name: str,
    file: Path,
    template: str | None,
    parameters: dict[str, Any],
    stage: Callable[[str], Callable[[float], None]],
) -> Iterator[str]:
    """Send a file and make a model of it that is there while the block runs; gives its name.

    Args:
        server: Where to.
        name: What the model is to be called in the end.
        file: The GGUF file.
        template: In Go's form; ``None`` lets Ollama look for one of its own.
        parameters: Where answers end, and the like.
        stage: Begins a stage by its words, and gives what takes the share that is done of it.

    Raises:
        LoraDeckError: Ollama refuses, breaks off or has no room.
    """
    digest = digest_of(file, stage("reading the file"))
    push(server, file, digest, stage("sending it to Ollama"))
    stage("making the model")
    on_trial = trial_name(name)
    fields: dict[str, Any] = {"files": {_FILE: digest}, "parameters": parameters}
    try:
        _create(server, on_trial, fields | ({"template": template} if template else {}))
        yield on_trial
    finally:
        with suppress(LoraDeckError):
            server.remove(on_trial)


def settle(
    server: OllamaServer, on_trial: str, name: str, system: str, parameters: dict[str, Any]
) -> None:
    """Make the model that stays of the one on trial, in place of what has that name now.

    Args:
        server: Where both are.
        on_trial: The one that was tried.
        name: Of the one that stays.
        system: Its system prompt; or empty.
        parameters: How it draws its answers.

    Raises:
        LoraDeckError: Ollama refuses.
    """
    fields: dict[str, Any] = {"from_": on_trial, "parameters": parameters}
    _create(server, name, fields | ({"system": system} if system else {}))


def _create(server: OllamaServer, name: str, fields: dict[str, Any]) -> None:
    """Make a model; a stream that ends before it says so has made none."""
    last = ""
    for status in server.create(name, **fields):
        last = status
    if last != _DONE:
        raise LoraDeckError(
            tr("Ollama broke off"),
            tr("{url} ended before the model was made.", url=server.url),
            tr("See what it says: ollama serve; then deploy again."),
        )
