"""Fetches a base model that is not ready, with progress."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from engine.errors import LoraDeckError
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
        console.print(f"Fetching the base model {shown} ...")
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
                description=f"{shown}: {info.state}",
                completed=info.progress or 0.0,
                total=None if info.progress is None else 1.0,
            )
            await asyncio.sleep(_POLL_SECONDS)
    if info.state == "absent":
        raise LoraDeckError("Base model not fetched", info.problem or f"{name} is still not here.")
    console.print(f"Base model {shown} is ready.")
    return info
