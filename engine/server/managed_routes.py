"""Datasets of the home: find one by name, add, remove; and export any."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter

from engine.language import tr
from engine.server.book_wire import AddRequest, Exported, ExportRequest, FoundDataset
from engine.server.context import Service
from engine.server.managed import add_dataset, export_dataset, find_dataset, remove_dataset
from engine.server.reach import InReach
from engine.server.wire import DatasetInfo

router = APIRouter(tags=["datasets"])


@router.get("/datasets/find")
async def find(service: Service, name: str) -> FoundDataset:
    """Find a dataset of the home, or a sample, by its name."""
    return await asyncio.to_thread(find_dataset, service.home, name)


@router.post("/datasets/add", status_code=201)
async def add(service: Service, reach: InReach, body: AddRequest) -> DatasetInfo:
    """Copy a dataset into the home, once it was looked at."""
    return await add_dataset(service.home, reach.dataset_source(body.path), body.name)


@router.post("/datasets/export", status_code=201)
async def export(reach: InReach, body: ExportRequest) -> Exported:
    """Write a dataset to a file in another format."""
    reach.local_only(tr("Datasets are exported only on the engine's own machine."))
    return await export_dataset(body)


@router.delete("/datasets/{name:path}", status_code=204)
async def remove(service: Service, name: str) -> None:
    """Remove a dataset of the home, unless a task still reads it."""
    await asyncio.to_thread(remove_dataset, service.home, service.store.all(), name)
