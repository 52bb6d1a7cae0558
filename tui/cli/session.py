"""Runs one conversation with the engine from a command."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from engine.home import Home
from engine.server.client import EngineClient

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")


def with_engine(talk: Callable[[EngineClient], Awaitable[T]]) -> T:
    """Connect to the home's engine, starting it where none runs, and talk to it."""

    async def session() -> T:
        async with EngineClient(Home.locate()) as client:
            await client.connect()
            return await talk(client)

    return asyncio.run(session())


def absolute(path: str) -> str:
    """Make a path that the user typed mean the same to the engine."""
    return str(Path(path).expanduser().absolute())


def model_name(given: str) -> str:
    """Make a model that is named by an existing path absolute; leave names as they are."""
    path = Path(given).expanduser()
    looks_like_path = given.startswith((".", "/", "~")) or given.endswith(".gguf")
    return str(path.absolute()) if looks_like_path or _is_model_folder(path) else given


def _is_model_folder(path: Path) -> bool:
    """Tell whether a bare word names a model's folder here, rather than a model of the home."""
    return (path / "config.json").is_file()
