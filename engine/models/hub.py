"""The Hugging Face hub: what its cache on this machine holds, and fetching from it."""

from __future__ import annotations

import fnmatch
import os
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import LoraDeckError, NotFoundError
from engine.language import tr
from engine.models.architecture import check_architecture
from engine.models.config import read_config
from engine.models.disk import require_space, size_while_written, watch_growth
from engine.models.folders import check_folder, describe_folder, is_complete

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.models.types import ModelInfo, Report

# Weights as safetensors, configuration, tokenizer and chat template: nothing that can run code.
# Not its folders either: they hold the same model for other programs (onnx, original).
_WANTED = ["*.safetensors", "*.json", "*.jinja", "*.model", "merges.txt", "vocab.txt", "README.md"]
_UNWANTED = ["*/*", "consolidated*", "training_args*"]
_ID = re.compile(r"[A-Za-z0-9](?:[\w.-]*\w)?(?:/[A-Za-z0-9_](?:[\w.-]*\w)?)?", re.ASCII)


def is_hub_id(name: str) -> bool:
    """Tell whether a name may be one on the hub: ``org/name``."""
    return (
        "/" in name
        and len(name) <= 96
        and "--" not in name
        and ".." not in name
        and _ID.fullmatch(name) is not None
    )


def cache_folder() -> Path:
    """Give the cache's place, as huggingface_hub finds it, but at each call anew."""
    env = os.environ
    given = env.get("HF_HUB_CACHE") or env.get("HUGGINGFACE_HUB_CACHE")
    if given:
        return Path(os.path.expandvars(given)).expanduser()
    home = env.get("HF_HOME") or str(Path(env.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface")
    return Path(os.path.expandvars(home)).expanduser() / "hub"


def cached_names() -> list[str]:
    """Name all repositories of models in the cache, complete or not."""
    try:
        folders = sorted(cache_folder().glob("models--*"))
    except OSError:
        return []
    return [folder.name.removeprefix("models--").replace("--", "/") for folder in folders]


def cached_snapshot(name: str) -> Path | None:
    """Find the files of a cached model; ``None`` where it is missing or not complete."""
    if _ID.fullmatch(name) is None:
        return None
    repository = _repository(name)
    try:
        commit = (repository / "refs" / "main").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    snapshot = repository / "snapshots" / commit
    return snapshot if re.fullmatch(r"\w+", commit) and is_complete(snapshot) else None


def cached_model(name: str) -> ModelInfo | None:
    """Describe a cached model that is complete."""
    snapshot = cached_snapshot(name)
    return describe_folder(name, "cache", snapshot) if snapshot else None


def fetch(name: str, report: Report) -> None:
    """Download a model from the hub into its cache, unless it is there.

    Raises:
        NotFoundError: There is no such model, or it is not public.
        DiskFullError: The cache's disk has too little room.
        LoraDeckError: No network, access refused, or no safetensors in it.
    """
    from huggingface_hub import snapshot_download

    if cached_snapshot(name):
        return
    report("downloading", None)
    with _in_words(name):
        size, blobs = _size_to_fetch(name), _repository(name) / "blobs"
        _refuse_untrainable(name)
        require_space(cache_folder(), size - size_while_written(blobs))
        with watch_growth(blobs, size, report):
            snapshot_download(name, allow_patterns=_WANTED, ignore_patterns=_UNWANTED)
    check_folder(cached_snapshot(name) or _newest_snapshot(name))


def _refuse_untrainable(name: str) -> None:
    """Look at the configuration alone, before gigabytes of weights that would be of no use."""
    from huggingface_hub import snapshot_download

    folder = Path(snapshot_download(name, allow_patterns=["config.json"]))
    check_architecture(folder, read_config(folder))


def _repository(name: str) -> Path:
    """Give a model's folder in the cache."""
    return cache_folder() / ("models--" + name.replace("/", "--"))


def _newest_snapshot(name: str) -> Path:
    """Give the snapshot just fetched, so that its check says what it lacks."""
    return max((_repository(name) / "snapshots").iterdir(), key=lambda path: path.stat().st_mtime)


def _size_to_fetch(name: str) -> int:
    """Ask the hub for the files; sum up those that are wanted, in bytes."""
    from huggingface_hub import HfApi

    siblings = HfApi().model_info(name, files_metadata=True).siblings or []
    sizes = {file.rfilename: file.size or 0 for file in siblings}
    wanted = [path for path in sizes if _matches(path, _WANTED) and not _matches(path, _UNWANTED)]
    if not any(path.endswith(".safetensors") for path in wanted):
        raise LoraDeckError(
            tr("No safetensors in this model"),
            tr("{name} has no safetensors weights, and pickled ones can run code.", name=name),
            tr("Choose a safetensors version of it, or download its GGUF file and give its path."),
        )
    return sum(sizes[path] for path in wanted)


def _matches(path: str, patterns: list[str]) -> bool:
    """Tell whether a file's path fits one of the patterns, as the hub's client understands them."""
    return any(fnmatch.fnmatch(path, pattern) for pattern in patterns)


@contextmanager
def _in_words(name: str) -> Iterator[None]:
    """Turn what huggingface_hub raises into words for the user."""
    from huggingface_hub.errors import (  # type: ignore[attr-defined]
        GatedRepoError,
        HfHubHTTPError,
        HTTPError,  # of whichever HTTP library this version of the client uses
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    try:
        yield
    except GatedRepoError as error:
        raise LoraDeckError(
            tr("Access not granted"),
            tr("{name} asks for its licence to be accepted first.", name=name),
            tr(
                "Accept it at https://huggingface.co/{name} and log in with: hf auth login",
                name=name,
            ),
        ) from error
    except RepositoryNotFoundError as error:
        raise NotFoundError(
            tr("Model not on the hub"),
            tr("The hub knows no public model {name}.", name=name),
            tr("Check its name; for a private one log in with: hf auth login"),
        ) from error
    except OfflineModeIsEnabled as error:
        raise LoraDeckError(
            tr("Hub switched off"),
            tr("HF_HUB_OFFLINE is set."),
            tr("Unset it, or choose a model at hand."),
        ) from error
    except HfHubHTTPError as error:
        raise LoraDeckError(
            tr("Hub refused the download"), f"{name}: {error}", tr("Try again later.")
        ) from error
    except (HTTPError, OSError) as error:
        raise LoraDeckError(
            tr("Hub not reachable"),
            tr("{name} cannot be downloaded: {error}.", name=name, error=error),
            tr(
                "Check the network (proxy, HF_ENDPOINT), or choose a model at hand: loradeck models"
            ),
        ) from error
