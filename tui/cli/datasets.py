"""``loradeck datasets``: list, add, export, remove; the others have files of their own."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from engine.errors import LoraDeckError
from engine.language import tr
from engine.server.book_wire import Exported, ExportRequest
from engine.text import human_bytes, human_count, visible
from tui.cli import dataset_edit, dataset_inspect, dataset_preview
from tui.cli.dataset_names import Dataset, dataset_path, hub_id_or_path
from tui.cli.options import Maps, mapping_of
from tui.cli.output import Json, print_json, print_table, print_text
from tui.cli.session import absolute, with_engine

if TYPE_CHECKING:
    from engine.server.client import EngineClient
    from engine.server.wire import DatasetInfo

app: typer.Typer = typer.Typer(
    help="List datasets, look into one, edit its rows, add, export or remove one.",
    epilog="Example: loradeck datasets inspect rows.json",
)


@app.callback(invoke_without_command=True)
def datasets(context: typer.Context, *, json: Json = False) -> None:
    """List the datasets in the home, and the samples."""
    if context.invoked_subcommand is None:
        _list(json=json)


@app.command("list", epilog="Example: loradeck datasets list --json")
def list_(*, json: Json = False) -> None:
    """List the datasets in the home, and the samples."""
    _list(json=json)


@app.command(epilog="Example: loradeck datasets add ~/rows.csv --name support")
def add(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", show_default=False, help="A file, a folder, or owner/name on the hub."
        ),
    ],
    *,
    name: Annotated[
        str, typer.Option("--name", "-n", show_default=False, help="What to call it in the home.")
    ] = "",
    json: Json = False,
) -> None:
    """Copy a dataset into the home, once it was looked at; the file itself is left as it is."""
    added = with_engine(lambda client: client.books.add(hub_id_or_path(file), name))
    if json:
        print_json(added)
    else:
        print_text(
            tr(
                "{name}: {kind}, {rows:,} rows, {path}",
                name=added.name,
                kind=added.dataset_type,
                rows=added.rows,
                path=added.path,
            )
        )


@app.command(epilog="Example: loradeck datasets export rows.csv rows.jsonl --as messages")
def export(
    file: Dataset,
    target: Annotated[
        str, typer.Argument(metavar="TARGET", show_default=False, help="The file to write.")
    ],
    *,
    form: Annotated[
        Literal["jsonl", "json", "csv", "parquet"] | None,
        typer.Option("--format", show_default=False, help="Taken from TARGET's ending if absent."),
    ] = None,
    rows_as: Annotated[
        Literal["raw", "messages"],
        typer.Option("--as", help="Rows as they stand, or in normal form: chat messages."),
    ] = "raw",
    map_: Maps = None,
    force: Annotated[bool, typer.Option("--force", help="Write over TARGET.")] = False,
    json: Json = False,
) -> None:
    """Write a dataset to a file in another format."""
    mapping = mapping_of(map_)

    async def talk(client: EngineClient) -> Exported:
        return await client.books.export(
            ExportRequest(
                path=await dataset_path(client, file),
                target=absolute(target),
                format=form,
                form=rows_as,
                mapping=mapping,
                force=force,
            )
        )

    done = with_engine(talk)
    if json:
        print_json(done)
        return
    size = human_bytes(done.size_bytes)
    words = [tr("{path}: {rows:,} rows, {size}.", path=done.path, rows=done.rows, size=size)]
    if done.left_out:
        rows = human_count(done.left_out)
        words.append(tr("{rows} rows that cannot be written are left out.", rows=rows))
    print_text(" ".join(words))


@app.command(epilog="Example: loradeck datasets remove rows.v2.jsonl --yes")
def remove(
    name: Annotated[str, typer.Argument(show_default=False, help="A dataset in the home.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove a dataset from the home; files elsewhere are never removed."""
    if not yes:
        if not sys.stdin.isatty():
            raise LoraDeckError(
                tr("Not confirmed"),
                tr("'{name}' would be removed for good.", name=name),
                tr("To mean it: --yes"),
            )
        typer.confirm(tr("Remove '{name}' from the home for good?", name=visible(name)), abort=True)
    with_engine(lambda client: client.books.delete(name))
    print_text(tr("'{name}' is removed.", name=name))


app.command("inspect", epilog=dataset_inspect.EXAMPLE)(dataset_inspect.inspect)
app.command("preview", epilog=dataset_preview.EXAMPLE)(dataset_preview.preview)
app.command("edit", epilog=dataset_edit.EXAMPLE)(dataset_edit.edit)


def _list(*, json: bool) -> None:
    """Print the datasets."""
    found = with_engine(lambda client: client.datasets())
    if json:
        print_json(found)
        return
    print_table(
        (tr("NAME"), tr("TYPE"), tr("ROWS"), tr("SIZE"), tr("PATH")),
        (
            (
                info.name,
                info.dataset_type or _unknown(info),
                str(info.rows) if info.dataset_type else "",
                human_bytes(info.size_bytes),
                info.path,
            )
            for info in found
        ),
    )


def _unknown(info: DatasetInfo) -> str:
    """Say why a dataset's type is not known."""
    return tr("unreadable") if info.problem else tr("not inspected")
