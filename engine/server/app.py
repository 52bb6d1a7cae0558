"""The engine's interface: REST below ``/api/simple-lora``, events as server-sent events."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from engine import __version__
from engine.errors import LoraDeckError
from engine.files import NO_SPACE
from engine.language import tr
from engine.server import (
    book_routes,
    chat_routes,
    dataset_routes,
    engine_routes,
    job_routes,
    managed_routes,
    model_routes,
    openai_routes,
    task_routes,
)
from engine.server.book_service import Books
from engine.server.openai_wire import error_body
from engine.server.speaking import Speaking
from engine.server.wire import PREFIX, ErrorBody
from engine.text import fault_of, visible

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.responses import Response

    from engine.server.service import EngineService


JSON_BYTES = 64_000_000
"""The most that a request's body may hold; the largest row that can be edited fits in."""


class Activity:
    """When a client was last heard of, and how many requests and event streams are open."""

    def __init__(self) -> None:
        self.open = 0
        self.last = time.monotonic()

    async def __call__(
        self, request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        """Count a request in while it is worked on."""
        self.open += 1
        try:
            return await call_next(request)
        finally:
            self.open -= 1
            self.last = time.monotonic()

    @property
    def idle_seconds(self) -> float:
        """Seconds without any client; 0 while a request or an event stream is open."""
        return 0.0 if self.open else time.monotonic() - self.last


def create_app(service: EngineService) -> FastAPI:
    """Build the interface over a service.

    ``app.state.stopping`` is set when a client asks the server to end; streams end with it.
    """
    app = FastAPI(
        title="LoRADeck engine",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=PREFIX + "/openapi.json",
        max_body_size=JSON_BYTES,
        responses={"4XX": {"model": ErrorBody}, "507": {"model": ErrorBody}},
        redirect_slashes=False,
    )
    app.state.service = service
    app.state.stopping = asyncio.Event()
    app.state.books = Books(service.home, lambda: app.state.stopping)
    app.state.activity = Activity()
    app.middleware("http")(app.state.activity)
    app.add_middleware(Speaking)
    datasets = (dataset_routes, managed_routes, book_routes)
    for module in (engine_routes, model_routes, *datasets, task_routes, job_routes, chat_routes):
        app.include_router(module.router, prefix=PREFIX)
    app.include_router(openai_routes.router)
    app.add_exception_handler(LoraDeckError, _refuse)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(OSError, _disk_full)
    app.add_exception_handler(Exception, _fault)
    return app


async def _refuse(request: Request, error: Exception) -> JSONResponse:
    """Answer with an error's words."""
    assert isinstance(error, LoraDeckError)  # noqa: S101 - registered for this class alone
    return _answer(request, error.http_status, error.title, error.message, error.hint)


async def _malformed(request: Request, error: Exception) -> JSONResponse:
    """Answer a body or parameter of the wrong form by naming its place."""
    assert isinstance(error, RequestValidationError)  # noqa: S101
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return _answer(request, 422, tr("Malformed request"), fault_of(place, first["msg"]), "")


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    """Answer an unknown path or method in the same form as everything else."""
    assert isinstance(error, HTTPException)  # noqa: S101
    return _answer(
        request,
        error.status_code,
        tr("Not possible"),
        f"{error.detail}.",
        tr("The paths are in {path}", path=f"{PREFIX}/openapi.json"),
    )


async def _disk_full(request: Request, error: Exception) -> JSONResponse:
    """Answer where the disk filled up in the midst; any other failure is the engine's own."""
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        words = tr("Nothing more can be written: {reason}.", reason=error.strerror)
        hint = tr("Make room, then try again.")
        return _answer(request, 507, tr("Disk full"), words, hint)
    raise error


async def _fault(request: Request, error: Exception) -> JSONResponse:
    """Answer in the same form where the engine itself failed; the server logs it."""
    kind = type(error).__name__
    words = tr("The engine failed ({kind}).", kind=kind), tr("See run/engine.log.")
    return _answer(request, 500, tr("Engine error"), *words)


def _answer(request: Request, status: int, title: str, message: str, hint: str) -> JSONResponse:
    """Build an error answer; in OpenAI's form where its interface was asked."""
    if request.url.path.startswith(openai_routes.router.prefix + "/"):
        # OpenAI's clients know no 422
        status = 400 if status == 422 else status
        words = visible(" ".join(filter(None, (f"{title}: {message}", hint))))
        return JSONResponse(error_body(status, words).model_dump(), status_code=status)
    body = ErrorBody(title=title, message=visible(message), hint=visible(hint))
    return JSONResponse(body.model_dump(), status_code=status)
