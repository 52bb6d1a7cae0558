"""What can be done with a finished adapter: its report, its export, its deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import ConflictError
from engine.tasks.view import TaskView
from screens.dialogs import ConfirmDialog
from screens.job import JobScreen
from screens.jobs import JobsScreen
from screens.report import ReportScreen
from screens.results_dialogs import DeployDialog, ExportDialog
from screens.task import TaskScreen
from tests.tui.conftest import LARGE, burst, drawn, opened, text_of, until
from tests.tui.fake_engine import FakeEngine, running, task
from tests.tui.fake_results import completed, job, refused, report

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from textual.pilot import Pilot

    from tui.app import LoraDeckApp

ID = "00000003"
DONE = TaskView(
    task=task("done", "completed", 3, progress=100.0, final_loss=0.412), step=24, max_steps=24,
    device="CPU, 2 cores",
)  # fmt: skip


async def show(app: LoraDeckApp, pilot: Pilot[None]) -> None:
    """Open the completed task's screen."""
    app.push_screen(TaskScreen(app.session, ID))
    await until(pilot, lambda: drawn(app))


async def press(app: LoraDeckApp, pilot: Pilot[None], key: str, screen: type) -> None:
    """Press a key that leads to a screen."""
    await pilot.press(key)
    await until(pilot, lambda: isinstance(app.screen, screen))


async def test_keys_have_id_and_tooltip_and_the_footer_holds_at_most_seven(tmp_path: Path) -> None:
    engine = FakeEngine([DONE])
    engine.reports[ID] = report(ID)
    engine.change_job(refused(job(ID)))
    async with opened(engine, tmp_path) as (app, pilot):
        await show(app, pilot)
        await until(pilot, lambda: "v shows it" in text_of(app))
        for key in ("", "r", "x", "o", "v"):
            await pilot.press(*key)
            await pilot.pause()
            for owner in type(app.screen).__mro__:
                bindings = owner.__module__.startswith("screens") and vars(owner).get("BINDINGS")
                assert all(one.id and one.tooltip for one in bindings or ())
            active = app.screen.active_bindings.values()
            assert len({one.binding.action for one in active if one.binding.show}) <= 7
            if key:
                await pilot.press("escape")


# The report


async def test_the_report_sets_base_beside_adapter(tmp_path: Path) -> None:
    engine = FakeEngine([DONE])
    engine.reports[ID] = report(ID)
    async with opened(engine, tmp_path, LARGE) as (app, pilot):
        await show(app, pilot)
        await press(app, pilot, "r", ReportScreen)
        await until(pilot, lambda: "still improves" in text_of(app))
        shown = text_of(app)
        for words in ("✓ no overfitting", "24 rows held out", "−2.308   ✓ better",
                      "+37.7 %   ✓ better", "6 of 8", "▲ not always",
                      "step 24", "loradeck train --from-report done", "9f2c9f2c",
                      "learning_rate 5e-4", "torch 2.13.0", "smoothed"):  # fmt: skip
            assert words in shown, words


async def test_a_worse_adapter_is_said_to_be_worse(tmp_path: Path) -> None:
    good = report(ID)
    engine = FakeEngine([DONE])
    engine.reports[ID] = good.model_copy(update={
        "base": good.adapter, "adapter": good.base, "overfitting": "strong", "base_chrf": None,
        "exact_of": 0, "asked": 0, "answers": (), "samples": (), "train_curve": (),
        "eval_curve": (),
    })  # fmt: skip
    async with opened(engine, tmp_path) as (app, pilot):
        await show(app, pilot)
        await press(app, pilot, "r", ReportScreen)
        await until(pilot, lambda: "✗ strong overfitting" in text_of(app))
        assert text_of(app).count("✗ worse") == 3
        assert "chrF" not in text_of(app)
        assert "Next answer" not in text_of(app)


async def test_the_report_is_paged_scrolled_and_copied_from(tmp_path: Path) -> None:
    engine = FakeEngine([DONE])
    engine.reports[ID] = report(ID, task_name="all done")
    async with opened(engine, tmp_path) as (app, pilot):
        await show(app, pilot)
        await press(app, pilot, "r", ReportScreen)
        await until(pilot, lambda: "Base beside adapter" in text_of(app))
        await pilot.press("right")  # comes to the answers first
        await until(pilot, lambda: "Answers  1 of 3" in text_of(app))
        await pilot.press("l")
        await until(pilot, lambda: "Answers  2 of 3" in text_of(app))
        assert "✓ exact" in text_of(app)
        await pilot.press("n")
        await until(pilot, lambda: "▲ does not end" in text_of(app))
        await pilot.press("h", "left")
        await until(pilot, lambda: "Answers  1 of 3" in text_of(app))
        await pilot.press("N")
        await until(pilot, lambda: "Answers  3 of 3" in text_of(app))
        await pilot.press("g")
        body = app.screen.body
        await until(pilot, lambda: body.scroll_y == 0)
        for key, moves in (("j", 1), ("down", 1), ("k", -1), ("up", -1)):
            before = body.scroll_y
            await pilot.press(key)
            await until(pilot, lambda before=before, moves=moves: body.scroll_y == before + moves)
        await pilot.press("space")
        await until(pilot, lambda: body.scroll_y > 5)
        await pilot.press("G")
        await until(pilot, lambda: "--from-report 'all done'" in text_of(app))
        await pilot.press("y")
        assert app.clipboard == str(tmp_path / "tasks" / ID / "report.md")
        await pilot.press("c")
        again = "loradeck train --from-report 'all done' --name 'all done-again'"
        assert app.clipboard == again
        await press(app, pilot, "escape", TaskScreen)


