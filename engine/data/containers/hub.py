"""Fetch a dataset from the Hugging Face hub: its data files alone, never a script."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.data.words import shown
from engine.errors import LoraDeckError, NotFoundError
from engine.language import tr
from engine.models.disk import require_space, size_while_written, watch_growth
from engine.models.hub import is_hub_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["fetch_dataset", "fetched_dataset", "is_hub_id"]

# Of the first of these kinds that a repository has, all files are fetched
_KINDS = (
    re.compile(r".*\.parquet"),
    re.compile(r".*\.(?:jsonl|ndjson|json)(?:\.gz|\.zst)?"),
    re.compile(r".*\.(?:csv|tsv)(?:\.gz|\.zst)?"),
    re.compile(r".*\.arrow"),
)
_ABOUT = re.compile(r"(?:.*/)?(?:dataset_infos?|dataset_dict|state|config|metadata)\.json|\..*")
_COMPLETE = ".complete"
"""A hidden file that is written last."""


def fetched_dataset(datasets: Path, name: str) -> Path | None:
    """Find a dataset of the hub that was fetched whole, without asking the network.

    Args:
        datasets: The home's folder for datasets.
        name: ``owner/name`` on the hub.
    """
    folder = _folder(datasets, name)
    return folder if (folder / _COMPLETE).is_file() else None


def fetch_dataset(datasets: Path, name: str, report: Callable[[float | None], None]) -> Path:
    """Download a dataset's files, unless they are there; give their folder, for ``open_source``.

    Args:
        datasets: The home's folder for datasets.
        name: ``owner/name`` on the hub.
        report: Takes the share that is done, 0 to 1; ``None`` while it is not known.

    Raises:
        NotFoundError: There is no such dataset, or it is not public.
        DiskFullError: The disk has too little room.
        LoraDeckError: No id of the hub, no network, access refused, or no data files in it.
    """
    if not is_hub_id(name):
        raise NotFoundError(
            tr("Not a dataset of the hub"),
            tr("'{name}' is no owner/name.", name=shown(name)),
            tr("Check its name."),
        )
    if there := fetched_dataset(datasets, name):
        return there
    report(None)
    folder = _folder(datasets, name)
    with _in_words(name):
        _download(name, folder, report)
    return folder


def _download(name: str, folder: Path, report: Callable[[float | None], None]) -> None:
    """Fetch the wanted files of the present version."""
    from huggingface_hub import HfApi, snapshot_download

    info = HfApi().dataset_info(name, files_metadata=True)
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or []}
    wanted = _wanted(name, list(sizes))
    size = sum(sizes[file] for file in wanted)
    require_space(folder, size - size_while_written(folder))
    with watch_growth(folder, size, lambda _, share: report(share)):
        snapshot_download(
            name,
            repo_type="dataset",
            revision=info.sha,
            local_dir=folder,
            # Their names are patterns to the client; brackets stand for themselves this way
            allow_patterns=[re.sub(r"([*?[])", r"[\1]", file) for file in wanted],
        )
    (folder / _COMPLETE).write_text(f"{info.sha}\n", encoding="utf-8")
    report(1.0)


def _wanted(name: str, files: list[str]) -> list[str]:
    """Choose the data files."""
    files = [file for file in files if not _ABOUT.fullmatch(file) and ".." not in file]
    for kind in _KINDS:
        if chosen := [file for file in files if kind.fullmatch(file.lower())]:
            return chosen
    raise LoraDeckError(
        tr("No data files in this dataset"),
        tr(
            "{name} has no Parquet, JSON, CSV or Arrow files; scripts that make rows are not run.",
            name=name,
        ),
        tr("Choose another version of it: many have a branch with Parquet files."),
    )


def _folder(datasets: Path, name: str) -> Path:
    """Give a dataset's folder."""
    return datasets / name.replace("/", "--")


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
            tr("{name} asks for its terms to be accepted first.", name=name),
            tr(
                "Accept them at https://huggingface.co/datasets/{name} and log in with: hf "
                "auth login",
                name=name,
            ),
        ) from error
    except RepositoryNotFoundError as error:
        raise NotFoundError(
            tr("Dataset not on the hub"),
            tr("The hub knows no public dataset {name}.", name=name),
            tr("Check its name; for a private one log in with: hf auth login"),
        ) from error
    except OfflineModeIsEnabled as error:
        raise LoraDeckError(
            tr("Hub switched off"),
            tr("HF_HUB_OFFLINE is set."),
            tr("Unset it, or choose a file at hand."),
        ) from error
    except HfHubHTTPError as error:
        raise LoraDeckError(
            tr("Hub refused the download"), f"{name}: {shown(error)}", tr("Try again later.")
        ) from error
    except (HTTPError, OSError) as error:
        raise LoraDeckError(
            tr("Hub not reachable"),
            tr("{name} cannot be downloaded: {error}.", name=name, error=shown(error)),
            tr("Check the network (proxy, HF_ENDPOINT), or choose a file at hand."),
        ) from error
