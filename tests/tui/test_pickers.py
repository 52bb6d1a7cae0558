"""The dataset picker and the model picker."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from textual import events

from engine.errors import NotFoundError
from screens.dataset_picker import DatasetPicker
from screens.home import HomeScreen
from screens.model_picker import ModelPicker
from screens.widgets.field import PathSuggester
from tests.tui.conftest import LARGE, opened, text_of, until
from tests.tui.fake_engine import ABSENT, ALPACA, BROKEN, DEMO, FakeEngine, dataset, inspection

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from textual.pilot import Pilot

    from tui.app import LoraDeckApp


async def datasets(app: LoraDeckApp, pilot: Pilot[None]) -> DatasetPicker:
    """Open the dataset picker."""
    await pilot.press("d")
    await until(pilot, lambda: isinstance(app.screen, DatasetPicker) and app.screen.known.items)
    assert isinstance(app.screen, DatasetPicker)
    return app.screen


async def models(app: LoraDeckApp, pilot: Pilot[None]) -> ModelPicker:
    """Open the model picker."""
    await pilot.press("m")
    await until(pilot, lambda: isinstance(app.screen, ModelPicker) and app.screen.table.items)
    assert isinstance(app.screen, ModelPicker)
    return app.screen


async def test_a_list_that_is_asked_for_says_so_until_it_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, come = FakeEngine(), asyncio.Event()

    async def nothing() -> list[object]:
        await come.wait()
        return []

    monkeypatch.setattr(engine, "models", nothing)
    async with opened(engine, tmp_path) as (app, pilot):
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, ModelPicker))
        assert "Looking…" in text_of(app)
        assert "No model at hand" not in text_of(app)
        come.set()
        await until(pilot, lambda: "No model at hand" in text_of(app))


def home_of(app: LoraDeckApp) -> HomeScreen:
    """Give the first screen."""
    home = app.screen_stack[0]
    assert isinstance(home, HomeScreen)
    return home


async def test_the_preview_follows_the_cursor(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path, LARGE) as (app, pilot):
        await datasets(app, pilot)
        await until(pilot, lambda: "Ada Morrow keeps" in text_of(app))
        assert "alpaca · 16 rows" in text_of(app)
        await pilot.press("down")
        await until(pilot, lambda: "sharegpt · 12 rows" in text_of(app))


async def test_a_broken_file_is_said_in_the_preview_and_cannot_be_chosen(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        picker = await datasets(app, pilot)
        await pilot.press("G", "enter")
        await until(pilot, lambda: "line 4, column 7: a comma is missing." in text_of(app))
        assert picker.known.cursor == BROKEN
        assert app.screen is picker


async def test_a_typed_path_is_completed_and_chosen(tmp_path: Path) -> None:
    engine = FakeEngine()
    mine = str(tmp_path / "work" / "mine.jsonl")
    engine.inspections[mine] = inspection(mine)
    async with opened(engine, tmp_path) as (app, pilot):
        picker = await datasets(app, pilot)
        await pilot.press("slash")
        assert picker.path.value == f"{tmp_path}/work/"
        await pilot.press("m")
        await until(pilot, lambda: picker.path._suggestion == mine)
        await pilot.press("tab")
        assert picker.path.value == mine
        await pilot.press("enter")
        await until(pilot, lambda: home_of(app).training.dataset is not None)
        assert home_of(app).training.dataset.inspection.path == mine


async def test_completion_offers_folders_and_datasets_alone(tmp_path: Path) -> None:
    (tmp_path / "nested").mkdir()
    (tmp_path / "next.json").write_text("[]")
    suggest = PathSuggester().get_suggestion
    assert await suggest(f"{tmp_path}/ne") == f"{tmp_path}/nested/"
    assert await suggest(f"{tmp_path}/nex") == f"{tmp_path}/next.json"
    assert await suggest(f"{tmp_path}/work/not") is None
    assert await suggest("/no such folder/x") is None
    assert await suggest("word") is None


async def test_files_can_be_chosen_from_the_tree(tmp_path: Path) -> None:
    engine = FakeEngine()
    mine = str(tmp_path / "work" / "mine.jsonl")
    engine.inspections[mine] = inspection(mine)
    async with opened(engine, tmp_path) as (app, pilot):
        picker = await datasets(app, pilot)
        await until(pilot, lambda: picker.files.root.children)
        assert [str(node.label) for node in picker.files.root.children] == ["mine.jsonl"]
        picker.files.focus()
        await pilot.press("j", "enter")
        await until(pilot, lambda: home_of(app).training.dataset is not None)


async def test_the_tree_goes_up_a_folder(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        picker = await datasets(app, pilot)
        picker.files.focus()
        await pilot.press("backspace")
        await until(pilot, lambda: str(picker.files.path) == str(tmp_path))


async def test_a_path_pasted_in_the_picker_is_chosen(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        await datasets(app, pilot)
        app.post_message(events.Paste(f"file://{ALPACA}"))
        await until(pilot, lambda: home_of(app).training.dataset is not None)


async def test_a_path_that_nobody_may_ask_for_is_one_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked, stat = "/locked/rows.json", os.stat

    def refusing(path: object, **how: Any) -> os.stat_result:
        if str(path) == locked:
            raise PermissionError(13, "Permission denied", locked)
        return stat(path, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "stat", refusing)
    engine = FakeEngine()
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await datasets(app, pilot)
        await pilot.press("slash")
        for path in (locked, "/" + "x" * 5000 + ".json"):
            screen.path.value = path
            await pilot.press("enter")
            await until(pilot, lambda path=path: engine.calls["inspect"][-1:] == [path])
        assert app.screen is screen


async def test_names_and_contents_of_files_are_shown_as_they_are(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.known_datasets = [dataset("[red]x[/]", path="/samples/[red]x.json")]
    engine.inspections["/samples/[red]x.json"] = NotFoundError("[b]No[/b]", "a\x1b[2Jb", "[/]")
    (tmp_path / "work" / "[bold]y.json").write_text("[]")
    (tmp_path / "work" / "z\x1b[2J.json").write_text("[]")
    async with opened(engine, tmp_path, LARGE) as (app, pilot):
        await datasets(app, pilot)
        await until(pilot, lambda: "[b]No[/b]" in text_of(app) and "z␛[2J" in text_of(app))
        shown = text_of(app)
        assert "[red]x[/]" in shown
        assert "Preview · [red]x.json" in shown
        assert "a␛[2Jb" in shown
        assert "[bold]y.json" in shown
        assert "\x1b" not in shown


async def test_a_ready_model_is_chosen(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        await models(app, pilot)
        shown = text_of(app)
        assert "135 M" in shown
        assert "● ready" in shown
        await pilot.press("enter")
        await until(pilot, lambda: home_of(app).training.model is not None)
        assert home_of(app).training.model.name == "demo"


async def test_the_filter_narrows_the_list(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        picker = await models(app, pilot)
        await pilot.press("slash", *"qwen")
        assert list(picker.table.items) == ["Qwen/Qwen2.5-7B-Instruct"]
        await pilot.press("enter")
        await until(pilot, lambda: home_of(app).training.model is not None)


async def test_an_unknown_model_is_said_in_words(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        picker = await models(app, pilot)
        await pilot.press("slash", *"dmeo", "enter")
        await until(pilot, lambda: "Did you mean demo?" in text_of(app))
        assert app.screen is picker


async def test_a_hub_id_is_looked_up_and_fetched(tmp_path: Path) -> None:
    engine = FakeEngine()
    found = ABSENT.model_copy(update={"name": "org/new", "source": "hub"})
    async with opened(engine, tmp_path) as (app, pilot):
        await models(app, pilot)
        engine.known_models["org/new"] = found
        engine.pulls = [
            found,
            found.model_copy(update={"state": "downloading", "progress": 0.5}),
            found.model_copy(update={"state": "ready", "path": "/models/new"}),
        ]
        await pilot.press("slash", *"org/new", "enter")
        await until(pilot, lambda: home_of(app).training.model is not None)
        assert engine.calls["pull"] == ["org/new"]
        assert home_of(app).training.model.path == "/models/new"


async def test_an_absent_model_is_fetched_with_progress_and_then_chosen(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.known_models = {"demo": ABSENT}
    async with opened(engine, tmp_path) as (app, pilot):
        await models(app, pilot)
        assert "○ to fetch" in text_of(app)
        far = {"state": "downloading", "progress": 0.43, "seconds_left": 12.4}
        engine.pulls = [ABSENT.model_copy(update=far)]
        await pilot.press("enter")
        await until(pilot, lambda: "↓ fetching 43%" in text_of(app))
        assert "42.1 MB of 98.0 MB fetched · 12 s left" in text_of(app)
        engine.pulls = [DEMO.model_copy(update={"state": "converting"}), DEMO]
        await until(pilot, lambda: home_of(app).training.model is not None)
        assert engine.calls["pull"] == ["demo"]


async def test_a_fetch_can_be_stopped(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.known_models = {"demo": ABSENT}
    async with opened(engine, tmp_path) as (app, pilot):
        await models(app, pilot)
        assert "Stop" not in text_of(app)
        engine.pulls = [ABSENT.model_copy(update={"state": "downloading", "progress": 0.43})]
        await pilot.press("enter")
        await until(pilot, lambda: " x Stop" in text_of(app))
        engine.pulls = [ABSENT]
        await pilot.press("x")
        await until(pilot, lambda: "○ to fetch" in text_of(app))
        assert engine.calls["stop_pull"] == ["demo"]
        assert "Stop" not in text_of(app)


async def test_a_failed_fetch_is_said_in_words(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.known_models = {"demo": ABSENT}
    async with opened(engine, tmp_path) as (app, pilot):
        picker = await models(app, pilot)
        engine.pulls = [
            ABSENT.model_copy(update={"state": "downloading"}),
            ABSENT.model_copy(update={"problem": "The network [i]went[/i] away."}),
        ]
        await pilot.press("enter")
        await until(pilot, lambda: "✗ The network [i]went[/i] away." in text_of(app))
        assert "✗ failed" in text_of(app)
        assert app.screen is picker
        engine.pulls = [DEMO]
        await pilot.press("enter")
        await until(pilot, lambda: home_of(app).training.model is not None)


async def test_the_preview_marks_what_is_trained(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with opened(engine, tmp_path) as (app, pilot):
        app.session.base_model = "demo"
        await pilot.press("d")
        await until(pilot, lambda: "as demo gets it" in str(app.screen.preview._row.content))
        assert "trained" in str(app.screen.preview._row.content)
        app.session.base_model = ""
        await pilot.press("down", "up")
        await until(pilot, lambda: "Choose a base model" in str(app.screen.preview._row.content))


async def test_recent_datasets_come_first_in_their_order(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.known_datasets = [
        dataset("a_sample.jsonl", sample=True),
        dataset("managed.jsonl", sample=False),
        dataset("second.jsonl", sample=False, recent=True),
        dataset("broken.jsonl", sample=False, recent=True, problem="gone"),
        dataset("b_first.jsonl", sample=False, recent=True),
    ]
    async with opened(engine, tmp_path) as (app, pilot):
        await pilot.press("d")
        await until(pilot, lambda: app.screen.known.items)
        names = [one.name for one in app.screen.known.items.values()]
        assert names == [
            "second.jsonl", "b_first.jsonl", "managed.jsonl", "a_sample.jsonl", "broken.jsonl",
        ]  # fmt: skip