async def test_a_task_without_a_report_says_so(tmp_path: Path) -> None:
    async with opened(FakeEngine([DONE]), tmp_path) as (app, pilot):
        await show(app, pilot)
        await press(app, pilot, "r", ReportScreen)
        await until(pilot, lambda: "✗ No report" in text_of(app))
        await pilot.press("y")
        assert not app.clipboard


async def test_only_a_completed_task_has_results(tmp_path: Path) -> None:
    async with opened(FakeEngine([running(number=3)]), tmp_path) as (app, pilot):
        await show(app, pilot)
        await pilot.press("r", "x", "o", "v")
        assert isinstance(app.screen, TaskScreen)


async def test_the_palette_leads_to_a_tasks_report(tmp_path: Path) -> None:
    engine = FakeEngine([DONE])
    engine.reports[ID] = report(ID)
    async with opened(engine, tmp_path) as (app, pilot):
        await pilot.press("ctrl+p", *"report of done")
        await until(pilot, lambda: "What the training was worth" in text_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ReportScreen))
        await press(app, pilot, "escape", TaskScreen)


# Export


async def test_an_export_is_started_and_followed(tmp_path: Path) -> None:
    engine = FakeEngine([DONE])
    async with opened(engine, tmp_path, LARGE) as (app, pilot):
        await show(app, pilot)
        await press(app, pilot, "x", ExportDialog)
        assert app.screen.query_one("#folder").placeholder == str(tmp_path / "exports")
        await pilot.press("down", "right")
        await until(pilot, lambda: "42 % of f16" in text_of(app))
        await pilot.press("down")
        burst(app, *"/data/jk", "enter")
        await until(pilot, lambda: isinstance(app.screen, JobScreen))
        request = engine.calls["export"][0]
        assert (request.source, request.format, request.quantize) == (ID, "gguf", "q6_k")
        assert request.out == "/data/jk"
        begun = engine.known_jobs["000000a0"]
        await until(pilot, lambda: "converting to GGUF" in text_of(app) and "42 %" in text_of(app))
        engine.change_job(begun.model_copy(update={"stage": "asking the gate", "progress": 0.8}))
        await until(pilot, lambda: "asking the gate" in text_of(app) and "80 %" in text_of(app))
        engine.change_job(completed(begun))
        await until(pilot, lambda: "✓ completed" in text_of(app))
        shown = text_of(app)
        for words in ("98.8 % of 256", "✓ agrees", "• lossy", "7 of 8", "0.0210", "145 MB"):
            assert words in shown, words
        await pilot.press("y")
        assert app.clipboard == "/home/u/loradeck/exports/done-q8_0.gguf"


async def test_an_export_that_cannot_start_says_why_and_other_forms_have_no_number_format(
    tmp_path: Path,
) -> None:
    engine = FakeEngine([DONE])
    engine.refused_job = ConflictError("No room", "270 MB are needed, [b]12 MB[/b] are free.",
                                       "Choose another folder.")  # fmt: skip
    async with opened(engine, tmp_path) as (app, pilot):
        await show(app, pilot)
        await press(app, pilot, "x", ExportDialog)
        await pilot.press("enter")
        await until(pilot, lambda: "[b]12 MB[/b] are free" in text_of(app))
        await press(app, pilot, "escape", TaskScreen)
        assert not engine.known_jobs
        engine.refused_job = None
        await press(app, pilot, "x", ExportDialog)
        await pilot.press("l")
        await until(pilot, lambda: "as PEFT has them" in text_of(app))
        assert "of f16" not in text_of(app)
        assert "must agree" not in text_of(app)
        await pilot.press("l")
        await until(pilot, lambda: "A whole model in safetensors" in text_of(app))
        await press(app, pilot, "enter", JobScreen)
        assert engine.calls["export"][-1].format == "merged"


