"""Which base models can be chosen, and which one a name means."""

from __future__ import annotations

import difflib
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import LoraDeckError, NotFoundError
from engine.language import mark, tr
from engine.models import demo, hub
from engine.models.config import shape_of_gguf
from engine.models.conversion import converted_folder
from engine.models.facts import facts_of_gguf
from engine.models.folders import describe_folder, describe_unweighted, is_complete, read_source
from engine.models.types import ModelInfo, Source
from engine.text import check_utf8, either, fault_of, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engine.home import Home

_NOT_MODELS = {"lora", demo.NAME}
_LIST = mark("List what is at hand: loradeck models")


def list_models(home: Home) -> list[ModelInfo]:
    """List the demo model, the home's models, then those in the Hugging Face cache.

    A broken folder or file in the home is listed as absent, with its ``problem``; in the cache,
    which other programs fill too, only what can be trained is listed.
    """
    return [demo.demo_model(home), *_home_models(home), *_cached_models()]


def find_model(home: Home, name: str) -> ModelInfo:
    """Find what a name means: the demo model, one of the home, a path, a hub id.

    ``demo`` is the demo model whatever lies in the current folder. A hub id that is not in the
    cache is given as absent, without asking the hub.

    Raises:
        NotFoundError: Nothing of that name; the nearest names are given.
        LoraDeckError: The folder or file is there but not usable; says what it lacks.
    """
    if name == demo.NAME:
        return demo.demo_model(home)
    try:
        if (path := _path_meant(home, name)) is not None:
            return _at(home, name, path)
    except OSError as error:
        raise LoraDeckError(
            tr("Model not readable"), fault_of(name, error.strerror or error), tr(_LIST)
        ) from error
    if (cached := hub.cached_model(name)) is not None:
        return cached
    if hub.is_hub_id(name):
        return ModelInfo(
            name=name, source="hub", state="absent", path=None, size_bytes=None, shape=None
        )
    raise _unknown(home, name)


def find_unweighted(home: Home, name: str) -> ModelInfo:
    """Give a folder's model whose weights are not here.

    Raises:
        LoraDeckError: It is no folder, or cannot be planned for either.
    """
    path = _path_meant(home, name)
    if path is None or not path.is_dir():
        raise _unknown(home, name)
    return describe_unweighted(name, path)


def gguf_file(home: Home, name: str) -> Path | None:
    """Give the GGUF file that a name means; ``None`` where it means something else."""
    path = _path_meant(home, name)
    return path if path is not None and path.suffix.lower() == ".gguf" else None


def _home_models(home: Home) -> Iterator[ModelInfo]:
    """Describe the home's own folders, then its GGUF files."""
    try:
        entries = sorted(home.models.iterdir(), key=lambda path: path.name.lower())
    except OSError:
        return
    entries = [path for path in entries if not path.name.startswith(".")]
    files = [path for path in entries if path.is_file() and path.suffix.lower() == ".gguf"]
    copies = {converted_folder(home, file) for file in files}
    for path in entries:
        is_model = path.name not in _NOT_MODELS and (path / "config.json").is_file()
        # The converted copy of a file that is listed itself is not another model.
        if is_model and path not in copies:
            yield _or_problem("home", path, lambda name, at: describe_folder(name, "home", at))
    for file in files:
        yield _or_problem("gguf", file, lambda name, at: _gguf(home, name, at))


def _cached_models() -> Iterator[ModelInfo]:
    """Describe those models of the Hugging Face cache that can be trained."""
    for name in hub.cached_names():
        with suppress(LoraDeckError, OSError):
            if (info := hub.cached_model(name)) is not None:
                yield info


def _or_problem(
    source: Source, path: Path, describe: Callable[[str, Path], ModelInfo]
) -> ModelInfo:
    """Describe a model; where that fails, say why instead."""
    try:
        return describe(check_utf8(path.name), path)
    except (LoraDeckError, OSError) as error:
        problem = error.message if isinstance(error, LoraDeckError) else fault_of(path, error)
        return ModelInfo(
            name=visible(path.name),
            source=source,
            state="absent",
            path=None,
            size_bytes=None,
            shape=None,
            problem=visible(problem),
        )


def _path_meant(home: Home, name: str) -> Path | None:
    """Give the path that a name means, there or not; ``None`` where it means no path."""
    if name.startswith((os.sep, "~", "./", "../")) or name in (".", ".."):
        try:
            return Path(name).expanduser().absolute()
        except RuntimeError:  # ~somebody who has no home
            return Path(name)
    if not name or "/" in name or "\0" in name or name.startswith(".") or name in _NOT_MODELS:
        return None
    own = home.models / name
    return own if len(os.fsencode(name)) < 256 and own.exists() else None


def _at(home: Home, name: str, path: Path) -> ModelInfo:
    """Describe the folder or GGUF file at a path."""
    if path.is_dir():
        own = path.parent == home.models.absolute()
        return describe_folder(name, "home" if own else "folder", path)
    if path.suffix.lower() == ".gguf" and path.is_file():
        return _gguf(home, name, path)
    if path.is_file():
        raise LoraDeckError(
            tr("Not a model"),
            tr("{path} is a file, and not a GGUF file.", path=path),
            tr("Give a model's folder, a .gguf file, or a name from: loradeck models"),
        )
    raise NotFoundError(tr("Model not found"), tr("{path} does not exist.", path=path), tr(_LIST))


def _gguf(home: Home, name: str, file: Path) -> ModelInfo:
    """Describe a GGUF file: ready once its converted copy is there."""
    target = converted_folder(home, file)
    if is_complete(target):
        ready = describe_folder(name, "gguf", target)
        told = {
            "description": read_source(target).get("origin", ""),
            "licence": ready.licence or facts_of_gguf(file)[1],
        }
        return ready.model_copy(update=told)
    template, licence = facts_of_gguf(file)
    return ModelInfo(
        name=name,
        source="gguf",
        state="absent",
        path=None,
        size_bytes=file.stat().st_size,
        shape=shape_of_gguf(file),
        template=template,
        licence=licence,
        description=tr("GGUF file, converted at first use"),
    )


def _unknown(home: Home, name: str) -> NotFoundError:
    """Say that a name is unknown, and which come near."""
    near = nearest(name, [info.name for info in list_models(home)])
    words = tr("There is no base model {name!r}.", name=name)
    if near:
        words += " " + tr("Did you mean {names}?", names=either(near))
    how = tr("A model on the hub is given as org/name, a local one by its path.")
    return NotFoundError(tr("Unknown model"), words, f"{tr(_LIST)}. {how}")


def nearest(name: str, known: list[str]) -> list[str]:
    """Give up to three of the known names that come nearest, also by what follows a slash."""
    spellings = {spelling.lower(): each for each in known for spelling in _spellings(each)}
    found = difflib.get_close_matches(name.lower(), spellings, n=6, cutoff=0.5)
    return list(dict.fromkeys(spellings[spelling] for spelling in found))[:3]


def _spellings(name: str) -> tuple[str, ...]:
    """Give the forms in which a user may think of a name."""
    return (name, name.rpartition("/")[2], *((demo.DESCRIPTION,) if name == demo.NAME else ()))
