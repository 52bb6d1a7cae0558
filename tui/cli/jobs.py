"""``loradeck jobs``."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from engine.language import tr
from tui.cli.job_follow import follow_job_to_end, print_ended
from tui.cli.output import Json, JsonEvents, print_json, print_table, print_text
from tui.cli.session import with_engine

app = typer.Typer(
    help="List exports and deployments; look into one, follow, cancel or forget it.",
    epilog="Example: loradeck jobs follow 3f2a",
)
JobId = Annotated[
    str, typer.Argument(metavar="ID", help="A job's id or its beginning.", show_default=False)
]


@app.callback(invoke_without_command=True)
def jobs(context: typer.Context, *, json: Json = False) -> None:
    """List all jobs, newest first."""
    if context.invoked_subcommand is None:
        _list(json=json)


@app.command("list", epilog="Example: loradeck jobs list --json")
def list_(*, json: Json = False) -> None:
    """List all jobs, newest first."""
    _list(json=json)


def _list(*, json: bool) -> None:
    """Print all jobs."""
    found = with_engine(lambda client: client.jobs())
    if json:
        print_json(found)
        return
    print_table(
        ("ID", tr("STATE"), tr("PROGRESS"), tr("STARTED"), tr("WHAT")),
        (
            (
                job.id,
                tr(job.state),
                "" if job.progress is None else f"{job.progress:.0%}",
                time.strftime("%Y-%m-%d %H:%M", time.localtime(job.created_at)),
                job.title,
            )
            for job in found
        ),
    )


@app.command(epilog="Example: loradeck jobs show 3f2a --json")
def show(job_id: JobId, *, json: Json = False) -> None:
    """Show how one job stands, and what came of it."""
    job = with_engine(lambda client: client.job(job_id))
    if json:
        print_json(job)
    elif job.ended:
        print_ended(job)
    else:
        share = "" if job.progress is None else f" ({job.progress:.0%})"
        doing = f"{job.stage}{share}"
        told = {"name": job.title, "state": tr(job.state), "doing": doing}
        print_text(tr("'{name}' is {state}: {doing}", **told))


@app.command(epilog="Example: loradeck jobs follow 3f2a")
def follow(job_id: JobId, *, json: JsonEvents = False) -> None:
    """Follow a job until it has ended; exit status as of 'export'."""
    follow_job_to_end(with_engine(lambda client: client.job(job_id)), json=json)


@app.command(epilog="Example: loradeck jobs cancel 3f2a")
def cancel(job_id: JobId, *, json: Json = False) -> None:
    """End a running job; what it has half written is removed."""
    job = with_engine(lambda client: client.cancel_job(job_id))
    if json:
        print_json(job)
    else:
        print_text(tr("'{name}' is being cancelled.", name=job.title))


@app.command(epilog="Example: loradeck jobs forget 3f2a")
def forget(job_id: JobId, *, json: Json = False) -> None:
    """Remove what is kept of an ended job; what it has made stays."""
    job = with_engine(lambda client: client.forget_job(job_id))
    if json:
        print_json(job)
    else:
        print_text(tr("'{name}' is forgotten.", name=job.title))
