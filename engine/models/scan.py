"""Finds finished adapters, merged models and GGUF files, and the base that each stands on.

Nothing is loaded: configurations and headers are read, and no length in them is believed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import LoraDeckError, NotFoundError
from engine.language import tr
from engine.models import hub
from engine.models.adapters import CONFIG
from engine.models.bases import Bases
from engine.models.found import FoundModel, ModelScan
from engine.models.scan_adapter import Origin, describe_adapter
from engine.models.scan_model import describe_gguf, describe_model, is_model
from engine.models.walk import Walk
from engine.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from engine.home import Home
    from engine.models.found import FoundPlace

_MOST_FOUND = 2000


def scan_models(
    home: Home,
    folder: Path | None = None,
    tasks: Mapping[str, tuple[str, str]] | None = None,
    walk: Walk | None = None,
) -> ModelScan:
    """Look into the home and the Hugging Face cache, or into one folder alone.

    Args:
        home: Where the bases are looked for, beside the cache.
        folder: The one folder to look into.
        tasks: Name and base model of each task, by id.
        walk: With other limits than usual.

    Raises:
        NotFoundError: There is no such folder.
        LoraDeckError: It is a file.
    """
    walk, bases = walk or Walk(), Bases(home)
    found: list[FoundModel] = []
    for place, at, files in _folders(home, walk, folder):
        described = _describe(at, files, bases, Origin.read(at, tasks or {}))
        found += [_placed(one, place) for one in described]
        if len(found) >= _MOST_FOUND:
            walk.cut_short = tr("only the first {count} are listed", count=_MOST_FOUND)
            break
    return ModelScan(
        found=tuple(found[:_MOST_FOUND]),
        folders=walk.folders,
        unreadable=walk.unreadable,
        links=walk.links,
        cut_short=walk.cut_short,
    )


def _folders(
    home: Home, walk: Walk, folder: Path | None
) -> Iterator[tuple[FoundPlace, Path, list[str]]]:
    """Give every folder to look into with its files, and the place that it belongs to."""
    if folder is not None:
        _check(folder)
        yield from (("folder", at, files) for at, files in walk.through(folder))
        return
    for root in (home.models / "lora", home.models, home.exports):
        if root.is_dir():
            yield from (("home", at, files) for at, files in walk.through(root))
    cache = hub.cache_folder()
    for name in hub.cached_names():
        snapshots = cache / ("models--" + name.replace("/", "--")) / "snapshots"
        if snapshots.is_dir():
            yield from (("cache", at, files) for at, files in walk.through(snapshots, cache))


def _check(folder: Path) -> None:
    """Refuse what is no folder."""
    try:
        if folder.is_dir():
            return
        there = folder.exists()
    except OSError:
        there = False
    if there:
        raise LoraDeckError(
            tr("Not a folder"),
            tr("{folder} is a file.", folder=visible(str(folder))),
            tr("Name the folder that it is in."),
        )
    raise NotFoundError(
        tr("Folder not found"), tr("{folder} does not exist.", folder=visible(str(folder))), ""
    )


def _describe(
    folder: Path, files: list[str], bases: Bases, origin: Origin | None
) -> Iterator[FoundModel]:
    """Describe what lies in one folder; what vanishes meanwhile is not there."""
    try:
        if CONFIG in files:
            yield describe_adapter(folder, files, bases, origin)
        elif is_model(files):
            yield describe_model(folder, bases, origin)
        for name in files:
            if name.lower().endswith(".gguf"):
                one = describe_gguf(folder / name, bases, origin)
                yield from [one] if one else []
    except OSError:
        return


def _placed(found: FoundModel, place: FoundPlace) -> FoundModel:
    """Say where something was found, and call it what the user would; bad names are shown safe."""
    name = found.name
    if place == "cache":
        repository = next(part for part in found.path.split("/") if part.startswith("models--"))
        hub_id = repository.removeprefix("models--").replace("--", "/")
        name = f"{hub_id}/{name}" if found.kind == "gguf" else hub_id
    safe = {"name": visible(name), "path": visible(found.path), "base": visible(found.base)}
    return found.model_copy(update=safe | {"place": place})
