"""What the terminal can draw, and what is written to it past the screen."""

from __future__ import annotations

import os
from threading import Event
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len
from textual import events
from textual.drivers.linux_driver import LinuxDriver

from screens.dataset_picker import DatasetPicker
from screens.task import TaskScreen
from tests.tui.conftest import LARGE, SMALL, make_app, opened, text_of, until
from tests.tui.fake_engine import FakeEngine, running, some_tasks, training_events
from tui.ascii import ascii_of
from tui.keyboard import Reader
from tui.terminal import draws_glyphs, notification, title

if TYPE_CHECKING:
    from pathlib import Path

    from textual.message import Message


@pytest.mark.parametrize(
    ("setting", "term", "encoding", "drawn"),
    [
        ("auto", "xterm-256color", "utf-8", True),
        ("auto", "linux", "UTF8", False),
        ("auto", "xterm", "ISO-8859-1", False),
        ("auto", "xterm", "no-such-encoding", False),
        ("unicode", "linux", "ascii", True),
        ("ascii", "xterm", "utf-8", False),
    ],
)
def test_glyphs_are_drawn_where_they_are_known(
    setting: str, term: str, encoding: str, drawn: bool
) -> None:
    assert draws_glyphs(setting, {"TERM": term}, encoding) is drawn


def test_every_sign_has_ascii_of_its_width_and_letters_stay() -> None:
    signs = [chr(code) for code in (*range(0x2010, 0x3000), 0x1F600) if chr(code).isprintable()]
    for sign in signs:
        assert cell_len(ascii_of(sign)) == cell_len(sign), sign
    assert "".join(map(ascii_of, "╭─━┬│╯")) == "+-=+|+"
    assert "".join(map(ascii_of, "⠀⠁⣿▁█✓✗►‖○●")) == " .#_#vx>=o*"
    assert "".join(map(ascii_of, "Ünïcode 中文，「好」 Ж")) == "Ünïcode 中文，「好」 Ж"
    assert [ascii_of("é", "latin-1"), ascii_of("中", "latin-1")] == ["é", "??"]


async def test_whole_screens_are_drawn_in_ascii(tmp_path: Path) -> None:
    engine = FakeEngine([running()])
    engine.event_script["00000001"] = training_events(11)
    async with opened(engine, tmp_path, LARGE, glyphs="ascii") as (app, pilot):
        assert text_of(app).isascii()
        await pilot.press("t", "enter")
        await until(pilot, lambda: isinstance(app.screen, TaskScreen))
        await until(pilot, lambda: "smoothed" in text_of(app))
        assert text_of(app).isascii()
        await pilot.press("f1")
        await pilot.pause()
        assert text_of(app).isascii()
        await pilot.press("escape", "escape", "d")
        await until(pilot, lambda: isinstance(app.screen, DatasetPicker) and app.screen._shown)
        await until(pilot, lambda: app.screen.files.root.children)
        assert text_of(app).isascii()


def test_a_sequence_holds_nothing_that_ends_it() -> None:
    assert title("a\x07b\x1b]0;c\n") == "\x1b]2;a␇b␛]0,c \x07"
    assert notification("osc9", "Done", "a;b", {}) == "\x1b]9;Done: a,b\x07"
    assert notification("osc777", "Done", "a;b", {}) == "\x1b]777;notify;Done;a,b\x07"
    wrapped = notification("osc9", "Done", "x", {"TMUX": "1"})
    assert wrapped == "\x1bPtmux;\x1b\x1b]9;Done: x\x07\x1b\\"


@pytest.mark.parametrize("lead", ["", "t enter", "d", "comma", "ctrl+p", "H G d"])
async def test_a_terminal_of_a_few_cells_ends_nothing(tmp_path: Path, lead: str) -> None:
    async with opened(FakeEngine([running(), *some_tasks()]), tmp_path) as (app, pilot):
        for key in lead.split():
            await pilot.press(key)
        before = app.screen
        for size in ((5, 3), (2, 1), SMALL):
            await pilot.resize_terminal(*size)
            await pilot.pause()
        assert app.screen is before


class _Keyboard(LinuxDriver):
    """Textual's reading of the keyboard alone, until it is told to end."""

    def __init__(self, file: int) -> None:
        self.fileno, self._debug, self.exit_event = file, False, Event()
        self.keys: list[str] = []

    def process_message(self, message: Message) -> None:
        """Note a key."""
        if isinstance(message, events.Key):
            self.keys.append(message.character or "")
        if self.keys[-1:] == ["q"]:
            self.exit_event.set()


def test_bytes_that_are_not_utf_8_do_not_end_the_dashboard(tmp_path: Path) -> None:
    make_app(FakeEngine(), tmp_path)
    reading, writing = os.pipe()
    os.write(writing, b"a\xff" + "ä".encode() + b"q")
    keyboard = _Keyboard(reading)
    keyboard.run_input_thread()
    os.close(writing)
    os.close(reading)
    assert keyboard.keys == ["a", "\ufffd", "ä", "q"]


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_a_paste_is_no_keys_however_it_is_cut(size: int) -> None:
    sent = "\x1b[A ä\x1b[200~a\x1b[31mm\x1b\x1b[20\x1b[201~\x1bq\x1b[200~b\x1b[201~".encode()
    reader = Reader()
    read = "".join(reader.decode(sent[at : at + size]) for at in range(0, len(sent), size))
    assert read == "\x1b[A ä\x1b[200~a[31mm[20\x1b[201~\x1bq\x1b[200~b\x1b[201~"


def test_a_lone_escape_does_not_wait() -> None:
    assert Reader().decode(b"\x1b") == "\x1b"
