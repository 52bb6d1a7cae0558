"""Who may load what, seen in fresh processes: contracts do not see what libraries pull in."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"torch", "transformers", "datasets", "peft", "trl", "bitsandbytes"}
SCREEN = {"textual", "typer"}


def _loaded_by(*modules: str) -> set[str]:
    """Import modules in a fresh process and give the top-level names that it then has."""
    code = f"import {', '.join(modules)}, sys; print(*{{m.partition('.')[0] for m in sys.modules}})"
    run = subprocess.run(
        [sys.executable, "-P", "-c", code], check=True, capture_output=True, text=True
    )
    return set(run.stdout.split())


def test_the_check_can_fail() -> None:
    assert "json" in _loaded_by("json")


@pytest.mark.parametrize(
    "modules",
    [
        ("tui.app", "screens.home", "screens.task", "screens.dataset_picker"),
        ("tui.cli",),
        ("engine.server.client", "engine.server.launch"),
    ],
)
def test_clients_load_no_heavy_library(modules: tuple[str, ...]) -> None:
    assert not _loaded_by(*modules) & HEAVY


def test_server_loads_neither_heavy_libraries_nor_a_screen() -> None:
    assert not _loaded_by("engine.server.main", "engine.server.app") & (HEAVY | SCREEN)


def test_command_line_does_not_load_the_dashboard() -> None:
    assert "textual" not in _loaded_by("tui.cli")


def test_worker_loads_no_screen_and_no_server() -> None:
    loaded = _loaded_by("engine.train.worker", "engine.train.trainer")
    assert "torch" in loaded
    assert not loaded & SCREEN
