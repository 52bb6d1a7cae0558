"""One Ollama: reached through its official client, each of its failures put into words."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import httpx
from ollama import Client, ResponseError
from packaging.version import InvalidVersion, Version
from pydantic import ValidationError

from engine.errors import ConflictError, DiskFullError, ForbiddenError, LoraDeckError
from engine.language import tr
from engine.models.disk import require_space
from engine.results.ollama.host import base_url, is_local, models_folders
from engine.results.ollama.names import same_model
from engine.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

OLDEST = Version("0.5.5")
"""The first that creates models from ``files``; those before took a Modelfile."""
_CONNECT_SECONDS = 5.0
_PASSING = (httpx.codes.BAD_GATEWAY, httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.GATEWAY_TIMEOUT)
"""What a proxy before it says while it is being started anew."""
_FULL = ("no space left", "not enough space", "disk quota", "insufficient storage", "disk full")


@dataclass(frozen=True)
class Said:
    """An answer."""

    text: str
    ended: bool
    """Whether it ended by itself, rather than at the longest length."""


class OllamaServer:
    """A connection to an Ollama; a context manager.

    Every call raises ``LoraDeckError`` with words for the user, and ``httpx.TransportError`` where
    an upload breaks off.

    Args:
        host: Where it listens, in any form that ``OLLAMA_HOST`` may have.
        patience: Seconds that it may take for an answer; loading a model takes long.
    """

    def __init__(self, host: str = "", patience: float = 600.0) -> None:
        self.url = base_url(host)
        self.local = is_local(self.url)
        timeout = httpx.Timeout(patience, connect=_CONNECT_SECONDS)
        # A proxy cannot reach this machine's own addresses
        self._client = Client(self.url, timeout=timeout, trust_env=not self.local)
        key = os.environ.get("OLLAMA_API_KEY")
        self._http = httpx.Client(
            base_url=self.url,
            timeout=timeout,
            trust_env=not self.local,
            headers={"Authorization": f"Bearer {key}"} if key else {},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()  # type: ignore[no-untyped-call]
        self._http.close()

    def check(self) -> str:
        """Check that it is there and knows what is needed; give its version.

        Raises:
            LoraDeckError: Nothing answers, or something else, or one that is too old.
        """
        with self._in_words():
            answer = self._http.get("/api/version", timeout=_CONNECT_SECONDS)
            answer.raise_for_status()
            version = str(answer.json()["version"])
        if _is_too_old(version):
            raise LoraDeckError(
                tr("Ollama too old"),
                tr(
                    "{url} is Ollama {version}; {oldest} or newer is needed.",
                    url=self.url,
                    version=visible(version),
                    oldest=OLDEST,
                ),
                tr("Get a newer one: https://ollama.com/download"),
            )
        return version

    def check_room(self, size: int) -> None:
        """Check that a file fits on the disk of an Ollama on this machine.

        Raises:
            DiskFullError: It does not, wherever its models may lie.
        """
        full: DiskFullError | None = None
        for folder in models_folders() if self.local else []:
            try:
                return require_space(folder, size)
            except DiskFullError as error:
                full = error
        if full:
            raise full
        return None

    def has(self, name: str) -> bool:
        """Tell whether it has a model of that name."""
        with self._in_words():
            return any(same_model(one.model or "", name) for one in self._client.list().models)

    def check_free(self, name: str, *, replace: bool) -> None:
        """Refuse a name that is taken.

        Raises:
            ConflictError: There is a model of that name, and it is not to be replaced.
        """
        if not replace and self.has(name):
            raise ConflictError(
                tr("Name taken at Ollama"),
                tr("{url} has a model '{name}' already.", url=self.url, name=visible(name)),
                tr("Choose another name (--name), or let it be replaced (--replace)."),
            )

    def has_blob(self, digest: str) -> bool:
        """Tell whether it has a file of this digest already."""
        with self._in_words(broken=False):
            answer = self._http.head(f"/api/blobs/{digest}")
            if answer.status_code == httpx.codes.NOT_FOUND:
                return False
            answer.raise_for_status()
            return True

    def post_blob(self, digest: str, content: Iterator[bytes], size: int) -> None:
        """Send a file once.

        Raises:
            httpx.TransportError: The connection broke.
            LoraDeckError: It was refused.
        """
        # The length tells a whole body from one that was cut off
        headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
        with self._in_words(broken=False):
            answer = self._http.post(f"/api/blobs/{digest}", content=content, headers=headers)
            answer.raise_for_status()

    def create(self, name: str, **fields: Any) -> Iterator[str]:
        """Make a model and yield what it says it is doing; the last is ``success``."""
        with self._in_words():
            for step in self._client.create(name, stream=True, **fields):
                yield step.status or ""

    def copy(self, name: str, to: str) -> None:
        """Give a model another name, in place of what has that name now."""
        with self._in_words():
            self._client.copy(name, to)

    def remove(self, name: str) -> None:
        """Remove a model, and its files where no other model needs them."""
        with self._in_words():
            self._client.delete(name)

    def complete(self, model: str, prompt: str, options: dict[str, Any]) -> Said:
        """Let a model go on with a text as it is, without any template."""
        with self._in_words():
            made = self._client.generate(model, prompt, raw=True, stream=False, options=options)
            return Said(made.response or "", made.done_reason != "length")

    def answer(self, model: str, messages: list[dict[str, str]], options: dict[str, Any]) -> Said:
        """Let a model answer a conversation, through the template that it has there."""
        with self._in_words():
            made = self._client.chat(model, messages, stream=False, options=options)
            return Said(made.message.content or "", made.done_reason != "length")

    @contextmanager
    def _in_words(self, *, broken: bool = True) -> Iterator[None]:
        """Turn what the client raises into words; a broken connection only where that is wanted."""
        try:
            yield
        except ResponseError as error:
            raise self._refusal(error.status_code, error.error) from error
        except httpx.HTTPStatusError as error:
            if not broken and error.response.status_code in _PASSING:
                raise httpx.RemoteProtocolError(str(error)) from error
            words = ResponseError(_text(error.response)).error
            raise self._refusal(error.response.status_code, words) from error
        except ConnectionError as error:
            raise self._absent() from error
        except httpx.TransportError as error:
            if not broken:
                raise
            absent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            raise (self._absent() if absent else self._silent(error)) from error
        except (ValueError, LookupError, TypeError, ValidationError) as error:
            raise self._other() from error

    def _refusal(self, status: int, words: str) -> LoraDeckError:
        """Put an answer that refuses into words."""
        said = visible(str(words)).strip()[:500] or tr("status {status}", status=status)
        if status == httpx.codes.INSUFFICIENT_STORAGE or any(one in said.lower() for one in _FULL):
            return DiskFullError(
                tr("Ollama lacks room"),
                tr("The disk of {url} is full: {said}.", url=self.url, said=said),
                tr(
                    "Make room there: ollama list, ollama rm NAME; or choose a smaller number "
                    "format (--quantize)."
                ),
            )
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            return ForbiddenError(
                tr("Ollama refuses access"),
                tr("{url} answers {status}: {said}.", url=self.url, status=status, said=said),
                tr("Where it stands behind a login: export OLLAMA_API_KEY=KEY"),
            )
        return LoraDeckError(
            tr("Ollama refused"),
            tr("{url} says: {said}.", url=self.url, said=said),
            tr("See: ollama serve"),
        )

    def _absent(self) -> LoraDeckError:
        """Say that nothing listens there."""
        return LoraDeckError(
            tr("Ollama not reachable"),
            tr("Nothing answers at {url}.", url=self.url),
            tr(
                "Start it with: ollama serve (from https://ollama.com/download), or name the "
                "host where it runs (--host URL)."
            ),
        )

    def _silent(self, error: httpx.TransportError) -> LoraDeckError:
        """Say that it broke off or does not answer."""
        return LoraDeckError(
            tr("Ollama does not answer"),
            tr(
                "The connection to {url} broke off ({kind}).",
                url=self.url,
                kind=type(error).__name__,
            ),
            tr("See what it says: ollama serve; then try again."),
        )

    def _other(self) -> LoraDeckError:
        """Say that something else listens there."""
        return LoraDeckError(
            tr("Not an Ollama"),
            tr("What answers at {url} does not speak as Ollama does.", url=self.url),
            tr("Name the host where Ollama runs (--host URL)."),
        )


def _is_too_old(version: str) -> bool:
    """Tell whether a version is before the oldest that will do; builds of one's own say 0.0.0."""
    try:
        known = Version(version)
    except InvalidVersion:
        return False
    return known.release != (0, 0, 0) and known < OLDEST


def _text(response: httpx.Response) -> str:
    """Read an error's text, however the answer was asked for."""
    response.read()
    return response.text
