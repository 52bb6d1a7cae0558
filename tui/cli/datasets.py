"""``loradeck datasets``."""

from __future__ import annotations

import typer

from engine.text import human_bytes
from tui.cli import dataset_inspect
from tui.cli.output import Json, print_json, print_table
from tui.cli.session import with_engine

app = typer.Typer(
    help="List datasets, or look into one.", epilog="Example: loradeck datasets inspect rows.json"
)


@app.callback(invoke_without_command=True)
def datasets(context: typer.Context, *, json: Json = False) -> None:
    """List the datasets in the home, and the samples."""
    if context.invoked_subcommand is not None:
        return
    found = with_engine(lambda client: client.datasets())
    if json:
        print_json(found)
        return
    print_table(
        ("NAME", "TYPE", "ROWS", "SIZE", "PATH"),
        (
            (
                info.name,
                info.dataset_type or "unreadable",
                str(info.rows),
                human_bytes(info.size_bytes),
                info.path,
            )
            for info in found
        ),
    )


app.command("inspect", epilog=dataset_inspect.EXAMPLE)(dataset_inspect.inspect)
