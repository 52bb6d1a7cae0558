"""Sends a file to Ollama by its digest, and again where the connection breaks."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

import httpx

from engine.errors import LoraDeckError
from engine.language import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engine.results.ollama.server import OllamaServer

ATTEMPTS = 5
_PIECE = 1 << 20
_FIRST_PAUSE = 1.0  # seconds; each is twice as long as the one before


def digest_of(file: Path, done: Callable[[float], None]) -> str:
    """Give a file's digest as Ollama writes it, reporting the share that is read."""
    size, digest, read = max(1, file.stat().st_size), hashlib.sha256(), 0
    with file.open("rb") as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
            read += len(piece)
            done(read / size)
    return f"sha256:{digest.hexdigest()}"


def push(
    server: OllamaServer,
    file: Path,
    digest: str,
    done: Callable[[float], None],
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Send a file unless it is there; a broken upload is begun again, some times.

    Ollama keeps nothing of a body that was cut off, so each attempt sends the whole.

    Args:
        server: Where to.
        file: What to send.
        digest: As ``digest_of`` gives it.
        done: Takes the share that is sent.
        pause: Waits for so many seconds.

    Raises:
        DiskFullError: There is no room.
        LoraDeckError: It is refused, or the connection breaks each time.
    """
    reason = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            pause(_FIRST_PAUSE * 2 ** (attempt - 1))
        try:
            if not server.has_blob(digest):
                server.post_blob(digest, _pieces(file, done), file.stat().st_size)
            if server.has_blob(digest):
                return
            reason = tr("it does not keep what it takes")
        except httpx.TransportError as error:
            reason = type(error).__name__
    raise LoraDeckError(
        tr("Upload broken off"),
        tr(
            "Sending the model to {url} failed {count} times ({reason}).",
            url=server.url,
            count=ATTEMPTS,
            reason=reason,
        ),
        tr("Check the network and what Ollama says, then deploy again."),
    )


def _pieces(file: Path, done: Callable[[float], None]) -> Iterator[bytes]:
    """Read a file piece by piece, reporting the share that is sent."""
    size, sent = max(1, file.stat().st_size), 0
    with file.open("rb") as stream:
        while piece := stream.read(_PIECE):
            yield piece
            sent += len(piece)
            done(sent / size)
