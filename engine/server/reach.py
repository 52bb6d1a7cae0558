"""What a client may name: its user's own processes any path, over the network the home's alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

from fastapi import Depends, Request

import sample_datasets
from engine.data.containers.hub import is_hub_id
from engine.data.words import shown
from engine.errors import ForbiddenError, LoraDeckError
from engine.language import tr
from engine.server.gate import REMOTE
from engine.server.wire import PlanRequest

if TYPE_CHECKING:
    from engine.home import Home
    from engine.results.export.types import DeployRequest, ExportRequest

_Plan = TypeVar("_Plan", bound=PlanRequest)
_PATH_BYTES = 4096  # Linux' PATH_MAX; others take less and say so


class Reach:
    """Checks the names and paths of one request.

    Args:
        home: The home behind the request.
        remote: Whether it came over the network.
    """

    def __init__(self, home: Home, *, remote: bool) -> None:
        self._home = home
        self.remote = remote

    def dataset(self, path: str) -> Path:
        """Check the path of a dataset to read.

        Raises:
            LoraDeckError: It is relative, or no path.
            ForbiddenError: Over the network: it is no dataset of the home and no sample.
        """
        there = absolute(path)
        if not self.remote:
            return there
        resolved = there.resolve()
        samples = Path(str(sample_datasets.__file__)).parent
        for folder in (self._home.datasets.resolve(), samples.resolve()):
            inside = resolved != folder and resolved.is_relative_to(folder)
            # What is hidden there is still being written
            if inside and not resolved.relative_to(folder).parts[0].startswith("."):
                return resolved
        raise ForbiddenError(
            tr("Dataset out of reach"),
            tr(
                "Over the network only datasets of the home can be named, not {path}.",
                path=shown(path),
            ),
            tr("Upload it: POST upload-dataset"),
        )

    def dataset_source(self, name: str) -> str:
        """Check what is to be copied into the home: over the network, what the hub has.

        Raises:
            ForbiddenError: Over the network: it is a path.
        """
        if is_hub_id(name):
            return name
        if self.remote:
            raise ForbiddenError(
                tr("Path out of reach"),
                tr("Over the network no path can be added, such as {name}.", name=shown(name)),
                tr("Upload it: POST upload-dataset"),
            )
        return str(absolute(name))

    def model(self, name: str) -> str:
        """Check the name of a base model.

        Raises:
            ForbiddenError: Over the network: it is a path.
        """
        if self.remote and name.startswith((os.sep, "~", ".")):
            raise ForbiddenError(
                tr("Model out of reach"),
                tr(
                    "Over the network base models go by name, not by path: {name}.",
                    name=shown(name),
                ),
                tr("Take a name from: GET models"),
            )
        return name

    def folder(self, path: str) -> Path:
        """Check the path of a folder to look into.

        Raises:
            LoraDeckError: It is relative, or no path.
            ForbiddenError: Over the network: any path.
        """
        if self.remote:
            raise ForbiddenError(
                tr("Folder out of reach"),
                tr("Over the network no folder can be named, such as {path}.", path=shown(path)),
                tr("Leave the path empty: the home and the cache are looked into."),
            )
        return absolute(path)

    def plan(self, request: _Plan) -> _Plan:
        """Check what a plan is made from, and give the request with it.

        Raises:
            LoraDeckError: As ``dataset`` and ``model``.
        """
        dataset, model = self.dataset(request.dataset_file), self.model(request.base_model)
        return request.model_copy(update={"dataset_file": str(dataset), "base_model": model})

    def adapter(self, source: str) -> str:
        """Check what names an adapter: a task, its own name, or its folder.

        Raises:
            LoraDeckError: It is a relative path.
            ForbiddenError: Over the network: it is a path.
        """
        if "/" not in source and not source.startswith(("~", ".")):
            return source
        if self.remote:
            raise ForbiddenError(
                tr("Adapter out of reach"),
                tr(
                    "Over the network adapters go by name, not by path: {source}.",
                    source=shown(source),
                ),
                tr("Take a task or a name from: GET tasks"),
            )
        return str(absolute(source))

    def export(self, request: ExportRequest) -> ExportRequest:
        """Check what is exported and where to, and give the request with it.

        Raises:
            LoraDeckError: As ``adapter``, or the folder is relative.
            ForbiddenError: Over the network: it names a folder.
        """
        if request.out and self.remote:
            raise ForbiddenError(
                tr("Folder out of reach"),
                tr(
                    "Over the network exports go into the home, not to {path}.",
                    path=shown(request.out),
                ),
                tr("Leave the folder empty."),
            )
        out = str(absolute(request.out)) if request.out else ""
        return request.model_copy(update={"source": self.adapter(request.source), "out": out})

    def deploy(self, request: DeployRequest) -> DeployRequest:
        """Check what is deployed and where to, and give the request with it.

        Raises:
            LoraDeckError: As ``adapter``.
            ForbiddenError: Over the network: it names a host, which the engine would then ask.
        """
        if request.host and self.remote:
            raise ForbiddenError(
                tr("Host out of reach"),
                tr(
                    "Over the network no host can be named, such as {host}.",
                    host=shown(request.host),
                ),
                tr("Leave it empty: the engine reaches its own Ollama."),
            )
        return request.model_copy(update={"source": self.adapter(request.source)})

    def local_only(self, words: str) -> None:
        """Refuse what only the user on this machine may do, in words that say so.

        Raises:
            ForbiddenError: The request came over the network.
        """
        if self.remote:
            raise ForbiddenError(tr("Not over the network"), words)


async def _reach(request: Request) -> Reach:
    """Give what the client behind a request may name."""
    home: Home = request.app.state.service.home
    return Reach(home, remote=bool(request.scope.get("state", {}).get(REMOTE)))


InReach = Annotated[Reach, Depends(_reach)]


def absolute(path: str) -> Path:
    """Refuse a path that would mean something else to the server than to its client, or nothing.

    Raises:
        LoraDeckError: It is relative, far too long, or holds a zero character.
    """
    if "\0" in path or len(path.encode(errors="replace")) > _PATH_BYTES:
        raise LoraDeckError(
            tr("No path"),
            tr("'{path}' cannot be a path.", path=shown(path[:80])),
            tr("Give the interface another."),
        )
    if not Path(path).is_absolute():
        raise LoraDeckError(
            tr("Path not absolute"),
            tr("'{path}' is a relative path.", path=shown(path)),
            tr("Give the interface the whole path."),
        )
    return Path(path)
