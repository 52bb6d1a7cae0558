"""Datasets: list, upload, inspect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path

from fastapi import APIRouter, Request, UploadFile
from fastapi.sse import EventSourceResponse

from engine.data.measure import measure_in_process
from engine.data.scan_process import inspect_in_process, inspect_whole
from engine.data.types import Inspection, Lengths
from engine.errors import LoraDeckError
from engine.home import Home
from engine.language import tr
from engine.models.catalog import find_model
from engine.server.context import Service, until_stopped
from engine.server.dataset_listing import list_datasets
from engine.server.dataset_upload import keep_upload
from engine.server.dataset_wire import InspectRequest, MeasureRequest, ScanStep
from engine.server.reach import InReach, Reach
from engine.server.upload_route import UPLOAD_BYTES, UploadRoute
from engine.server.wire import STREAM_ERRORS, DatasetInfo, ErrorBody
from engine.text import visible

router = APIRouter(tags=["datasets"])
uploads = APIRouter(tags=["datasets"], route_class=UploadRoute)


@router.get("/datasets")
async def datasets(service: Service, reach: InReach) -> list[DatasetInfo]:
    """The datasets in the home, the samples, and to the user those that tasks were made of."""
    tasks = sorted(service.store.all(), key=lambda task: task.created_at, reverse=True)
    used = () if reach.remote else [task.dataset_file for task in tasks]
    return await list_datasets(service.home, used)


@router.post("/datasets/inspect")
async def inspect(service: Service, reach: InReach, body: InspectRequest) -> Inspection:
    """Detect a dataset's format and check its rows; waits until all are looked at."""
    return await inspect_whole(service.home.cache, reach.dataset(body.path), body.mapping)


@router.post("/datasets/scan", response_class=EventSourceResponse, responses=STREAM_ERRORS)
async def scan(
    service: Service, reach: InReach, request: Request, body: InspectRequest
) -> AsyncIterator[ScanStep]:
    """Do so with an event every 0.3 s; the last one has the inspection, or the error.

    Closing the stream ends the scan.
    """
    async with aclosing(_steps(service.home, reach, body)) as steps:
        async for step in until_stopped(request, steps):
            yield step


@router.post("/datasets/measure")
async def measure(service: Service, reach: InReach, body: MeasureRequest) -> Lengths:
    """Count the tokens with a base model's own template and tokenizer."""
    path = reach.dataset(body.path)
    model = await asyncio.to_thread(find_model, service.home, reach.model(body.model))
    if model.state != "ready" or model.path is None:
        raise LoraDeckError(
            tr("Base model not ready"),
            tr("'{name}' is not on this machine yet.", name=model.name),
            tr("Fetch it with: loradeck models pull {name}", name=model.name),
        )
    inspection = await inspect_whole(service.home.cache, path, body.mapping)
    return await measure_in_process(
        path,
        Path(model.path),
        cache=service.home.cache,
        inspection=inspection,
        mapping=body.mapping,
        context=model.shape.context if model.shape else None,
    )


@uploads.post("/upload-dataset", status_code=201, max_body_size=UPLOAD_BYTES)
async def upload(service: Service, file: UploadFile) -> DatasetInfo:
    """Keep a dataset in the home; one that cannot train is refused and leaves nothing behind."""
    return await keep_upload(service.home, file.filename or "", file.file)


async def _steps(home: Home, reach: Reach, body: InspectRequest) -> AsyncGenerator[ScanStep, None]:
    """Scan; an error becomes the last event, since the answer has begun."""
    try:
        path = reach.dataset(body.path)
        async with aclosing(inspect_in_process(home.cache, path, body.mapping)) as scans:
            async for scanning in scans:
                yield ScanStep(scanning=scanning)
    except LoraDeckError as error:
        words = ErrorBody(
            title=error.title, message=visible(error.message), hint=visible(error.hint)
        )
        yield ScanStep(error=words, status=error.http_status)


router.include_router(uploads)