async def test_a_refusal_shows_where_it_differs_and_can_be_forced(tmp_path: Path) -> None:
    spoilt = refused(job(ID))
    engine = FakeEngine([DONE])
    engine.change_job(spoilt)
    async with opened(engine, tmp_path, LARGE) as (app, pilot):
        await show(app, pilot)
        await until(pilot, lambda: "✗ refused  done as gguf q8_0" in text_of(app))
        await press(app, pilot, "v", JobScreen)
        await until(pilot, lambda: "Make it anyway" in text_of(app))
        shown = text_of(app)
        for words in ("✗ differs", "Where it differs first", "The the the lighthouse",
                      "Ada Morrow keeps", "at least 99 %"):  # fmt: skip
            assert words in shown, words
        await press(app, pilot, "f", ConfirmDialog)
        await press(app, pilot, "n", JobScreen)
        assert not engine.calls["export"]
        await press(app, pilot, "f", ConfirmDialog)
        await pilot.press("y")
        await until(pilot, lambda: engine.calls["export"])
        assert engine.calls["export"][0] == spoilt.request.model_copy(update={"force": True})
        await until(pilot, lambda: "► running" in text_of(app))


async def test_a_job_is_cancelled_once_that_is_confirmed(tmp_path: Path) -> None:
    engine = FakeEngine([DONE])
    engine.change_job(job(ID))
    async with opened(engine, tmp_path) as (app, pilot):
        await show(app, pilot)
        await until(pilot, lambda: "42 %" in text_of(app))
        await press(app, pilot, "v", JobScreen)
        await press(app, pilot, "c", ConfirmDialog)
        await press(app, pilot, "n", JobScreen)
        assert not engine.calls["cancel_job"]
        await press(app, pilot, "c", ConfirmDialog)
        await pilot.press("y")
        await until(pilot, lambda: "■ cancelled" in text_of(app))
        await press(app, pilot, "d", TaskScreen)
        assert engine.calls["forget_job"] == ["00000001"]
        await until(pilot, lambda: "v shows it" not in text_of(app))


# Deployment


async def test_an_adapter_is_deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "10.0.0.5:11435")
    engine = FakeEngine([DONE])
    engine.refused_job = ConflictError(
        "Name taken at Ollama", "http://box has a model 'ferry' already.",
        "Choose another name (--name), or let it be replaced (--replace).",
    )  # fmt: skip
    async with opened(engine, tmp_path) as (app, pilot):
        await show(app, pilot)
        await press(app, pilot, "o", DeployDialog)
        assert "10.0.0.5:11435" in text_of(app)
        await pilot.press("down", *"http://box", "down", *"Be brief.", "down", "left", "enter")
        await until(pilot, lambda: "replaced." in text_of(app))
        assert "--" not in text_of(app)
        engine.refused_job = None
        await pilot.press("up", "up", *["backspace"] * len("http://box"), "up", *"ferry")
        await pilot.press("down", "down", "down", "down", "right")
        await until(pilot, lambda: "is replaced, once" in text_of(app))
        await press(app, pilot, "enter", JobScreen)
        first, request = engine.calls["deploy"]
        assert (first.name, first.host, first.replace) == ("", "http://box", False)
        assert (request.source, request.name, request.host) == (ID, "ferry", "10.0.0.5:11435")
        assert (request.system, request.quantize, request.replace) == ("Be brief.", "f32", True)
        begun = engine.known_jobs["000000a0"]
        done = completed(begun)
        named = done.exported.model_copy(update={"ollama_name": "ferry"})
        engine.change_job(done.model_copy(update={"exported": named}))
        await until(pilot, lambda: "ollama run ferry" in text_of(app))


# Jobs


async def test_all_jobs_are_listed(tmp_path: Path) -> None:
    engine = FakeEngine([DONE])
    engine.change_job(job(ID))
    engine.change_job(refused(job(ID, "done as gguf f16", 2)))
    engine.change_job(completed(job(ID, "done as merged", 3)))
    async with opened(engine, tmp_path) as (app, pilot):
        app.ways.show_jobs()
        await until(pilot, lambda: len(engine.calls["jobs"]) > 3)  # asked after while one runs
        await until(pilot, lambda: "done as merged" in text_of(app))
        shown = text_of(app)
        for words in ("► running", "✗ refused", "✓ completed", "converting to GGUF", "42 %",
                      "/home/u/loradeck/exports", "Speaks otherwise"):  # fmt: skip
            assert words in shown, words
        await press(app, pilot, "c", ConfirmDialog)
        await press(app, pilot, "y", JobsScreen)
        await until(pilot, lambda: "■ cancelled" in text_of(app))
        await until(pilot, lambda: not any(one.group == "list" for one in app.workers))
        await pilot.press("G", "d")
        await until(pilot, lambda: "done as merged" not in text_of(app))
        assert engine.calls["forget_job"] == ["00000003"]
        await press(app, pilot, "enter", JobScreen)
        await press(app, pilot, "escape", JobsScreen)
        await pilot.press("escape")
        assert app.screen is app.screen_stack[0]
