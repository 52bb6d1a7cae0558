"""The dataset screen: rows by the page, search, filter, edits, undo, saving."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

import screens.dataset
from engine.data.types import Shape
from engine.errors import LoraDeckError
from screens.book import next_version
from screens.dataset import DatasetScreen
from screens.dialogs import ConfirmDialog, ErrorDialog
from screens.row_editor import RowEditor
from screens.save_dialog import SaveDialog
from screens.widgets.edit_area import EditArea
from screens.widgets.row_list import PAGE
from tests.tui.conftest import LARGE, SMALL, burst, opened, text_of, until
from tests.tui.fake_books import FakeBooks
from tests.tui.fake_engine import ALPACA, FakeEngine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from textual.pilot import Pilot

    from engine.data.types import RenderedRow
    from engine.server.wire import DatasetInfo
    from tui.app import LoraDeckApp


@asynccontextmanager
async def rows_of(
    engine: FakeEngine, root: Path, size: tuple[int, int] = SMALL, length: int | None = None
) -> AsyncIterator[tuple[LoraDeckApp, Pilot[None], DatasetScreen]]:
    """Open a dataset's rows with the demo model chosen."""
    async with opened(engine, root, size) as (app, pilot):
        app.session.base_model = "demo"
        saved: list[DatasetInfo] = []
        screen = DatasetScreen(app.session, ALPACA, {}, saved.append, length)
        app.push_screen(screen)
        await until(pilot, lambda: screen.book is not None and screen.rows.row)
        yield app, pilot, screen


