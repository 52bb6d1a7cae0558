"""The conversations of a home, a file each."""

from __future__ import annotations

import logging
import re
import time
from typing import TYPE_CHECKING

from engine.errors import LoraDeckError, NotFoundError
from engine.files import read_plain, write_atomic
from engine.language import tr
from engine.results.chat.types import Conversation
from engine.text import visible

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TITLE = 60
_FAULTS = (OSError, ValueError, LoraDeckError)
"""What a file that is gone, torn or of a newer version gives."""


class Conversations:
    """What was said, kept for later.

    Args:
        folder: Theirs; made at the first one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> list[Conversation]:
        """List them, newest first; a file that cannot be read is left out, and logged."""
        found = []
        for file in self._folder.glob("*.json"):
            try:
                found.append(Conversation.model_validate_json(read_plain(file)))
            except _FAULTS as error:
                log.warning("%s is unreadable: %s", file, error)
        return sorted(found, key=lambda one: one.changed_at, reverse=True)

    def get(self, name: str) -> Conversation:
        """Read one.

        Raises:
            NotFoundError: There is none of the id.
            LoraDeckError: It is damaged.
        """
        try:
            return Conversation.model_validate_json(read_plain(self._file(name)))
        except FileNotFoundError:
            raise _missing(name) from None
        except _FAULTS as error:
            reason = visible(str(error)).splitlines()[0]
            raise LoraDeckError(
                tr("Conversation not readable"),
                tr("{path} is damaged: {reason}.", path=self._file(name), reason=reason),
                tr("Remove it, or begin a new one."),
            ) from error

    def put(self, name: str, conversation: Conversation) -> Conversation:
        """Keep one, as changed just now.

        Raises:
            LoraDeckError: The id is of no use.
        """
        title = conversation.title or _title(conversation)
        changes = {"id": name, "title": title, "changed_at": time.time()}
        kept = conversation.model_copy(update=changes)
        file = self._file(name)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        write_atomic(file, kept.model_dump_json(indent=1))
        return kept

    def delete(self, name: str) -> None:
        """Remove one.

        Raises:
            NotFoundError: There is none of the id.
        """
        try:
            self._file(name).unlink()
        except FileNotFoundError:
            raise _missing(name) from None

    def _file(self, name: str) -> Path:
        """Give the place of a conversation.

        Raises:
            LoraDeckError: The id is no id.
        """
        if not _ID.fullmatch(name):
            raise LoraDeckError(
                tr("No id of a conversation"),
                tr(
                    "'{name}' has other signs than letters, digits, - and _.",
                    name=visible(name[:80]),
                ),
                tr("Take one of at most 64 of these."),
            )
        return self._folder / f"{name}.json"


def _title(conversation: Conversation) -> str:
    """Take the beginning of the first question."""
    asked = (one.content for one in conversation.messages if one.role == "user")
    words = " ".join(next(asked, "").split())
    return words if len(words) <= _TITLE else words[: _TITLE - 1] + "…"


def _missing(name: str) -> NotFoundError:
    """Say that there is no such conversation."""
    return NotFoundError(
        tr("No such conversation"),
        tr("There is no conversation '{name}'.", name=visible(name)),
        tr("List them with: loradeck chat --list"),
    )
