"""Exports as a user makes them: real engine, real jobs, every format, ended in the midst."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from engine.jobs.process import pid_of
from tests.tiny_export import keep_prompts, make_adapter, make_base

if TYPE_CHECKING:
    from tests.end_to_end.conftest import CommandLine

pytestmark = pytest.mark.end_to_end


def test_gguf_is_made_checked_and_shown(loradeck: CommandLine) -> None:
    home = loradeck.home
    base = make_base(home.models / "base")
    keep_prompts(make_adapter(home.adapter("first"), base), base)
    said = loradeck.run("export", "first", "--quantize", "q4_k_m")
    for form in ("base", "merged", "gguf f32", "gguf q4_k_m"):
        assert any(line.startswith(form) for line in said.splitlines()), said
    folder = home.exports / "first-gguf-q4_k_m"
    assert {one.name for one in folder.iterdir()} == {
        "first-q4_k_m.gguf",
        "README.md",
        "gate.json",
        "loradeck.json",
    }
    assert len(json.loads((folder / "gate.json").read_text())) == 4
    assert [one.name for one in home.exports.iterdir()] == [folder.name]
    job = loradeck.json("jobs")[0]
    assert (job["state"], job["progress"]) == ("completed", 1.0)
    assert "first-gguf-q4_k_m" in loradeck.run("jobs", "show", job["id"])
    assert "there already" in loradeck.run("export", "first", "-q", "q4_k_m", code=2)
    copied = loradeck.events("export", "first", "--format", "adapter")
    assert copied[-1]["exported"]["path"] == str(home.exports / "first-adapter")
    _outlives_its_engine_and_is_cancelled(loradeck)


def _outlives_its_engine_and_is_cancelled(loradeck: CommandLine) -> None:
    """End the engine while an export runs: the next one finds it, and ends it on request."""
    home = loradeck.home
    job = loradeck.json("export", "first", "--format", "merged", "--detach")
    while not (pid := pid_of(home.job(job["id"]))):
        pass
    os.kill(pid, signal.SIGSTOP)  # so that it does not end before it is asked to
    loradeck.run("engine", "stop")
    assert loradeck.json("jobs", "show", job["id"][:6])["state"] == "running"
    loradeck.run("jobs", "cancel", job["id"])
    os.kill(pid, signal.SIGCONT)
    followed = loradeck.events("jobs", "follow", job["id"], code=1)
    assert followed[-1]["state"] == "cancelled"
    assert sorted(one.name for one in home.exports.iterdir()) == [
        "first-adapter",
        "first-gguf-q4_k_m",
    ]
