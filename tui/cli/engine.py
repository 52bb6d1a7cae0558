"""``loradeck engine`` and ``loradeck doctor``."""

from __future__ import annotations

import asyncio
import datetime
from typing import Annotated

import typer

from engine.doctor import check
from engine.doctor.check import ok
from engine.doctor.leftovers import clean as clean_up
from engine.errors import EngineUnavailableError
from engine.home import Home
from engine.locks import holder
from engine.server.client import EngineClient
from engine.server.main import LOCK
from engine.server.stop import stop_server
from engine.server.wire import EngineInfo
from tui.cli.output import Json, print_json, print_text

app = typer.Typer(
    help="The engine server of this home.",
    no_args_is_help=True,
    epilog="Example: loradeck engine status",
)


@app.command(epilog="Example: loradeck engine status --json")
def status(*, json: Json = False) -> None:
    """Tell whether the engine server runs, and what it does; starts nothing."""
    info = asyncio.run(_info())
    if json:
        print_json({"running": info is not None, **(info.model_dump() if info else {})})
    elif info is None:
        print_text(_silence())
    else:
        since = datetime.datetime.fromtimestamp(info.started_at).astimezone()
        print_text(
            f"Engine {info.version}, process {info.pid}, since {since:%Y-%m-%d %H:%M:%S}\n"
            f"home: {info.home}\ntasks: {info.tasks_running} running, "
            f"{info.tasks_pending} pending\n"
            f"spare worker: {'ready' if info.spare_ready else 'none ready'}"
        )


@app.command(epilog="Example: loradeck engine stop")
def stop(*, json: Json = False) -> None:
    """End the engine server; running trainings go on, the next engine adopts them."""
    stopped = asyncio.run(stop_server(Home.locate()))
    if json:
        print_json({"stopped": stopped})
    else:
        print_text("Stopped." if stopped else "No engine was running.")


def doctor(
    *,
    clean: Annotated[
        bool, typer.Option("--clean", help="Remove what crashes left behind, then check.")
    ] = False,
    json: Json = False,
) -> None:
    """Check this installation: versions, GPU, disk, permissions, leftovers; with what to do."""
    home = Home.locate()
    removed = [ok("removed", str(path)) for path in clean_up(home)] if clean else []
    checks = [*removed, *check(home)]
    if json:
        print_json(checks)
    else:
        for item in checks:
            print_text(f"{item.status:8} {item.name}: {item.detail}")
            if item.hint:
                print_text(f"         {item.hint}")
    if any(item.status == "problem" for item in checks):
        raise typer.Exit(1)


def _silence() -> str:
    """Say why no engine answers."""
    home = Home.locate()
    if (pid := holder(home.run / LOCK)) is None:
        return f"No engine runs for {home.root}."
    return f"Process {pid} does not answer for {home.root}. End it with: loradeck engine stop"


async def _info() -> EngineInfo | None:
    """Ask the running server, of whatever version, for its state."""
    async with EngineClient(Home.locate()) as client:
        try:
            return await client.info()
        except EngineUnavailableError:
            return None
