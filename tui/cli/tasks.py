"""``loradeck tasks``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from engine.language import tr
from tui.cli.follow import follow_to_end
from tui.cli.output import Json, JsonEvents, print_json, print_table, print_text
from tui.cli.session import with_engine
from tui.cli.task_actions import Reference, add_to
from tui.cli.task_compare import compare_tasks

if TYPE_CHECKING:
    from engine.tasks.record import TaskRecord

app = typer.Typer(
    help="List tasks; look into one, compare, pause, resume, finish, cancel, move or delete.",
    epilog="Example: loradeck tasks show my-first",
)


@app.callback(invoke_without_command=True)
def tasks(context: typer.Context, *, json: Json = False) -> None:
    """List all tasks, newest first."""
    if context.invoked_subcommand is not None:
        return
    found = with_engine(lambda client: client.tasks())
    if json:
        print_json(found)
        return
    print_table(
        ("ID", tr("NAME"), tr("STATUS"), tr("PROGRESS"), tr("MODEL"), tr("CREATED")),
        (
            (
                task.id,
                task.task_name,
                tr(task.status),
                f"{task.progress:.0f} %",
                task.base_model,
                f"{task.created_at.astimezone():%Y-%m-%d %H:%M}",
            )
            for task in found
        ),
    )


@app.command(epilog="Example: loradeck tasks show my-first --json")
def show(reference: Reference, *, json: Json = False) -> None:
    """Show one task's record."""
    task = with_engine(lambda client: client.task(reference))
    if json:
        print_json(task)
    else:
        _print(task)


@app.command(epilog="Example: loradeck tasks follow my-first")
def follow(reference: Reference, *, json: JsonEvents = False) -> None:
    """Follow a task until it has ended; exit status as of 'train'."""
    task = with_engine(lambda client: client.task(reference))
    follow_to_end(task, json=json)


@app.command(epilog="Example: loradeck tasks logs my-first --lines 50")
def logs(
    reference: Reference,
    lines: Annotated[int, typer.Option(min=1, max=10_000, help="How many of the last.")] = 200,
    *,
    json: Json = False,
) -> None:
    """Print the end of a task's worker log."""
    text = with_engine(lambda client: client.log(reference, lines))
    if json:
        print_json({"log": text})
    else:
        print_text(text)


add_to(app)
app.command("compare", epilog="Example: loradeck tasks compare first second")(compare_tasks)


@app.command(epilog="Example: loradeck tasks delete my-first")
def delete(
    reference: Reference,
    *,
    adapter: Annotated[bool, typer.Option("--adapter", help="Remove the adapter too.")] = False,
    json: Json = False,
) -> None:
    """Remove an ended task and its checkpoints; its adapter stays unless --adapter is given."""
    task = with_engine(lambda client: client.delete(reference, with_adapter=adapter))
    if json:
        print_json(task)
    else:
        words = tr("'{name}' is deleted.", name=task.task_name)
        if task.status == "completed" and not adapter:
            words += " " + tr("Its adapter: {path}", path=task.output_path)
        print_text(words)


def _print(task: TaskRecord) -> None:
    """Print a record, a field a line."""
    for key, value in task.model_dump(mode="json").items():
        if isinstance(value, dict):
            print_text(f"{key}:")
            for name, inner in value.items():
                print_text(f"    {name}: {inner}")
        elif value is not None:
            print_text(f"{key}: {value}")
