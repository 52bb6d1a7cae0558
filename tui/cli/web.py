"""``loradeck web``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from engine.errors import LoraDeckError
from engine.language import tr

EXAMPLE = "Example: loradeck web --port 8000"
_HERE = ("127.0.0.1", "localhost")


def web(
    *,
    port: Annotated[int, typer.Option(min=1024, max=65535, help="The port to listen on.")] = 8000,
    host: Annotated[
        str, typer.Option(help="127.0.0.1 alone; from elsewhere it is reached through ssh.")
    ] = "127.0.0.1",
) -> None:
    """Show the dashboard in a browser, on this machine alone, until Ctrl-C."""
    if host not in _HERE:
        raise LoraDeckError(
            tr("Host not served"),
            tr(
                "The dashboard in a browser can do whatever you can, unencrypted: it listens on"
                " 127.0.0.1 alone."
            ),
            tr(
                "Reach it from elsewhere with: ssh -L {port}:127.0.0.1:{port} USER@THIS-MACHINE",
                port=port,
            ),
        )
    try:
        from tui.web import serve
    except ImportError as error:
        raise LoraDeckError(
            tr("Package missing"),
            tr(
                "The dashboard in a browser needs textual-serve ({package} is missing).",
                package=error.name,
            ),
            f"{sys.executable} -m pip install 'loradeck[web]'",
        ) from error
    serve(port)
