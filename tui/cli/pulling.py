"""Fetches a base model that is not ready, with progress."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from engine.errors import LoraDeckError
from engine.language import tr
from engine.text import visible

if TYPE_CHECKING:
    from engine.models.types import ModelInfo
    from engine.server.client import EngineClient

_POLL_SECONDS = 0.3


async def ensure_model(client: EngineClient, name: str, *, quiet: bool) -> ModelInfo:
    """See to it that a base model is ready.

    Raises:
        LoraDeckError: Nothing of that name, or it could not be fetched or converted.
    """
    info = await client.model(name)
    if info.state == "ready":
        return info
    await client.pull(name)
    # On standard error: standard output belongs to what was asked for.
    shown = visible(name)
    console = Console(stderr=True, markup=False, highlight=False, quiet=quiet)
    if not console.is_terminal:
        console.print(tr("Fetching the base model {name} ...", name=shown))
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    ) as bar:
        row = bar.add_task(shown, total=None)
        while (info := await client.model(name)).state not in ("ready", "absent"):
            bar.update(
                row,
                description=tr("{name}: {words}", name=shown, words=tr(info.state)),
                completed=info.progress or 0.0,
                total=None if info.progress is None else 1.0,
            )
            await asyncio.sleep(_POLL_SECONDS)
    if info.state == "absent":
        raise LoraDeckError(
            tr("Base model not fetched"), info.problem or tr("{name} is still not here.", name=name)
        )
    console.print(tr("Base model {name} is ready.", name=shown))
    return info
