"""All commands of the command line, as typer has them."""

from __future__ import annotations

from typing import Annotated

import typer

from engine import __version__
from tui.cli import (
    assistants,
    chat,
    datasets,
    deploy,
    engine,
    export,
    jobs,
    models,
    report,
    tasks,
    train,
    web,
)

app = typer.Typer(
    name="loradeck",
    help="LoRA fine-tuning of language models from a full-screen terminal dashboard.\n\n"
    "Without a command the dashboard opens.",
    epilog="Example: loradeck train rows.json --model demo --name my-first",
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(models.app, name="models")
app.add_typer(datasets.app, name="datasets")
app.add_typer(tasks.app, name="tasks")
app.add_typer(jobs.app, name="jobs")
app.add_typer(assistants.app, name="assistants")
app.add_typer(engine.app, name="engine")
app.command("train", epilog=train.TRAIN_EXAMPLE)(train.train)
app.command("plan", epilog=train.PLAN_EXAMPLE)(train.plan)
app.command("chat", epilog=chat.EXAMPLE)(chat.chat)
app.command("report", epilog="Example: loradeck report my-first")(report.report)
app.command("export", epilog=export.EXAMPLE)(export.export)
app.command("deploy", epilog=deploy.EXAMPLE)(deploy.deploy)
app.command("web", epilog=web.EXAMPLE)(web.web)
app.command("doctor", epilog="Example: loradeck doctor --json")(engine.doctor)


def _show_version(value: bool) -> None:
    """Print the version and end."""
    if value:
        typer.echo(f"loradeck {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def dashboard(
    context: typer.Context,
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Open the dashboard where no command is given."""
    if context.invoked_subcommand is not None:
        return
    from tui.run import open_dashboard  # which alone needs Textual

    open_dashboard()
