"""``loradeck models``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from engine.language import tr
from engine.text import human_bytes, human_count, human_width
from tui.cli.model_scan import scan
from tui.cli.output import Json, print_json, print_table, print_text
from tui.cli.pulling import ensure_model
from tui.cli.session import model_name, with_engine

if TYPE_CHECKING:
    from engine.models.types import ModelInfo

app = typer.Typer(
    help="List base models, fetch one, or find adapters and GGUF files.",
    epilog="Example: loradeck models pull demo",
)


@app.callback(invoke_without_command=True)
def models(context: typer.Context, *, json: Json = False) -> None:
    """List the base models on this machine, and the demo model."""
    if context.invoked_subcommand is not None:
        return
    found = with_engine(lambda client: client.models())
    if json:
        print_json(found)
        return
    print_table(
        _columns(),
        (
            (
                info.name,
                tr(info.state),
                human_count(info.shape.parameters) if info.shape else "",
                str(info.shape.context) if info.shape else "",
                human_bytes(info.size_bytes) if info.size_bytes else "",
                _fits(info),
                info.licence,
                tr(info.source),
            )
            for info in found
        ),
    )


def _columns() -> tuple[str, ...]:
    """Name what is told of each model."""
    named = (tr("NAME"), tr("STATE"), tr("PARAMETERS"), tr("CONTEXT"), tr("SIZE"))
    return (*named, tr("FITS"), tr("LICENCE"), tr("SOURCE"))


def _fits(info: ModelInfo) -> str:
    """Say in which format a model can be trained here."""
    if info.capacity is None:
        return ""
    return {"plain": human_width(info.capacity.dtype), "4bit": tr("4-bit"), "no": tr("no")}[
        info.capacity.fits
    ]


@app.command(epilog="Example: loradeck models pull demo")
def pull(
    name: Annotated[
        str, typer.Argument(help="demo, a hub id, or a GGUF file to convert.", show_default=False)
    ],
    *,
    json: Json = False,
) -> None:
    """Fetch or convert a base model; what an interruption left is taken up again."""
    info = with_engine(lambda client: ensure_model(client, model_name(name), quiet=json))
    if json:
        print_json(info)
    else:
        print_text(f"{info.name}: {info.path}")


@app.command(epilog="Example: loradeck models stop demo")
def stop(
    name: Annotated[str, typer.Argument(help="The base model being fetched.", show_default=False)],
    *,
    json: Json = False,
) -> None:
    """Stop fetching or converting a base model; the next pull takes up what is there."""
    info = with_engine(lambda client: client.stop_pull(model_name(name)))
    if json:
        print_json(info)
    else:
        print_text(tr("{name}: {words}", name=info.name, words=tr(info.state)))


app.command("scan", epilog="Example: loradeck models scan ~/adapters")(scan)
