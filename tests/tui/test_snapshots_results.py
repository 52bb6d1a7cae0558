"""Pictures of reports, exports and finds; new ones by ``pytest tests/tui --snapshot-update``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from screens.found import FoundScreen
from screens.job import JobScreen
from screens.jobs import JobsScreen
from screens.report import ReportScreen
from screens.results_dialogs import DeployDialog, ExportDialog
from screens.task import TaskScreen
from tests.tui.conftest import SIZES, SMALL, Picture, drawn, text_of, until
from tests.tui.fake_engine import FakeEngine, training_events
from tests.tui.fake_results import completed, job, refused, report, some_found
from tests.tui.test_results import DONE, ID

if TYPE_CHECKING:
    from textual.pilot import Pilot


def scripted() -> FakeEngine:
    """Make an engine with a completed task, its report, and jobs of each kind."""
    engine = FakeEngine([DONE])
    engine.event_script[ID] = training_events(24, completed=True)
    engine.reports[ID] = report(ID)
    engine.change_job(job(ID))
    engine.change_job(refused(job(ID, "done as gguf f16", 2)))
    engine.change_job(completed(job(ID, "done as gguf q8_0", 3)))
    engine.found = some_found(ID)
    return engine


async def to_task(pilot: Pilot[None]) -> None:
    """Open the completed task, of which an export runs."""
    app = pilot.app
    app.push_screen(TaskScreen(app.session, ID))
    await until(pilot, lambda: drawn(app))
    await until(pilot, lambda: "v shows it" in text_of(app))


async def to_report(pilot: Pilot[None]) -> None:
    """Open its report."""
    app = pilot.app
    app.push_screen(ReportScreen(app.session, ID))
    await until(pilot, lambda: isinstance(app.screen, ReportScreen) and app.screen.query("#plot"))
    await until(pilot, lambda: app.screen.query_one("#plot")._datasets)


async def to_answers(pilot: Pilot[None]) -> None:
    """Come to the second of its answers."""
    await to_report(pilot)
    app = pilot.app
    app.screen.body.scroll_to_widget(app.screen.answers, animate=False, top=True)
    await pilot.pause()
    await pilot.press("right")
    await until(pilot, lambda: "Answers  2 of 3" in text_of(app))


async def to_end(pilot: Pilot[None]) -> None:
    """Come to the report's end."""
    await to_report(pilot)
    await pilot.press("G")
    await until(pilot, lambda: "--from-report" in text_of(pilot.app))


async def to_export(pilot: Pilot[None]) -> None:
    """Ask for an export."""
    await to_task(pilot)
    await pilot.press("x")
    await until(pilot, lambda: isinstance(pilot.app.screen, ExportDialog))
    pilot.app.screen.query_one("#folder").placeholder = "/home/u/loradeck/exports"


async def to_deploy(pilot: Pilot[None]) -> None:
    """Ask for a deployment."""
    await to_task(pilot)
    await pilot.press("o")
    await until(pilot, lambda: isinstance(pilot.app.screen, DeployDialog))


async def to_job(pilot: Pilot[None], number: int = 1) -> None:
    """Open a job."""
    app = pilot.app
    app.push_screen(JobScreen(app.session, (await app.session.client.jobs())[number - 1]))
    await until(pilot, lambda: isinstance(app.screen, JobScreen) and "done as" in text_of(app))


async def to_refused(pilot: Pilot[None]) -> None:
    """Open the job that the gate refused."""
    await to_job(pilot, 2)


async def to_made(pilot: Pilot[None]) -> None:
    """Open the job that has made something."""
    await to_job(pilot, 3)


async def to_jobs(pilot: Pilot[None]) -> None:
    """Open the list of jobs."""
    app = pilot.app
    app.ways.show_jobs()
    await until(pilot, lambda: isinstance(app.screen, JobsScreen) and "refused" in text_of(app))


async def to_finds(pilot: Pilot[None]) -> None:
    """Open the models of this machine."""
    app = pilot.app
    app.ways.show_found()
    await until(pilot, lambda: isinstance(app.screen, FoundScreen))
    await until(pilot, lambda: "212 folders" in text_of(app))


async def to_found(pilot: Pilot[None]) -> None:
    """Open them at an adapter without its base."""
    await to_finds(pilot)
    await pilot.press("j", "j")
    await until(pilot, lambda: "not on this machine" in text_of(pilot.app))


@SIZES
def test_completed_task_with_a_job(picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(scripted(), to_task, size)


@SIZES
def test_report(picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(scripted(), to_report, size)


def test_report_in_light(picture: Picture) -> None:
    assert picture.matches(scripted(), to_report, SMALL, "loradeck-light")


def test_answers_of_a_report(picture: Picture) -> None:
    assert picture.matches(scripted(), to_answers, SMALL)


def test_end_of_a_report(picture: Picture) -> None:
    assert picture.matches(scripted(), to_end, SMALL)


def test_export(picture: Picture) -> None:
    assert picture.matches(scripted(), to_export, SMALL)


def test_deployment(picture: Picture) -> None:
    assert picture.matches(scripted(), to_deploy, SMALL)


def test_running_job(picture: Picture) -> None:
    assert picture.matches(scripted(), to_job, SMALL)


@SIZES
def test_refused_job(picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(scripted(), to_refused, size)


def test_completed_job(picture: Picture) -> None:
    assert picture.matches(scripted(), to_made, SMALL)


def test_jobs(picture: Picture) -> None:
    assert picture.matches(scripted(), to_jobs, SMALL)


@SIZES
def test_models_of_this_machine(picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(scripted(), to_found, size)
