"""``loradeck models scan``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.language import listed, tr, trn
from engine.models.found import FoundModel, ModelScan
from engine.text import human_bytes
from tui.cli.output import Json, print_json, print_table, print_text
from tui.cli.session import absolute, with_engine

if TYPE_CHECKING:
    from engine.server.client import EngineClient


def scan(
    folders: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DIR]...",
            help="Folders to look into; without any, the home and the Hugging Face cache.",
            show_default=False,
        ),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Find adapters, merged models and GGUF files, and say which base each needs."""
    paths = [absolute(folder) for folder in folders or []] or [""]
    whole = _together(with_engine(lambda client: _scan_all(client, paths)))
    if json:
        print_json(whole)
        return
    if whole.found:
        print_table(
            (tr("NAME"), tr("KIND"), tr("BASE"), tr("SIZE"), tr("DETAILS")), map(_row, whole.found)
        )
    print_text(_passed_over(whole))


async def _scan_all(client: EngineClient, paths: list[str]) -> list[ModelScan]:
    """Look into one folder after the other: they may lie on one disk."""
    return [await client.scan_models(path) for path in paths]


def _together(scans: list[ModelScan]) -> ModelScan:
    """Make one of several scans; what lies in two of the folders is given once."""
    found = {one.path: one for scan in scans for one in scan.found}
    return ModelScan(
        found=tuple(found.values()),
        folders=sum(scan.folders for scan in scans),
        unreadable=sum(scan.unreadable for scan in scans),
        links=sum(scan.links for scan in scans),
        cut_short="; ".join(dict.fromkeys(scan.cut_short for scan in scans if scan.cut_short)),
    )


def _row(found: FoundModel) -> tuple[str, ...]:
    """Give one line; what lies outside home and cache goes by its path."""
    name = _from_home(found.path) if found.place == "folder" else found.name
    base = found.base and (
        found.base if found.base_here else tr("{name} (not here)", name=found.base)
    )
    return name, tr(found.kind), base, human_bytes(found.size_bytes), _details(found)


def _from_home(path: str) -> str:
    """Write a path below the user's home folder briefly."""
    home = str(Path.home())
    return f"~{path[len(home) :]}" if path.startswith(home + os.sep) else path


def _details(found: FoundModel) -> str:
    """Say in a few words what it is, and why it cannot be used."""
    words = [
        found.problem and tr("unusable: {why}", why=found.problem),
        found.rank and tr("rank {rank}", rank=found.rank),
        *found.variants,
        found.quantization,
        found.kind != "adapter" and found.architecture,
        found.chat_template is False and tr("no chat template"),
        found.task_name and tr("task {name}", name=found.task_name),
    ]
    return listed(str(word) for word in words if word)


def _passed_over(scan: ModelScan) -> str:
    """Say what was looked at, and what was not."""
    parts = [
        trn("{count} folder looked into", "{count} folders looked into", scan.folders),
        scan.unreadable and tr("{count} cannot be read", count=scan.unreadable),
        scan.links and trn("{count} link not followed", "{count} links not followed", scan.links),
        scan.cut_short,
    ]
    return tr("{sentence}.", sentence=listed(str(part) for part in parts if part))
