"""One chat of the command line: what was said, under which settings, and who answers."""

from __future__ import annotations

import sys
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import typer
from pydantic import ValidationError

from engine.errors import LoraDeckError
from engine.language import listed, tr
from engine.results.chat.types import (
    Answered,
    ChatMessage,
    ChatRequest,
    Conversation,
    Failed,
    Loading,
    Piece,
    Sampling,
)
from engine.text import fault_of, visible
from tui.cli.output import print_error, print_json_line
from tui.cli.session import with_engine

if TYPE_CHECKING:
    from engine.results.chat.types import ChatEvent
    from engine.server.client import EngineClient

BASE = "base"
"""What ``--compare`` calls the target's own base model."""


@dataclass
class Talk:
    """A conversation that goes on.

    ``system`` and ``sampling`` are the assistant's, or the default, while they are ``None``.
    """

    target: str
    compare: str = ""
    system: str | None = None
    sampling: Sampling | None = None
    json: bool = False
    messages: list[ChatMessage] = field(default_factory=list)
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    standard: Sampling = field(default_factory=Sampling)
    """What holds where ``sampling`` says nothing."""

    def set(self, changes: dict[str, Any]) -> None:
        """Change some of the sampling settings.

        Raises:
            LoraDeckError: There is no such setting, or the value is of no use.
        """
        before = (self.sampling or self.standard).model_dump()
        try:
            self.sampling = Sampling.model_validate(before | changes)
        except ValidationError as error:
            first = error.errors()[0]
            raise LoraDeckError(
                tr("Setting not usable"),
                fault_of(first["loc"][0], first["msg"]),
                tr("There are: {names}.", names=listed(Sampling.model_fields)),
            ) from error

    def ask(self, question: str) -> bool:
        """Ask, show every answer as it comes, and keep the first; tells whether there was one.

        Ctrl-C ends the answer; what was said of it until then is kept.

        Raises:
            KeyboardInterrupt: It was ended before anything was said.
        """
        self.messages.append(ChatMessage(role="user", content=question))
        answers = [self._answer(self.target, base=False)]
        if self.compare:
            mine = self.compare == BASE
            answers.append(self._answer(self.target if mine else self.compare, base=mine))
        if answers[0] is None:
            self.messages.pop()
            return False
        self.messages.append(ChatMessage(role="assistant", content=answers[0]))
        return None not in answers

    def undo(self) -> str:
        """Take the last question and its answer back; gives the question, empty where none is."""
        while self.messages:
            last = self.messages.pop()
            if last.role == "user":
                return last.content
        return ""

    def save(self) -> Conversation:
        """Keep the conversation in the home."""
        kept = Conversation(
            id=self.id,
            target=self.target,
            title="",
            messages=tuple(self.messages),
            system=self.system or "",
            sampling=self.sampling or self.standard,
        )
        return with_engine(lambda client: client.save_conversation(kept))

    def _answer(self, target: str, *, base: bool) -> str | None:
        """Have one answer made and shown; ``None`` where there is none."""
        request = ChatRequest(
            target=target,
            base=base,
            messages=tuple(self.messages),
            system=self.system,
            sampling=self.sampling,
        )
        label = (tr("{name}, base model", name=target) if base else target) if self.compare else ""
        shown = _Json(label) if self.json else _Shown(label)
        try:
            with_engine(lambda client: _follow(client, request, shown))
        except KeyboardInterrupt:
            if not shown.text:
                raise
            shown.stopped()
        return None if shown.failed else "".join(shown.text)


async def _follow(client: EngineClient, request: ChatRequest, shown: _Shown) -> None:
    """Show an answer's events."""
    async for event in client.chat(request):
        shown.take(event)


class _Shown:
    """An answer on its way to the terminal."""

    def __init__(self, label: str) -> None:
        self.text: list[str] = []
        self.failed = False
        if label:
            self._label(label)

    def take(self, event: ChatEvent) -> None:
        """Show the next event."""
        if isinstance(event, Loading):
            self._say(event.message)
        elif isinstance(event, Piece):
            self.text.append(event.text)
            typer.echo(visible(event.text), nl=False)
            sys.stdout.flush()
        elif isinstance(event, Answered):
            typer.echo()
            self._tell(event)
        else:
            self._fail(event)

    def stopped(self) -> None:
        """Say that the user has ended the answer."""
        typer.echo()
        self._say(tr("Stopped."))

    def _label(self, label: str) -> None:
        """Say who answers."""
        typer.secho(f"{visible(label)}:", bold=True)

    def _say(self, words: str) -> None:
        """Write what is no answer: dimly, and not where answers go."""
        typer.secho(visible(words), err=True, dim=True)

    def _tell(self, answered: Answered) -> None:
        """Write how long the answer took, and what else there is to know."""
        words = tr(
            "{tokens} tokens · first after {seconds:.2f} s · {rate:.1f} tokens/s",
            tokens=answered.tokens,
            seconds=answered.first_token_seconds,
            rate=answered.tokens_per_second,
        )
        cut = [tr("cut at the longest length")] if answered.finish == "length" else []
        self._say(" · ".join([words, *cut]))
        if answered.notice:
            self._say(answered.notice)

    def _fail(self, failed: Failed) -> None:
        """Write why there is no answer."""
        self.failed = True
        print_error(LoraDeckError(failed.title, failed.message, failed.hint))


class _Json(_Shown):
    """An answer for programs: an event a line, with who says it where several answer."""

    def _label(self, label: str) -> None:
        self._who = label

    def take(self, event: ChatEvent) -> None:
        """Print the event."""
        who = getattr(self, "_who", "")
        print_json_line(event.model_dump(mode="json") | ({"who": who} if who else {}))
        if isinstance(event, Piece):
            self.text.append(event.text)
        self.failed = self.failed or isinstance(event, Failed)

    def stopped(self) -> None:
        """Say nothing: an answer without its last event was ended."""
