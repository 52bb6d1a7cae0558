"""Refuse an upload that is too large before any of it is read."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from engine.errors import DiskFullError
from engine.files import NO_SPACE
from engine.language import tr
from engine.text import human_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from fastapi import Request, Response

    from engine.home import Home

UPLOAD_BYTES = 20_000_000_000
"""The most that one upload may hold. Larger datasets are named by their path, or put in place."""
_ROOM_LEFT = 100_000_000


class UploadRoute(APIRoute):
    """Looks at the length of an upload first, and at the disk: it is spooled, then kept."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Put the check before the reading of the form."""
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            home: Home = request.app.state.service.home
            _check(home, request.headers.get("content-length", ""))
            try:
                return await handle(request)
            except HTTPException as error:
                cause = error.__cause__
                if isinstance(cause, OSError) and cause.errno in NO_SPACE:
                    raise _full(home, 0) from error
                raise

        return checked


def _check(home: Home, length: str) -> None:
    """Refuse an upload without a length, or one that the disk has no room for."""
    if not (length.isascii() and length.isdigit() and len(length) < 20):
        raise HTTPException(411, tr("An upload needs the header Content-Length"))
    size = int(length)
    if size > UPLOAD_BYTES:
        raise HTTPException(
            413, tr("An upload holds at most {size}", size=human_bytes(UPLOAD_BYTES))
        )
    if shutil.disk_usage(home.root).free < 2 * size + _ROOM_LEFT:
        raise _full(home, size)


def _full(home: Home, size: int) -> DiskFullError:
    """Say that there is too little room."""
    words = tr("There is too little room in {folder}.", folder=home.root)
    if size:
        words = tr(
            "There is too little room in {folder}. Twice the {size} are needed for a moment.",
            folder=home.root,
            size=human_bytes(size),
        )
    return DiskFullError(
        tr("Disk full"),
        words,
        tr("Remove what you do not need, then upload again."),
    )
