"""The prompt of ``loradeck chat``: questions, and commands that begin with a slash."""

from __future__ import annotations

import base64
import contextlib
import os
import sys
from typing import TYPE_CHECKING

import click
import typer

from engine.errors import LoraDeckError
from engine.language import mark, tr
from engine.text import visible
from tui.cli.output import print_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.cli.chat_talk import Talk

_HELP = {
    "/system TEXT": mark("set the system prompt; without a text, none"),
    "/set NAME VALUE": mark(
        "set temperature, top_p, top_k, repetition_penalty, max_tokens, seed or stop"
    ),
    "/regenerate": mark("answer the last question again"),
    "/edit": mark("change the last question, in $EDITOR where one is set"),
    "/undo": mark("take the last question and its answer back"),
    "/copy": mark("copy the last answer, where the terminal lets programs do so"),
    "/save": mark("keep the conversation, and say how it goes on"),
    "/quit": mark("end; so does Ctrl-D"),
}
_KEYS = mark("Ctrl-C stops an answer; twice, it ends the chat. A line that ends with \\ goes on.")


class Prompt:
    """Reads lines and does what they say, until the user ends it."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._interrupted = False
        self._commands: dict[str, Callable[[str], None]] = {
            "system": self._system,
            "set": self._set,
            "regenerate": self._regenerate,
            "edit": self._edit,
            "undo": self._undo,
            "copy": self._copy,
            "save": self._save,
            "help": lambda _: typer.echo(_help()),
        }

    def run(self) -> None:
        """Take lines.

        Raises:
            KeyboardInterrupt: Twice, one after the other.
        """
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401 - input() edits lines with it
        while True:
            try:
                line = _read("> ")
                self._interrupted = False
                if line.strip() in ("/quit", "/exit"):
                    return
                self._take(line)
            except EOFError:
                typer.echo()
                return
            except KeyboardInterrupt:
                typer.echo()
                if self._interrupted:
                    raise
                self._interrupted = True
                _dim(tr("Once more ends the chat."))
            except LoraDeckError as error:
                print_error(error)

    def _take(self, line: str) -> None:
        """Ask a question, or carry out a command."""
        if not line.strip():
            return
        if not line.startswith("/"):
            self._ask(line)
            return
        name, _, rest = line[1:].partition(" ")
        found = [one for one in self._commands if name and one.startswith(name)]
        if len(found) != 1:
            raise LoraDeckError(
                tr("Unknown command"),
                tr("There is no /{name}.", name=visible(name)),
                tr("See /help"),
            )
        self._commands[found[0]](rest.strip())

    def _ask(self, question: str) -> None:
        """Ask, and keep what was said."""
        before = list(self._talk.messages)
        try:
            if self._talk.ask(question):
                self._talk.save()
        except BaseException:
            self._talk.messages[:] = before
            raise

    def _system(self, text: str) -> None:
        """Set the system prompt."""
        self._talk.system = text

    def _set(self, words: str) -> None:
        """Set a sampling setting."""
        name, _, value = words.partition(" ")
        given: object = [value] if name == "stop" else value
        self._talk.set({name: None if value == "none" else given})
        _dim(f"{visible(name)} = {visible(value)}")

    def _last(self) -> str:
        """Take the last question back.

        Raises:
            LoraDeckError: Nothing was asked yet.
        """
        if question := self._talk.undo():
            return question
        raise LoraDeckError(tr("No question"), tr("Nothing was asked yet."), "")

    def _again(self, change: Callable[[str], str]) -> None:
        """Ask the last question anew, changed; where that fails all stays as it was."""
        before = list(self._talk.messages)
        try:
            if not self._talk.ask(change(self._last())):
                self._talk.messages[:] = before
            else:
                self._talk.save()
        except BaseException:
            self._talk.messages[:] = before
            raise

    def _regenerate(self, _: str) -> None:
        """Answer the last question again."""
        self._again(lambda question: question)

    def _edit(self, _: str) -> None:
        """Change the last question, and ask it."""
        self._again(_edited)

    def _undo(self, _: str) -> None:
        """Take the last question and its answer back."""
        _dim(tr("Taken back: {question}", question=visible(self._last())))
        self._talk.save()

    def _copy(self, _: str) -> None:
        """Hand the last answer to the terminal's clipboard."""
        said = [one.content for one in self._talk.messages if one.role == "assistant"]
        if not said:
            raise LoraDeckError(tr("No answer"), tr("Nothing was answered yet."), "")
        coded = base64.b64encode(said[-1].encode()).decode()
        sys.stdout.write(f"\x1b]52;c;{coded}\a")
        sys.stdout.flush()
        _dim(tr("Copied, where the terminal allows it (tmux: set-clipboard on)."))

    def _save(self, _: str) -> None:
        """Keep the conversation."""
        kept = self._talk.save()
        _dim(tr("Kept. It goes on with: loradeck chat --continue {id}", id=kept.id))


def _help() -> str:
    """Say what there is to be typed."""
    lines = [f"{command:<18}{tr(words)}" for command, words in _HELP.items()]
    return "\n".join([*lines, tr(_KEYS)])


def _read(sign: str) -> str:
    """Read a question; a line that ends with a backslash goes on."""
    lines = [input(sign)]
    while lines[-1].endswith("\\"):
        lines[-1] = lines[-1][:-1]
        lines.append(input("… "))
    return "\n".join(lines)


def _edited(question: str) -> str:
    """Let the user change a text: in the editor, or on the line."""
    if os.environ.get("VISUAL") or os.environ.get("EDITOR"):
        text = click.edit(question, extension=".md")
        return question if text is None else text.rstrip("\n")
    try:
        import readline
    except ImportError:
        return _read("> ")
    readline.set_startup_hook(lambda: readline.insert_text(question))
    try:
        return _read("> ")
    finally:
        readline.set_startup_hook()


def _dim(words: str) -> None:
    """Write what is no answer."""
    typer.secho(words, err=True, dim=True)
