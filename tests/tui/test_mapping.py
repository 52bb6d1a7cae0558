"""Looking at datasets in the picker: progress, measures, columns, rows; what Home makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.data.endings import is_dataset_name
from engine.data.types import Histogram, Scanning
from engine.errors import LoraDeckError
from screens.dataset import DatasetScreen
from screens.dataset_picker import DatasetPicker
from screens.draft import ChosenDataset
from screens.home import HomeScreen
from screens.mapping_dialog import MappingDialog
from screens.widgets.choice_row import ChoiceRow
from screens.widgets.measures import blocks
from tests.tui.conftest import LARGE, opened, text_of, until
from tests.tui.fake_engine import (
    ALPACA,
    COPIES,
    DEMO,
    EMPTY,
    FakeEngine,
    dataset,
    inspection,
    measured,
)

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from tui.app import LoraDeckApp

CSV = measured().path


def with_csv() -> FakeEngine:
    """Make an engine that has one large file with columns of its own."""
    engine = FakeEngine()
    engine.known_datasets = [dataset("问答.csv", 312_000)]
    engine.inspections[CSV] = measured()
    return engine


async def picker_of(app: LoraDeckApp, pilot: Pilot[None]) -> DatasetPicker:
    """Open the picker and wait until it shows the first dataset."""
    await pilot.press("d")
    await until(pilot, lambda: isinstance(app.screen, DatasetPicker) and app.screen._shown)
    assert isinstance(app.screen, DatasetPicker)
    return app.screen


def home_of(app: LoraDeckApp) -> HomeScreen:
    """Give the first screen."""
    home = app.screen_stack[0]
    assert isinstance(home, HomeScreen)
    return home


async def test_the_preview_shows_what_was_measured(tmp_path: Path) -> None:
    async with opened(with_csv(), tmp_path, LARGE) as (app, pilot):
        await picker_of(app, pilot)
        shown = text_of(app)
        for words in ("CSV in GB18030 · 312,000 rows · 84.2 MB", "(guessed; m sets it)",
                      "3 rows with an empty answer", "3 of 312,000 rows",
                      "p50 74  p95 210  p99 480  max 638", "zh 91 %, en 8 %, de <1 %"):  # fmt: skip
            assert words in shown
        assert "▁▆█▄▁▁" in shown


async def test_progress_and_findings_come_while_one_waits(tmp_path: Path) -> None:
    engine = with_csv()
    engine.scanning = [Scanning(rows=312_000, share=0.31, findings=(COPIES,))]
    engine.scan_gate.clear()
    async with opened(engine, tmp_path) as (app, pilot):
        await pilot.press("d")
        await until(pilot, lambda: "312,000 rows looked at, 31 %" in text_of(app))
        assert "12 rows repeating an earlier row" in text_of(app)
        assert engine.scans_open == 1
        await pilot.press("enter")
        engine.scan_gate.set()
        await until(pilot, lambda: home_of(app).training.dataset is not None)
        assert len(engine.calls["scan"]) == 1


async def test_leaving_breaks_the_look_off(tmp_path: Path) -> None:
    engine = with_csv()
    engine.scan_gate.clear()
    async with opened(engine, tmp_path) as (app, pilot):
        await pilot.press("d")
        await until(pilot, lambda: engine.scans_open)
        await pilot.press("escape")
        await until(pilot, lambda: not engine.scans_open)
        assert app.screen is home_of(app)


async def test_moving_on_breaks_the_look_off(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.scan_gate.clear()
    async with opened(engine, tmp_path) as (_, pilot):
        await pilot.press("d")
        await until(pilot, lambda: engine.scans_open)
        await pilot.press("down")
        await until(pilot, lambda: len(engine.calls["scan"]) == 2)
        assert engine.scans_open == 1


async def test_a_mapping_is_set_line_by_line_and_reaches_plan_and_task(tmp_path: Path) -> None:
    engine = with_csv()
    async with opened(engine, tmp_path) as (app, pilot):
        await picker_of(app, pilot)
        home_of(app).training.take_model(DEMO)
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, MappingDialog) and app.screen.field.value)
        dialog = app.screen
        assert dialog.field.value == "instruction=问题,output=答案"
        await pilot.press("down", "down", "down", "right", "right")
        rows = {row.label: row.value for row in dialog.query(ChoiceRow)}
        assert rows["input"] == "问题"
        await pilot.press("left", "enter")
        await until(pilot, lambda: "(set by you)" in text_of(app))
        mapping = {"instruction": "问题", "output": "答案", "input": "编号"}
        assert engine.calls["scan"][-1] == (CSV, mapping)
        await pilot.press("enter")
        await until(pilot, lambda: engine.calls["plan"])
        assert engine.calls["plan"][-1].mapping == mapping
        training = home_of(app).training
        await until(pilot, lambda: training.plan_panel.plan is not None)


async def test_a_mapping_is_set_as_text_where_the_format_is_unknown(tmp_path: Path) -> None:
    engine = with_csv()
    engine.inspections[CSV] = LoraDeckError("Unknown dataset format", "The keys are a, b.")
    async with opened(engine, tmp_path, LARGE) as (app, pilot):
        await pilot.press("d")
        await until(pilot, lambda: "m says which column holds what" in text_of(app))
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, MappingDialog))
        await pilot.press(*"instruction")
        await until(pilot, lambda: "✗ 'instruction' is not FIELD=COLUMN." in text_of(app))
        await pilot.press("enter")
        assert isinstance(app.screen, MappingDialog)
        engine.inspections[CSV] = measured()
        await pilot.press(*"=a,output=b", "enter")
        await until(pilot, lambda: "(set by you)" in text_of(app))
        assert engine.calls["scan"][-1] == (CSV, {"instruction": "a", "output": "b"})
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, MappingDialog))
        await pilot.press("f2")
        await until(pilot, lambda: "guessed" in text_of(app))
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, MappingDialog))
        await pilot.press("escape")
        assert isinstance(app.screen, DatasetPicker)


async def test_rows_open_from_the_picker_and_a_saved_version_is_listed(tmp_path: Path) -> None:
    engine = with_csv()
    async with opened(engine, tmp_path) as (app, pilot):
        picker = await picker_of(app, pilot)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, DatasetScreen) and app.screen.rows.row)
        await pilot.press("w", "enter")
        await until(pilot, lambda: engine.books.calls["save"])
        await pilot.press("q")
        saved = "/home/u/loradeck/datasets/问答.v2.jsonl"
        await until(pilot, lambda: app.screen is picker and picker.known.cursor == saved)
        await until(pilot, lambda: picker._shown and picker._shown.path == saved)


async def test_rows_open_from_home_and_a_saved_version_is_chosen(tmp_path: Path) -> None:
    engine = with_csv()
    async with opened(engine, tmp_path) as (app, pilot):
        training = home_of(app).training
        await pilot.press("e")
        assert "Choose a dataset first." in text_of(app)
        training.take_dataset(ChosenDataset(inspection(), {"output": "answer"}))
        training.take_model(DEMO)
        await until(pilot, lambda: training.plan_panel.plan is not None)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, DatasetScreen) and app.screen.rows.row)
        assert engine.books.calls["open"] == [(ALPACA, {"output": "answer"})]
        await until(pilot, lambda: engine.books.calls["render"])
        assert engine.books.calls["render"][0][1:] == ("demo", 128)
        await pilot.press("w", "enter")
        saved = "/home/u/loradeck/datasets/alpaca_example.v2.jsonl"
        await until(pilot, lambda: training.dataset.inspection.path == saved)
        assert training.dataset.mapping == {"output": "answer"}
        await pilot.press("q")
        await until(pilot, lambda: app.screen is home_of(app))


async def test_faulty_rows_are_left_out_when_asked(tmp_path: Path) -> None:
    engine = FakeEngine()
    faulty = inspection(findings=(EMPTY,), faulty=3)
    engine.inspections[ALPACA] = faulty
    async with opened(engine, tmp_path) as (app, pilot):
        training = home_of(app).training
        training.take_dataset(ChosenDataset(faulty))
        training.take_model(DEMO)
        await until(pilot, lambda: training.plan_panel.plan is not None)
        assert "3 rows cannot train · x leaves them out" in text_of(app)
        assert not training.plan_panel.ready
        await pilot.press("x")
        await until(pilot, lambda: training.start_row.button.has_focus)
        assert "3 rows are left out · x takes them in" in text_of(app)
        assert engine.calls["plan"][-1].leave_out
        await pilot.press("enter")
        await until(pilot, lambda: engine.calls["train"])
        assert engine.calls["train"][0].leave_out
        await pilot.press("x")
        await until(pilot, lambda: not engine.calls["plan"][-1].leave_out)


async def test_few_faulty_rows_are_left_out_without_asking(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        home_of(app).training.take_dataset(ChosenDataset(measured()))
        await pilot.pause()
        assert "3 rows are left out" in text_of(app)
        assert "chosen" in text_of(app)
        await pilot.press("x")
        await until(pilot, lambda: "are so few" in text_of(app))


async def test_a_pasted_dataset_shows_how_far_the_look_is(tmp_path: Path) -> None:
    engine = with_csv()
    engine.scanning = [Scanning(rows=1, share=None)]
    engine.scan_gate.clear()
    async with opened(engine, tmp_path) as (app, pilot):
        home_of(app).training.read(CSV)
        await until(pilot, lambda: "1 row looked at" in text_of(app))
        engine.scan_gate.set()
        await until(pilot, lambda: home_of(app).training.dataset is not None)


async def test_folders_that_are_datasets_are_chosen_from_the_tree(tmp_path: Path) -> None:
    engine = FakeEngine()
    saved = tmp_path / "work" / "saved"
    saved.mkdir()
    (saved / "state.json").write_text("{}")
    shards = tmp_path / "work" / "all"
    shards.mkdir()
    for folder in (saved, shards):
        engine.inspections[str(folder)] = inspection(str(folder))
    async with opened(engine, tmp_path) as (app, pilot):
        picker = await picker_of(app, pilot)
        await until(pilot, lambda: len(picker.files.root.children) == 3)
        picker.files.focus()
        await pilot.press("j")
        await pilot.press("o")
        training = home_of(app).training
        await until(pilot, lambda: training.dataset is not None)
        assert training.dataset.inspection.path == str(shards)
        app.pop_screen()
        picker = await picker_of(app, pilot)
        await pilot.press("slash", *"saved", "enter")
        await until(pilot, lambda: training.dataset.inspection.path == str(saved))


def test_names_that_datasets_have() -> None:
    for name in ("a.csv", "A.TSV", "b.parquet", "c.jsonl.gz", "d.md", "e.json.zst", "f.arrow"):
        assert is_dataset_name(name), name
    for name in ("a.pdf", "b.gz", "c", "d.tar.gz"):
        assert not is_dataset_name(name), name


def test_a_bin_with_rows_is_never_blank() -> None:
    bins = ((1, 1), (2, 0), (4, 1_000_000))
    histogram = Histogram(p50=4, p95=4, p99=4, longest=4, total=9, bins=bins)
    assert blocks(histogram) == "▁ █"
