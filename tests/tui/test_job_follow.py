"""The command line's view of a job: its stages, its end, the gate's table, Ctrl-C."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.testing import CliRunner

from engine.errors import EngineUnavailableError, LoraDeckError
from engine.jobs.types import Job
from engine.results.export.types import Agreement, Exported
from tui.cli import job_follow
from tui.cli.commands import app
from tui.cli.job_follow import follow_job_to_end

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

JOB = Job(id="3f2a", kind="export", title="bot as gguf f16", stage="starting")
BASE = Agreement(
    name="base", prompts=8, tokens=320, agreeing=160, logprob_mean=1.5, logprob_max=11.05,
    judged=False,
)  # fmt: skip
REFUSED = BASE.model_copy(
    update={
        "name": "gguf f16", "judged": True, "passed": False, "problem": "No chat template.",
        "prompt": "What?\x1b[2J", "expected": "<|im_start|>", "found": "",
    }
)  # fmt: skip


def ended(state: str, **more: Any) -> Job:
    """The job's end."""
    return JOB.model_copy(update={"state": state, "ended_at": JOB.created_at + 75, **more})


class Script:
    """An engine that tells of a job, state by state; an error is raised in its place."""

    def __init__(self, *states: Job | type[BaseException]) -> None:
        self.states = list(states)
        self.cancelled: list[str] = []

    async def follow_job(self, _: str) -> AsyncIterator[Job]:
        while self.states:
            state = self.states.pop(0)
            if isinstance(state, type):
                raise state("Engine", "gone", "") if state is EngineUnavailableError else state
            yield state

    async def connect(self) -> None:
        """Come back."""

    async def cancel_job(self, job_id: str) -> None:
        self.cancelled.append(job_id)


def follow(
    monkeypatch: pytest.MonkeyPatch, script: Script, job: Job = JOB, *, json: bool = False
) -> int:
    """Follow a job and give the exit status."""
    monkeypatch.setattr(job_follow, "with_engine", lambda talk: asyncio.run(talk(script)))
    with pytest.raises(typer.Exit) as left:
        follow_job_to_end(job, json=json)
    return left.value.exit_code


def test_refused_export_says_where_it_differs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Exported(format="gguf", quantize="f16", gate=(BASE, REFUSED))
    end = ended(
        "failed", error_title="Does not speak", message="So.", hint="--force", exported=made
    )
    moved = JOB.model_copy(update={"stage": "merging"})
    script = Script(moved, EngineUnavailableError, moved, end)
    assert follow(monkeypatch, script) == 1
    said = capsys.readouterr().out
    assert said.count("merging") == 1
    lines = [line.split() for line in said.splitlines()]
    assert ["base", "160", "of", "320", "1.500", "11.050", "0", "of", "8", "shown"] in lines
    assert any(line[-1:] == ["REFUSED"] for line in lines)
    for words in ("No chat template.", "asked: What?␛[2J", "Does not speak: So.", "--force"):
        assert words in said
    assert max(map(len, said.splitlines())) <= 80


def test_completed_export_says_where_it_lies_and_json_is_a_job_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Exported(format="merged", path="/x/bot-merged", size_bytes=270_000_000)
    end = ended("completed", exported=made)
    assert follow(monkeypatch, Script(), end) == 0
    assert capsys.readouterr().out == "/x/bot-merged (270 MB), after 1 min 15 s.\n"
    assert follow(monkeypatch, Script(), end, json=True) == 0
    assert Job.model_validate_json(capsys.readouterr().out) == end


def test_interrupt_leaves_the_job_running_unless_it_is_to_be_cancelled(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert follow(monkeypatch, Script(KeyboardInterrupt)) == 130
    assert "goes on" in capsys.readouterr().err
    for stream in ("stdin", "stderr"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True)
    monkeypatch.setattr(typer, "prompt", lambda *_, **__: "c")
    script = Script(KeyboardInterrupt)
    assert follow(monkeypatch, script) == 130
    assert script.cancelled == [JOB.id]
    assert "is being cancelled" in capsys.readouterr().err


def test_number_format_of_what_has_none_is_refused() -> None:
    done = CliRunner().invoke(app, ["export", "bot", "-f", "merged", "-q", "q8_0"])
    assert isinstance(done.exception, LoraDeckError)
    assert "GGUF's alone" in done.exception.message
