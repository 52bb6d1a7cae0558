"""``loradeck chat``."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.errors import LoraDeckError
from engine.language import tr
from engine.results.chat.types import Sampling
from engine.text import visible
from tui.cli.chat_prompt import Prompt
from tui.cli.chat_talk import Talk
from tui.cli.output import JsonEvents, print_json, print_table
from tui.cli.session import model_name, with_engine

if TYPE_CHECKING:
    from engine.results.chat.types import Conversation
    from engine.server.client import EngineClient

EXAMPLE = 'Example: loradeck chat my-first --compare base --message "What are you?"'

Temperature = Annotated[
    float | None, typer.Option(min=0, max=5, help="0 always takes the likeliest token.")
]
TopP = Annotated[
    float | None, typer.Option(min=0, max=1, help="Of the likeliest tokens, this share.")
]
TopK = Annotated[int | None, typer.Option(min=0, help="Of the likeliest tokens, so many; 0: all.")]
MaxTokens = Annotated[int | None, typer.Option(min=1, help="The longest answer.")]
Seed = Annotated[int | None, typer.Option(min=0, help="The same seed gives the same answer.")]


def chat(
    target: Annotated[
        str,
        typer.Argument(
            help="Who answers: an assistant, a task, an adapter or its folder, a base model.",
            show_default=False,
        ),
    ] = "",
    *,
    compare: Annotated[
        str, typer.Option(help="Who answers too: 'base', or another name.", show_default=False)
    ] = "",
    system: Annotated[
        str | None, typer.Option(help="The system prompt.", show_default=False)
    ] = None,
    temperature: Temperature = None,
    top_p: TopP = None,
    top_k: TopK = None,
    max_tokens: MaxTokens = None,
    seed: Seed = None,
    message: Annotated[
        str, typer.Option(help="Ask this and end; a pipe does too.", show_default=False)
    ] = "",
    continued: Annotated[
        str, typer.Option("--continue", help="The id of a chat to go on with.", show_default=False)
    ] = "",
    listed: Annotated[bool, typer.Option("--list", help="List the chats that are kept.")] = False,
    json: JsonEvents = False,
) -> None:
    """Talk to an adapter, an assistant or a base model; answers stream, /help tells the rest."""
    if listed:
        _list(json=json)
        return
    given = given_sampling(temperature, top_p, top_k, max_tokens, seed)
    talk = with_engine(lambda client: _begin(client, target, continued))
    talk.compare = compare and (compare if compare == "base" else target_name(compare))
    talk.system = talk.system if system is None else system
    talk.json = json
    if given:
        talk.set(given)
    question = message or ("" if sys.stdin.isatty() else sys.stdin.read().strip())
    if question:
        _once(talk, question, keep=bool(continued))
    elif json or not sys.stdin.isatty():
        raise LoraDeckError(
            tr("No question"), tr("There is nothing to ask."), tr('Add: --message "…"')
        )
    else:
        _welcome(talk)
        Prompt(talk).run()


def target_name(given: str) -> str:
    """Make an adapter or model that is named by an existing path absolute; leave names alone."""
    path = Path(given).expanduser()
    return str(path.absolute()) if (path / "adapter_config.json").is_file() else model_name(given)


def given_sampling(*values: Any) -> dict[str, Any]:
    """Name the sampling settings that were given."""
    names = ("temperature", "top_p", "top_k", "max_tokens", "seed")
    return {key: value for key, value in zip(names, values, strict=True) if value is not None}


async def _begin(client: EngineClient, target: str, continued: str) -> Talk:
    """Begin a chat, or take one up again."""
    if not target and not continued:
        raise LoraDeckError(
            tr("Who answers?"),
            tr("No assistant, task, adapter or base model is named."),
            tr("For example: loradeck chat demo. See: loradeck assistants, tasks, models"),
        )
    assistants = {one.name: one for one in await client.assistants()}
    if not continued:
        known = assistants.get(target)
        name = target if known else target_name(target)
        return Talk(name, standard=known.sampling if known else Sampling())
    kept = await client.conversation(continued)
    return Talk(
        target_name(target) if target else kept.target,
        system=kept.system or None,
        sampling=kept.sampling,
        messages=list(kept.messages),
        id=kept.id,
    )


def _once(talk: Talk, question: str, *, keep: bool) -> None:
    """Ask one question and end; exit status 1 where there is no answer."""
    answered = talk.ask(question)
    if answered and keep:
        talk.save()
    if not answered:
        raise typer.Exit(1)


def _welcome(talk: Talk) -> None:
    """Say how the chat is used, and what was said before."""
    for one in talk.messages[-2:]:
        typer.echo(_quoted(one.role, one.content))
    typer.secho(tr("/help tells the commands; Ctrl-D ends."), err=True, dim=True)


def _quoted(role: str, content: str) -> str:
    """Write a turn of before."""
    return f"> {visible(content)}" if role == "user" else visible(content)


def _list(*, json: bool) -> None:
    """List the chats that are kept."""
    found = with_engine(lambda client: client.conversations())
    if json:
        print_json(found)
        return
    print_table(("ID", tr("WITH"), tr("CHANGED"), tr("TITLE")), (_row(one) for one in found))


def _row(kept: Conversation) -> tuple[str, str, str, str]:
    """Give a kept chat's row."""
    changed = datetime.fromtimestamp(kept.changed_at, UTC).astimezone()
    return kept.id, kept.target, f"{changed:%Y-%m-%d %H:%M}", kept.title
