"""``loradeck engine`` and ``loradeck doctor``."""

from __future__ import annotations

import asyncio
import datetime
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.cells import set_cell_size

from engine.doctor import check
from engine.doctor.check import ok
from engine.doctor.leftovers import clean as clean_up
from engine.errors import EngineUnavailableError, LoraDeckError
from engine.home import Home
from engine.language import mark, tr
from engine.locks import holder
from engine.server.client import EngineClient
from engine.server.foreground import command
from engine.server.main import LOCK
from engine.server.stop import stop_server
from engine.server.token import Token
from engine.server.wire import EngineInfo
from tui.cli.output import Json, print_json, print_text

if TYPE_CHECKING:
    from collections.abc import Iterator

_STATUS = 8
"""The columns in which a check's status stands."""

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
        print_text("\n".join(_state(info)))


@app.command(epilog="Example: loradeck engine serve --tcp 127.0.0.1:8600")
def serve(
    *,
    tcp: Annotated[
        str,
        typer.Option(metavar="HOST:PORT", help="Offer the interface there too, to the token."),
    ] = "",
    allow_remote: Annotated[
        bool,
        typer.Option(
            "--allow-remote", help="Let HOST be reached from other machines, unencrypted."
        ),
    ] = False,
) -> None:
    """Serve this home in the foreground until Ctrl-C, also when idle; for a terminal or systemd."""
    home = Home.locate().prepare()
    if tcp:
        _prepare_network(Token(home.token_file), allow_remote=allow_remote)
    arguments = command(home, tcp, anywhere=allow_remote)
    os.chdir(home.root)
    os.execv(arguments[0], arguments)  # noqa: S606 - no shell is wanted


@app.command(epilog="Example: loradeck engine token --revoke")
def token(
    *,
    revoke: Annotated[
        bool, typer.Option("--revoke", help="Make none: let nobody in over the network.")
    ] = False,
    json: Json = False,
) -> None:
    """Make a new token for the interface over the network; the old one ends at once."""
    kept = Token(Home.locate().prepare().token_file)
    if revoke:
        revoked = kept.revoke()
        if json:
            print_json({"revoked": revoked})
        else:
            print_text(tr("Revoked.") if revoked else tr("There was no token."))
        return
    made = kept.make()
    if json:
        print_json({"token": made})
    else:
        print_text(_shown_once(made))


@app.command(epilog="Example: loradeck engine stop")
def stop(*, json: Json = False) -> None:
    """End the engine server; running trainings go on, the next engine adopts them."""
    stopped = asyncio.run(stop_server(Home.locate()))
    if json:
        print_json({"stopped": stopped})
    else:
        print_text(tr("Stopped.") if stopped else tr("No engine was running."))


def doctor(
    *,
    clean: Annotated[
        bool, typer.Option("--clean", help="Remove what crashes left behind, then check.")
    ] = False,
    json: Json = False,
) -> None:
    """Check this installation: versions, GPU, disk, permissions, leftovers; with what to do."""
    home = Home.locate()
    removed = [ok(mark("removed"), str(path)) for path in clean_up(home)] if clean else []
    checks = [*removed, *check(home)]
    if json:
        print_json(checks)
    else:
        for item in checks:
            words = tr("{name}: {words}", name=tr(item.name), words=item.detail)
            print_text(f"{set_cell_size(tr(item.status), _STATUS)} {words}")
            if item.hint:
                print_text(f"{'':{_STATUS}} {item.hint}")
    if any(item.status == "problem" for item in checks):
        raise typer.Exit(1)


def _state(info: EngineInfo) -> Iterator[str]:
    """Say what the engine is, and what it does."""
    since = datetime.datetime.fromtimestamp(info.started_at).astimezone()
    yield tr(
        "Engine {version}, process {pid}, since {since:%Y-%m-%d %H:%M:%S}",
        version=info.version,
        pid=info.pid,
        since=since,
    )
    yield tr("home: {path}", path=info.home)
    running, pending = info.tasks_running, info.tasks_pending
    yield tr("tasks: {running} running, {pending} pending", running=running, pending=pending)
    yield tr("spare worker: ready") if info.spare_ready else tr("spare worker: none ready")
    if info.network:
        yield tr("network: {address}, with the token", address=info.network)


def _prepare_network(token: Token, *, allow_remote: bool) -> None:
    """Make the token where there is none, and warn of what is not encrypted."""
    if not token.exists:
        if not sys.stdout.isatty():
            raise LoraDeckError(
                tr("No token yet"),
                tr("The interface over the network needs a token, and this output may be kept."),
                tr("Make one first: loradeck engine token"),
            )
        print_text(_shown_once(token.make()))
    if allow_remote:
        typer.echo(
            tr(
                "Warning: the token and all data cross the network unencrypted. Whoever reads them"
                " can use this engine. Better: 127.0.0.1 with ssh -L, or a proxy with TLS."
            ),
            err=True,
        )


def _shown_once(token: str) -> str:
    """Say a token, and how it is used."""
    shown = tr("Token, shown this once: {token}", token=token)
    return shown + "\n" + tr("Send it as the header: Authorization: Bearer TOKEN")


def _silence() -> str:
    """Say why no engine answers."""
    home = Home.locate()
    if (pid := holder(home.run / LOCK)) is None:
        return tr("No engine runs for {home}.", home=home.root)
    return tr(
        "Process {pid} does not answer for {home}. End it with: loradeck engine stop",
        pid=pid,
        home=home.root,
    )


async def _info() -> EngineInfo | None:
    """Ask the running server, of whatever version, for its state."""
    async with EngineClient(Home.locate()) as client:
        try:
            return await client.info()
        except EngineUnavailableError:
            return None
