"""The assistants of a home, in one file. The engine server alone writes it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from engine.errors import ConflictError, LoraDeckError, NotFoundError
from engine.files import read_plain, set_aside, write_atomic
from engine.language import tr
from engine.results.chat.types import Assistant
from engine.text import visible

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)
_LIST: TypeAdapter[list[Assistant]] = TypeAdapter(list[Assistant])
_LONGEST_NAME = 100
_MOST = 1000


class Assistants:
    """Named assistants, in the order of their names.

    A file that cannot be read is set aside, so that nothing in it is lost, and the list begins
    anew.

    Raises:
        LoraDeckError: The file is there and may not be read.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known = {one.name: one for one in self._load()}

    def all(self) -> list[Assistant]:
        """List all."""
        return sorted(self._known.values(), key=lambda one: one.name.casefold())

    def named(self, name: str) -> Assistant | None:
        """Give the assistant of a name, if there is one."""
        return self._known.get(name)

    def get(self, name: str) -> Assistant:
        """Give the assistant of a name.

        Raises:
            NotFoundError: There is none.
        """
        if found := self._known.get(name):
            return found
        raise NotFoundError(
            tr("No such assistant"),
            tr("There is no assistant '{name}'.", name=visible(name)),
            tr("List them with: loradeck assistants"),
        )

    def create(self, assistant: Assistant) -> Assistant:
        """Keep a new assistant.

        Raises:
            LoraDeckError: Its name is of no use.
            ConflictError: Its name is taken.
        """
        if assistant.name in self._known:
            name = visible(assistant.name)
            raise ConflictError(
                tr("Name taken"),
                tr("There is an assistant '{name}' already.", name=name),
                tr("Change it with: loradeck assistants edit {name}", name=name),
            )
        return self.put(assistant)

    def put(self, assistant: Assistant) -> Assistant:
        """Keep an assistant, in the place of the one of its name.

        Raises:
            LoraDeckError: Its name is of no use, or there are too many.
        """
        _check_name(assistant.name)
        changed = self._known | {assistant.name: assistant}
        if len(changed) > _MOST:
            words = tr("At most {count} are kept.", count=_MOST)
            raise LoraDeckError(tr("Too many assistants"), words, tr("Delete some."))
        self._write(changed)
        return assistant

    def delete(self, name: str) -> None:
        """Forget an assistant.

        Raises:
            NotFoundError: There is none of the name.
        """
        self.get(name)
        self._write({key: one for key, one in self._known.items() if key != name})

    def _write(self, assistants: dict[str, Assistant]) -> None:
        """Store all, then take them over."""
        write_atomic(self._file, _LIST.dump_json(list(assistants.values()), indent=1))
        self._known = assistants

    def _load(self) -> list[Assistant]:
        """Read the file."""
        try:
            return _LIST.validate_json(read_plain(self._file))
        except FileNotFoundError:
            return []
        except (ValueError, ValidationError, LoraDeckError) as error:
            aside = set_aside(self._file)
            log.warning("%s is unreadable (%s); set aside as %s", self._file, error, aside.name)
            return []
        except OSError as error:
            raise LoraDeckError(
                tr("Assistants not readable"),
                tr("{path} cannot be read: {reason}.", path=self._file, reason=error.strerror),
                tr("Make it yours and readable: chmod u+rw '{path}'", path=self._file),
            ) from error


def _check_name(name: str) -> None:
    """Check a name that people type and programs send.

    Raises:
        LoraDeckError: It is empty, too long, or has signs in it that paths or terminals act on.
    """
    plain = name.strip() == name and visible(name) == name and not set("/\\\n\t") & set(name)
    if not plain or not 0 < len(name) <= _LONGEST_NAME or name.startswith("."):
        raise LoraDeckError(
            tr("Name not usable"),
            tr("'{name}' cannot name an assistant.", name=visible(name[:_LONGEST_NAME])),
            tr(
                "Use letters, digits, blanks and - _ . , at most {count} of them.",
                count=_LONGEST_NAME,
            ),
        )
