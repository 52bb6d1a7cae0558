"""``loradeck assistants``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.errors import LoraDeckError
from engine.language import listed, tr
from engine.results.chat.types import Assistant, Sampling
from tui.cli.chat import MaxTokens, Seed, Temperature, TopK, TopP, given_sampling, target_name
from tui.cli.output import Json, print_json, print_table, print_text
from tui.cli.session import model_name, with_engine

if TYPE_CHECKING:
    from engine.server.client import EngineClient

app = typer.Typer(
    help="List assistants; create, change, show or delete one.",
    epilog="Example: loradeck assistants create poet --adapter verses --system 'Rhyme.'",
)
Name = Annotated[str, typer.Argument(help="The assistant's name.", show_default=False)]
Model = Annotated[
    str | None,
    typer.Option("--model", help="The base model; an adapter knows its own.", show_default=False),
]
Adapter = Annotated[
    str | None, typer.Option(help="A completed task, or an adapter.", show_default=False)
]
System = Annotated[str | None, typer.Option(help="The system prompt.", show_default=False)]
Description = Annotated[str | None, typer.Option(help="What it is for.", show_default=False)]


@app.callback(invoke_without_command=True)
def assistants(context: typer.Context, *, json: Json = False) -> None:
    """List all assistants."""
    if context.invoked_subcommand is None:
        _list(json=json)


@app.command("list", epilog="Example: loradeck assistants list --json")
def list_(*, json: Json = False) -> None:
    """List all assistants."""
    _list(json=json)


@app.command(epilog="Example: loradeck assistants show poet")
def show(name: Name, *, json: Json = False) -> None:
    """Show one assistant."""
    _print(with_engine(lambda client: client.assistant(name)), json=json)


@app.command(epilog="Example: loradeck assistants create poet --adapter verses --temperature 0.2")
def create(
    name: Name,
    *,
    model: Model = None,
    adapter: Adapter = None,
    system: System = None,
    description: Description = None,
    temperature: Temperature = None,
    top_p: TopP = None,
    top_k: TopK = None,
    max_tokens: MaxTokens = None,
    seed: Seed = None,
    json: Json = False,
) -> None:
    """Bind a base model or an adapter, a system prompt and sampling settings to a name."""
    if not (model or adapter):
        raise LoraDeckError(
            tr("Who is it?"),
            tr("Neither a base model nor an adapter is named."),
            tr("Add: --adapter TASK"),
        )
    bound = _bound(model, adapter, system, description)
    sampling = given_sampling(temperature, top_p, top_k, max_tokens, seed)

    async def talk(client: EngineClient) -> Assistant:
        fields = {"name": name, "base_model": "", **bound}
        return await client.create_assistant(
            Assistant.model_validate(fields | {"sampling": Sampling.model_validate(sampling)})
        )

    _print(with_engine(talk), json=json)


@app.command(epilog="Example: loradeck assistants edit poet --temperature 0.9")
def edit(
    name: Name,
    *,
    model: Model = None,
    adapter: Adapter = None,
    system: System = None,
    description: Description = None,
    temperature: Temperature = None,
    top_p: TopP = None,
    top_k: TopK = None,
    max_tokens: MaxTokens = None,
    seed: Seed = None,
    json: Json = False,
) -> None:
    """Change what is given of an assistant; --adapter '' leaves the base model alone."""
    bound = _bound(model, adapter, system, description)
    sampling = given_sampling(temperature, top_p, top_k, max_tokens, seed)

    async def talk(client: EngineClient) -> Assistant:
        known = await client.assistant(name)
        if adapter and not model:
            bound["base_model"] = ""  # the adapter's own
        drawn = Sampling.model_validate(known.sampling.model_dump() | sampling)
        changed = known.model_dump() | bound | {"sampling": drawn}
        return await client.put_assistant(Assistant.model_validate(changed))

    _print(with_engine(talk), json=json)


@app.command(epilog="Example: loradeck assistants delete poet")
def delete(name: Name, *, json: Json = False) -> None:
    """Forget an assistant; its adapter stays."""
    with_engine(lambda client: client.delete_assistant(name))
    if json:
        print_json({"deleted": name})
    else:
        print_text(tr("'{name}' is deleted.", name=name))


def _bound(
    model: str | None, adapter: str | None, system: str | None, description: str | None
) -> dict[str, Any]:
    """Name what is given."""
    given = {
        "base_model": model and model_name(model),
        "adapter": adapter and target_name(adapter),
        "system": system,
        "description": description,
    }
    return {key: value for key, value in given.items() if value is not None}


def _list(*, json: bool) -> None:
    """Print all assistants."""
    found = with_engine(lambda client: client.assistants())
    if json:
        print_json(found)
        return
    print_table(
        (tr("NAME"), tr("BASE MODEL"), tr("ADAPTER"), tr("TEMPERATURE"), tr("DESCRIPTION")),
        (
            (
                one.name,
                one.base_model,
                one.adapter,
                f"{one.sampling.temperature:g}",
                one.description,
            )
            for one in found
        ),
    )


def _print(assistant: Assistant, *, json: bool) -> None:
    """Print one, a field a line."""
    if json:
        print_json(assistant)
        return
    for key, value in assistant.model_dump(mode="json").items():
        if isinstance(value, dict):
            value = listed(f"{name} {inner}" for name, inner in value.items() if inner != [])
        print_text(f"{key}: {value}")
