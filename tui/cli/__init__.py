"""The command line: ``loradeck`` opens the dashboard, ``loradeck COMMAND`` does one thing."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Annotated, Any

import typer

from engine import __version__
from engine.errors import LoraDeckError
from engine.text import visible
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
from tui.cli.output import print_error

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
    # Textual draws on standard error, or for a browser, as ``loradeck web`` asks it to.
    browser = "TEXTUAL_DRIVER" in os.environ
    if not browser and not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise LoraDeckError(
            "No terminal",
            "The dashboard needs a terminal to draw on.",
            "For scripts there are commands: loradeck --help",
        )
    from engine.home import Home
    from tui.run import run_dashboard

    run_dashboard(Home.locate())


def _print_fault(*fault: Any) -> None:
    """Print a traceback whose words may come from a file or a model."""
    sys.stderr.write(visible("".join(traceback.format_exception(*fault))))


def main() -> None:
    """Run the command line; what the user can mend ends with its words and exit status 2."""
    sys.excepthook = _print_fault
    try:
        app()
    except LoraDeckError as error:
        print_error(error)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of a pipe went away: nothing to tell it
        sys.exit(1)
