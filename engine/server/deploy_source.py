"""Finds what a deployment is about, and refuses what cannot be done before it begins."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from engine.language import tr
from engine.results.export.inputs import ExportInputs
from engine.results.export.sizes import gguf_size
from engine.results.export.types import ExportRequest
from engine.results.ollama.host import base_url
from engine.results.ollama.inputs import DeployInputs
from engine.results.ollama.names import check_model_name, default_name
from engine.server.export_source import prepare_export
from engine.text import visible

if TYPE_CHECKING:
    from engine.home import Home
    from engine.jobs.spec import JobSpec
    from engine.results.export.types import DeployRequest
    from engine.tasks.store import TaskStore

_PLACE = ".ollama-"
_PATIENCE = 15.0
"""Seconds after which an Ollama that does not answer is given up, before anything has begun."""


def prepare_deploy(home: Home, store: TaskStore, request: DeployRequest) -> JobSpec:
    """Resolve everything that a deployment needs, and look whether Ollama can take it.

    Raises:
        NotFoundError: There is no such adapter, or its base is not here.
        ConflictError: Its task has not ended, or the name is taken at Ollama.
        DiskFullError: Ollama is on this machine, and its disk has too little room.
        LoraDeckError: As for an export; a name that Ollama would refuse; Ollama is absent or old.
    """
    url = base_url(request.host)
    if request.name:
        check_model_name(request.name)
    spec = prepare_export(
        home,
        store,
        ExportRequest(
            source=request.source,
            quantize=request.quantize,
            out=str(home.export(_PLACE)),
            force=request.force,
        ),
    )
    export = ExportInputs.model_validate(spec.inputs)
    name = request.name or default_name(export.name)
    wanted = request.model_copy(update={"name": name, "host": url})
    _check_ollama(wanted, gguf_size(export.parameters, request.quantize))
    return spec.model_copy(
        update={
            "kind": "deploy",
            "request": request,
            "title": tr(
                "{adapter} to Ollama as {name} ({kind})",
                adapter=visible(export.name),
                name=name,
                kind=request.quantize,
            ),
            # Never made: the job writes beside it, and two for one model are one too many
            "target": str(home.export(_PLACE + re.sub(r"[^\w.-]", "-", name.lower())[-80:])),
            "inputs": DeployInputs(export=export, request=wanted).model_dump(mode="json"),
        }
    )


def _check_ollama(request: DeployRequest, size: int) -> None:
    """Look whether Ollama is there, and can take a model of that name and size."""
    from engine.results.ollama.server import OllamaServer  # its client takes a while to import

    with OllamaServer(request.host, _PATIENCE) as server:
        server.check()
        server.check_free(request.name, replace=request.replace)
        server.check_room(size)
