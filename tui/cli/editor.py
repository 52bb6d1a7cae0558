"""The user's own editor, on a value written as JSON."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import LoraDeckError
from engine.language import tr
from engine.text import json_text

if TYPE_CHECKING:
    from collections.abc import Iterator


class Draft:
    """A value in a temporary file, for the user alone.

    Raises:
        LoraDeckError: No editor is set.
    """

    def __init__(self, value: Any) -> None:
        self._command = _editor()
        fd, name = tempfile.mkstemp(prefix="loradeck-", suffix=".json")  # 0600
        self.path = Path(name)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(json_text(value, 2) + "\n")

    @contextmanager
    def kept_on_failure(self) -> Iterator[None]:
        """Remove the file at the end; keep it, and say where, when the work in it is not saved."""
        before = self.path.read_bytes()
        try:
            yield
        except LoraDeckError as error:
            if not self.path.exists() or self.path.read_bytes() == before:
                self.path.unlink(missing_ok=True)
                raise
            kept = tr("What you wrote is kept in {path}", path=self.path)
            hint = f"{error.hint} {kept}".strip()
            raise type(error)(error.title, error.message, hint) from error
        except BaseException:
            if self.path.exists() and self.path.read_bytes() == before:
                self.path.unlink()
            raise
        self.path.unlink(missing_ok=True)

    def open_editor(self) -> None:
        """Wait while the user edits.

        Raises:
            LoraDeckError: The editor cannot be started, or ends with an error.
        """
        try:
            code = subprocess.run([*self._command, str(self.path)], check=False).returncode
        except OSError as error:
            raise LoraDeckError(
                tr("Editor not started"),
                tr(
                    "'{command}' cannot be started: {reason}.",
                    command=shlex.join(self._command),
                    reason=error.strerror,
                ),
                tr("Set another one, for example: export EDITOR=nano"),
            ) from error
        if code != 0:
            raise LoraDeckError(
                tr("Editor failed"),
                tr(
                    "'{command}' ended with status {code}; nothing is saved.",
                    command=shlex.join(self._command),
                    code=code,
                ),
                "",
            )

    def read(self) -> Any:
        """Read the value back.

        Raises:
            LoraDeckError: It is no JSON; names line and column.
        """
        try:
            return json.loads(self.path.read_text(encoding="utf-8-sig"))
        except json.JSONDecodeError as error:
            raise LoraDeckError(
                tr("Broken JSON"),
                tr(
                    "Line {line}, column {column}: {reason}.",
                    line=error.lineno,
                    column=error.colno,
                    reason=error.msg,
                ),
                tr("Nothing is saved."),
            ) from None
        except (OSError, UnicodeDecodeError, RecursionError, ValueError) as error:
            raise LoraDeckError(
                tr("Not readable"),
                tr("What the editor wrote cannot be read: {reason}.", reason=error),
                "",
            ) from None


def _editor() -> list[str]:
    """Find the user's editor."""
    given = os.environ.get("VISUAL", "").strip() or os.environ.get("EDITOR", "").strip()
    try:
        command = shlex.split(given)
    except ValueError:
        command = []
    if not command:
        raise LoraDeckError(
            tr("No editor set"),
            tr("Neither $VISUAL nor $EDITOR names an editor."),
            tr("Set one, for example: export EDITOR=nano. The dashboard has an editor of its own."),
        )
    return command