async def shows(app: LoraDeckApp, pilot: Pilot[None], words: str) -> None:
    """Wait until the screen shows these words."""
    await until(pilot, lambda: words in text_of(app))


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_rows_are_listed_and_shown_with_the_trained_part(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with rows_of(FakeEngine(), tmp_path, size) as (app, pilot, screen):
        await until(
            pilot, lambda: " trained" in text_of(app) and "<|im_start|>user" in text_of(app)
        )
        shown = text_of(app)
        assert "17 tokens, 9 trained" in shown
        assert "6 rows · 2 kinds of findings" in shown
        assert "✗ What is the café" in shown
        await pilot.press("j", "j")
        await shows(app, pilot, "cannot train: the answer is empty")
        await pilot.press("down", "G", "g")
        assert screen.rows.place == 0


async def test_control_characters_and_markup_are_shown(tmp_path: Path) -> None:
    async with rows_of(FakeEngine(), tmp_path) as (app, pilot, screen):
        screen.rows.cursor = "4"
        await until(pilot, lambda: "It is shown" in text_of(app))
        assert "Say [red]x[/] ␛[2J" in text_of(app)
        assert "\x1b" not in text_of(app)


async def test_without_a_model_the_turns_are_shown(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with opened(engine, tmp_path) as (app, pilot):
        app.push_screen(DatasetScreen(app.session, ALPACA, {}, lambda _: None))
        await shows(app, pilot, "Choose a base model at Home")
        await shows(app, pilot, "assistant  Ada Morrow keeps")
        assert not engine.books.calls["render"]


async def test_a_model_that_cannot_render_leaves_the_turns(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.books.refused_render = LoraDeckError("No", "The model is not fetched.")
    async with rows_of(engine, tmp_path) as (app, pilot, _):
        await shows(app, pilot, "Not rendered: The model is not fetched.")
        await shows(app, pilot, "assistant  Ada Morrow keeps")


async def test_a_row_that_takes_long_is_waited_for_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, gate = FakeEngine(), asyncio.Event()
    render = engine.books.render

    async def late(*given: Any, **more: Any) -> RenderedRow:
        await gate.wait()
        return await render(*given, **more)

    monkeypatch.setattr(screens.dataset, "WAIT_SECONDS", 0.01)
    monkeypatch.setattr(engine.books, "render", late)
    async with rows_of(engine, tmp_path) as (app, pilot, _):
        await shows(app, pilot, "Reading…")
        gate.set()
        await shows(app, pilot, "<|im_start|>user")
        assert "Reading…" not in text_of(app)


async def test_a_length_limit_shows_where_it_cuts(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with rows_of(engine, tmp_path, length=12) as (app, pilot, _):
        await shows(app, pilot, "cut off")
        assert "✂" in text_of(app)
        assert engine.books.calls["render"][0][2] == 12


async def test_a_million_rows_cost_only_the_pages_in_sight(tmp_path: Path) -> None:
    class Many(FakeBooks):
        async def rows(self, book, *, offset=0, limit=50, search="", code=""):  # type: ignore[no-untyped-def]
            page = await super().rows(book, offset=0, limit=limit)
            moved = [
                row.model_copy(update={"number": offset + index, "id": offset + index})
                for index, row in enumerate(page.rows, 1)
            ]
            self.calls["rows"][-1] = (offset, limit, search, code)
            return page.model_copy(
                update={"rows": tuple(moved), "total": 1_000_000, "offset": offset}
            )

    engine = FakeEngine()
    engine.books = Many([{"instruction": f"q{n}", "output": "a"} for n in range(PAGE)])
    async with rows_of(engine, tmp_path) as (app, pilot, screen):
        await shows(app, pilot, "q3")
        assert len(engine.books.calls["rows"]) == 1
        await pilot.press("G")
        await until(pilot, lambda: screen.rows.row and screen.rows.row.number == 1_000_000)
        await shows(app, pilot, "1,000,000")
        await pilot.press("pageup", "pageup", "g")
        await until(pilot, lambda: screen.rows.row and screen.rows.row.number == 1)
        assert len(engine.books.calls["rows"]) < 8


async def test_rows_come_while_the_file_is_still_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Filling(FakeBooks):
        looks = 0

        async def info(self, book):  # type: ignore[no-untyped-def]
            self.looks += 1
            if self.looks == 3:
                self.order.append(7)
                self.values[7] = {"instruction": "Late?", "output": "Yes."}
            found = await super().info(book)
            return found.model_copy(update={"complete": self.looks > 3, "share": 0.5})

    monkeypatch.setattr("screens.dataset.FILL_SECONDS", 0.01)
    engine = FakeEngine()
    engine.books = Filling()
    async with rows_of(engine, tmp_path) as (app, pilot, screen):
        await shows(app, pilot, "7 rows · 2 kinds of findings")
        assert "reading on" not in text_of(app)
        await pilot.press("G")
        await until(pilot, lambda: screen.rows.row and screen.rows.row.number == 7)


async def test_pages_of_few_large_rows_are_filled_up(tmp_path: Path) -> None:
    class Large(FakeBooks):
        async def rows(self, book, *, offset=0, limit=50, search="", code=""):  # type: ignore[no-untyped-def]
            return await super().rows(
                book, offset=offset, limit=min(limit, 2), search=search, code=code
            )

    engine = FakeEngine()
    engine.books = Large()
    async with rows_of(engine, tmp_path) as (_, pilot, screen):
        await pilot.press("G")
        await until(pilot, lambda: screen.rows.row and screen.rows.row.number == 6)


async def test_search_narrows_and_escape_ends_it(tmp_path: Path) -> None:
    async with rows_of(FakeEngine(), tmp_path) as (app, pilot, screen):
        await pilot.press("slash", *"FERRY")
        await shows(app, pilot, "1 of 6 rows · with 'FERRY'")
        await pilot.press("enter")
        assert screen.rows.has_focus
        assert screen.rows.row.number == 2
        await pilot.press("escape")
        await until(pilot, lambda: len(screen.rows.items) == 6)
        assert app.screen is screen
        await pilot.press("slash", *"nothing like that")
        await shows(app, pilot, "No row fits.")
        await pilot.press("escape", "escape")
        await until(pilot, lambda: app.screen is not screen)


async def test_the_filter_goes_through_the_findings(tmp_path: Path) -> None:
    async with rows_of(FakeEngine(), tmp_path) as (app, pilot, _):
        for words in ("2 of 6 rows · ▲ any finding", "1 of 6 rows · ▲ empty answer",
                      "1 of 6 rows · ▲ duplicate", "6 rows · 2 kinds"):  # fmt: skip
            await pilot.press("f")
            await shows(app, pilot, words)


async def test_nothing_to_filter_is_said(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.books = FakeBooks([{"instruction": "q", "output": "a"}])
    async with rows_of(engine, tmp_path) as (app, pilot, _):
        await pilot.press("f")
        await shows(app, pilot, "No row has a finding.")
        await pilot.press("u")
        await shows(app, pilot, "There is nothing to take back.")


async def editor(app: LoraDeckApp, pilot: Pilot[None], key: str = "e") -> RowEditor:
    """Open the editor of the row under the cursor."""
    await pilot.press(key)
    await until(pilot, lambda: isinstance(app.screen, RowEditor) and app.screen.query(EditArea))
    assert isinstance(app.screen, RowEditor)
    return app.screen


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_a_mended_row_is_kept_and_the_mask_follows(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    engine = FakeEngine()
    async with rows_of(engine, tmp_path, size) as (app, pilot, screen):
        await pilot.press("j", "j")
        await editor(app, pilot, "enter")
        await shows(app, pilot, "cannot train: the answer is empty")
        await pilot.press("tab", *"The Gull")
        await until(pilot, lambda: "3 trained" in text_of(app))
        await pilot.press("f2")
        await until(pilot, lambda: app.screen is screen)
        await shows(app, pilot, "✎ 1 change not saved")
        assert engine.books.values[3]["output"] == "The Gull"
        await shows(app, pilot, "The Gull<|im_end|>")
        await shows(app, pilot, "1 kind of findings")


async def test_an_edit_given_up_is_asked_about(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with rows_of(engine, tmp_path) as (app, pilot, screen):
        await editor(app, pilot)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        edit = await editor(app, pilot)
        await pilot.press("x", "escape")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("n")
        await until(pilot, lambda: app.screen is edit)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("y")
        await until(pilot, lambda: app.screen is screen)
        assert not engine.books.history


async def test_the_whole_row_can_be_edited_as_json(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with rows_of(engine, tmp_path) as (app, pilot, screen):
        edit = await editor(app, pilot)
        await pilot.press("f3")
        await until(pilot, lambda: len(edit.query(EditArea)) == 1)
        area = edit.query_one(EditArea)
        area.text = '{"instruction": "q", '
        await shows(app, pilot, "✗ The row is no valid JSON: line 1, column 22")
        await pilot.press("f2")
        assert app.screen is edit
        area.text = '{"instruction": "q", "output": "a", "n": 3}'
        await pilot.press("f3")
        await until(pilot, lambda: len(edit.query(EditArea)) == 3)
        await pilot.press("f2")
        await until(pilot, lambda: app.screen is screen)
        await until(pilot, lambda: engine.books.values[1].get("n") == 3)


async def test_turns_are_edited_one_after_the_other(tmp_path: Path) -> None:
    engine = FakeEngine()
    turns = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Ho"}]
    shape = Shape(dataset_type="sharegpt", columns={"conversations": "conversations"})
    engine.books = FakeBooks([{"conversations": turns}], shape)
    async with rows_of(engine, tmp_path) as (app, pilot, screen):
        await editor(app, pilot)
        assert "conversations 2 gpt" in text_of(app)
        await pilot.press("tab", "end", *"!", "f2")
        await until(pilot, lambda: app.screen is screen)
        await until(pilot, lambda: engine.books.history)
        assert engine.books.values[1]["conversations"][1] == {"from": "gpt", "value": "Ho!"}


async def test_add_copy_delete_and_undo(tmp_path: Path) -> None:
    engine = FakeEngine()
    books = engine.books
    async with rows_of(engine, tmp_path) as (app, pilot, screen):
        await pilot.press("c")
        await until(pilot, lambda: len(books.order) == 7 and screen.rows.place == 1)
        assert books.values[books.order[1]] == books.values[1]
        await pilot.press("d")
        await shows(app, pilot, "Row 2 is deleted; u takes that back.")
        assert len(books.order) == 6
        await editor(app, pilot, "a")
        await pilot.press(*"New", "tab", *"One", "f2")
        await until(pilot, lambda: app.screen is screen and len(books.order) == 7)
        assert books.values[books.order[2]] == {"instruction": "New", "output": "One"}
        await until(pilot, lambda: screen.rows.row and screen.rows.row.number == 3)
        await pilot.press("u")
        await shows(app, pilot, "Taken back: new row 3.")
        await pilot.press("u", "u")
        await until(pilot, lambda: not books.history)
        assert books.order == [1, 2, 3, 4, 5, 6]


async def test_the_last_row_can_go_and_the_first_come(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.books = FakeBooks([{"instruction": "q", "output": "a"}])
    async with rows_of(engine, tmp_path) as (app, pilot, screen):
        await pilot.press("d")
        await shows(app, pilot, "No row fits.")
        await pilot.press("d", "e", "c", "v")
        await editor(app, pilot, "a")
        await pilot.press(*"x", "f2")
        await until(pilot, lambda: screen.rows.items)
        assert engine.books.values[engine.books.order[0]] == {"instruction": "x", "output": ""}


async def test_an_inserted_row_ends_the_filter(tmp_path: Path) -> None:
    async with rows_of(FakeEngine(), tmp_path) as (_, pilot, screen):
        await pilot.press("f")
        await until(pilot, lambda: len(screen.rows.items) == 2)
        await pilot.press("c")
        await until(pilot, lambda: len(screen.rows.items) == 7 and screen.rows.place == 3)


async def test_saving_proposes_a_name_and_tells_the_path(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with rows_of(engine, tmp_path) as (app, pilot, screen):
        await pilot.press("d")
        await shows(app, pilot, "not saved")
        await pilot.press("w")
        await until(pilot, lambda: isinstance(app.screen, SaveDialog))
        assert app.screen.field.value == "alpaca_example.v2.jsonl"
        app.screen.field.value = "taken.jsonl"
        await pilot.press("enter")
        await shows(app, pilot, "✗ There is a 'taken.jsonl'.")
        app.screen.field.value = ""
        burst(app, *"mine.jsonl", "enter")
        await shows(app, pilot, "/home/u/loradeck/datasets/mine.jsonl")
        assert "not saved" not in text_of(app)
        await pilot.press("w", "escape", "escape")
        await until(pilot, lambda: app.screen is not screen)
        assert engine.books.calls["close"] == ["book"]


async def test_leaving_with_changes_asks(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with rows_of(engine, tmp_path) as (app, pilot, screen):
        await pilot.press("d")
        await shows(app, pilot, "not saved")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("y")
        await until(pilot, lambda: app.screen is not screen)
        await until(pilot, lambda: engine.books.calls["close"])


async def test_the_palette_and_quitting_do_not_lose_changes(tmp_path: Path) -> None:
    async with rows_of(FakeEngine(), tmp_path) as (app, pilot, screen):
        await pilot.press("d")
        await shows(app, pilot, "not saved")
        await app.ways._at_home("model")
        assert app.screen is screen
        await shows(app, pilot, "Save what you changed")
        await pilot.press("ctrl+q")
        assert app.screen is screen
        await pilot.press("u")
        await until(pilot, lambda: not screen.unsaved)
        await app.ways._at_home("tasks")
        assert app.screen is not screen


async def test_a_dataset_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.books.refused = LoraDeckError("Broken [b]JSON", "line 4: a comma is missing.", "Add it.")
    async with opened(engine, tmp_path) as (app, pilot):
        screen = DatasetScreen(app.session, ALPACA, {}, lambda _: None)
        app.push_screen(screen)
        await shows(app, pilot, "line 4: a comma is missing.")
        await pilot.press("e", "f", "u", "w", "a", "escape")
        await until(pilot, lambda: app.screen is not screen)


async def test_zoom_and_steps_read_row_after_row(tmp_path: Path) -> None:
    async with rows_of(FakeEngine(), tmp_path) as (app, pilot, screen):
        await pilot.press("z")
        assert screen.view.has_focus
        assert not screen.rows.display
        await pilot.press("n", "n", "p")
        await shows(app, pilot, "Row 2")
        await pilot.press("z")
        assert screen.rows.has_focus


async def test_without_an_editor_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", "no-such-editor -w")
    async with rows_of(FakeEngine(), tmp_path) as (app, pilot, _):
        await pilot.press("v")
        await until(pilot, lambda: isinstance(app.screen, ErrorDialog))
        assert "'no-such-editor' is not there" in text_of(app)


async def test_ones_own_editor_changes_the_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "editor"
    script.write_text('#!/bin/sh\nprintf \'{"instruction": "q", "output": "mine"}\' > "$1"\n')
    script.chmod(0o700)
    monkeypatch.setenv("VISUAL", str(script))
    engine = FakeEngine()
    async with rows_of(engine, tmp_path) as (app, pilot, _):
        monkeypatch.setattr(type(app._driver), "can_suspend", True)
        monkeypatch.setattr(type(app._driver), "suspend_application_mode", lambda _: None)
        monkeypatch.setattr(type(app._driver), "resume_application_mode", lambda _: None)
        await pilot.press("v")
        await until(pilot, lambda: engine.books.values[1]["output"] == "mine")


async def test_a_terminal_that_cannot_be_lent_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", "true")
    async with rows_of(FakeEngine(), tmp_path) as (app, pilot, _):
        await pilot.press("v")
        await shows(app, pilot, "No terminal to lend")


def test_versions_are_counted() -> None:
    assert next_version("/a/rows.csv.gz", set()) == "rows.v2.jsonl"
    assert next_version("/a/rows.v2.jsonl", {"rows.v2.jsonl"}) == "rows.v3.jsonl"
    assert next_version("/a/.hidden", set()) == ".hidden.v2.jsonl"
