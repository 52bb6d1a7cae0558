"""Editing a row in the user's own editor, while the dashboard lends it the terminal."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import SuspendNotSupported

from engine.errors import LoraDeckError
from engine.language import tr
from engine.text import json_text
from screens.dialogs import ConfirmDialog
from screens.row_text import parsed_row

if TYPE_CHECKING:
    from textual.app import App

_COMMON = ("nano", "vim", "vi", "emacs")


async def edited_outside(app: App[Any], value: dict[str, Any]) -> dict[str, Any] | None:
    """Let the user edit a row as JSON; ``None`` where he gives it up.

    Raises:
        LoraDeckError: There is no editor, or the terminal cannot be lent.
    """
    text = json_text(value, 2) + "\n"
    while True:
        text = _edited(app, text)
        try:
            return parsed_row(text)
        except LoraDeckError as error:
            question = ConfirmDialog(
                error.title, error.message, yes=tr("Drop it"), no=tr("Edit again")
            )
            if await app.push_screen_wait(question):
                return None


def editor_command() -> list[str]:
    """Give the user's editor: ``$VISUAL``, ``$EDITOR``, or one that is commonly there.

    Raises:
        LoraDeckError: There is none.
    """
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    try:
        command = shlex.split(named)
    except ValueError:
        command = [named]
    command = command or [name for name in _COMMON if shutil.which(name)][:1]
    if not command or shutil.which(command[0]) is None:
        words = tr("No editor is set.")
        if command:
            words = tr("The editor '{name}' is not there.", name=command[0])
        raise LoraDeckError(
            tr("No editor"),
            words,
            tr("Set $EDITOR, for example: export EDITOR=nano. Or edit here with e."),
        )
    return command


def _edited(app: App[Any], text: str) -> str:
    """Lend the terminal to the editor and give what it leaves."""
    command = editor_command()
    with tempfile.TemporaryDirectory(prefix="loradeck-") as folder:
        path = Path(folder) / "row.json"
        path.write_text(text, encoding="utf-8")
        try:
            with app.suspend():  # the loop stands still meanwhile: nothing may draw
                ended = subprocess.run([*command, str(path)], check=False)
        except SuspendNotSupported:
            raise LoraDeckError(
                tr("No terminal to lend"),
                tr("This terminal cannot be given to another program."),
                tr("Edit here with e."),
            ) from None
        if ended.returncode:
            words = tr(
                "{name} ended with {code}; the row stays as it was.",
                name=command[0],
                code=ended.returncode,
            )
            raise LoraDeckError(tr("Editor ended with an error"), words)
        return path.read_text(encoding="utf-8", errors="replace")
