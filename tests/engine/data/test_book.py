"""Open datasets: order, search, changes and their undoing, saving."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from engine.data.book import saving
from engine.data.book.book import Book
from engine.data.book.fill import fill
from engine.data.book.reports import FillRequest
from engine.data.book.store import create
from engine.errors import ConflictError, DiskFullError, LoraDeckError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Make = Callable[..., Book]


def alpaca(question: str, answer: str = "An answer.") -> dict[str, Any]:
    return {"instruction": question, "output": answer}


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Opens a book over rows, or over a file's text."""
    books: list[Book] = []

    def open_book(*rows: dict[str, Any], text: str = "") -> Book:
        path = tmp_path / "rows.jsonl"
        path.write_text(text or "".join(json.dumps(row) + "\n" for row in rows))
        folder = tmp_path / "books" / str(len(books))
        create(folder)
        reports = list(fill(FillRequest(path=str(path), folder=str(folder), mapping={})))
        assert reports[0].shape is not None
        assert reports[-1].complete
        books.append(Book(folder, reports[0].shape))
        return books[-1]

    yield open_book
    for book in books:
        book.close()
        assert not book.folder.exists()


def questions(book: Book, **wanted: Any) -> list[str]:
    """What the matching rows ask, in order; their numbers are checked on the way."""
    page = book.page(0, 500, **wanted)
    assert page.total == len(page.rows)
    if not wanted:
        assert [row.number for row in page.rows] == list(range(1, len(page.rows) + 1))
    return [row.value.get("instruction", "") for row in page.rows]


def state(book: Book) -> Any:
    """All that a user sees."""
    return book.page(0, 500), book.count(), book.codes(), book.unreadable()


def test_pages(make: Make) -> None:
    book = make(*[alpaca(f"q{number}") for number in range(700)])
    page = book.page(650, 100)
    assert (page.offset, page.total, len(page.rows)) == (650, 700, 50)
    assert (page.rows[0].number, page.rows[0].value["instruction"]) == (651, "q650")
    assert page.rows[0].summary == "q650"
    assert book.page(700, 10).rows == ()


def test_rows_put_in_one_behind_the_other_keep_their_order(make: Make) -> None:
    book = make(alpaca("a"), alpaca("b"))
    after = 1
    for number in range(60):
        after = book.insert(alpaca(str(number)), after).id
    for number in range(60):  # always behind the same row: keys must be spread anew
        book.insert(alpaca(f"x{number}"), 2)
    book.insert(alpaca("first"), None)
    numbers = list(map(str, range(60)))
    assert questions(book) == ["first", "a", *numbers, "b", *[f"x{n}" for n in range(59, -1, -1)]]
    assert book.count() == 123
    for row in book.page(0, 500, search="x5").rows:
        assert book.page(row.number - 1, 1).rows[0].id == row.id


def test_a_row_between_two_that_have_no_gap_left(make: Make) -> None:
    book = make(alpaca("a"), alpaca("b"))
    for number in range(100):
        book.insert(alpaca(str(number)), 1)
    assert questions(book) == ["a", *map(str, range(99, -1, -1)), "b"]
    for _ in range(100):
        book.undo()
    assert questions(book) == ["a", "b"]


def test_each_change_is_undone_in_turn(make: Make) -> None:
    book = make(alpaca("a"), alpaca("b", ""), alpaca("c"), alpaca("c"))
    states = [state(book)]
    doing: list[Callable[[], object]] = [
        lambda: book.change(2, alpaca("b2")),
        lambda: book.remove(1),
        lambda: book.insert(alpaca("new", ""), 2),
        lambda: book.change(2, alpaca("b3", "")),
        lambda: book.remove(2),
        lambda: book.insert(alpaca("top"), None),
        lambda: book.remove(book.page(0, 1).rows[0].id),
        lambda: book.remove(4),
    ]
    labels = [
        "edit of row 2", "deletion of row 1", "insertion of row 2", "edit of row 1",
        "deletion of row 1", "insertion of row 1", "deletion of row 1", "deletion of row 3",
    ]  # fmt: skip
    for number, (change, label) in enumerate(zip(doing, labels, strict=True), start=1):
        change()
        assert book.changes() == (number, label)
        states.append(state(book))
    assert questions(book) == ["new", "c"]
    for before in reversed(states[:-1]):
        book.undo()
        assert state(book) == before
    with pytest.raises(ConflictError):
        book.undo()


def test_search(make: Make) -> None:
    rows = [
        "100%",
        "1000",
        "a_b",
        "aXb",
        "Straße in Köln",
        "灯塔由谁看守？",
        'say "hi"\nthere',
        "ΟΔΟΣ",
    ]
    book = make(*map(alpaca, rows), {"instruction": "x", "output": "y", "meta": {"k": ["deep"]}})
    for wanted, found in (
        ("0%", ["100%"]),
        ("a_b", ["a_b"]),
        ("AXB", ["aXb"]),
        ("STRASSE", ["Straße in Köln"]),
        ("köLN", ["Straße in Köln"]),
        ("塔由", ["灯塔由谁看守？"]),
        ('"HI"', ['say "hi"\nthere']),
        ('hi" there', ['say "hi"\nthere']),
        ("οδος", ["ΟΔΟΣ"]),
        ("deep", ["x"]),
        ("instruction", []),
        ("answer.100", []),
        ("  ", [*rows, "x"]),
    ):
        assert questions(book, search=wanted) == found, wanted


def test_search_across_the_pieces_of_a_large_text(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.data.book.search._CHUNK", 64)
    book = make(*[alpaca(f"{'.' * number} needle {number}") for number in range(90)])
    assert len(questions(book, search="Needle")) == 90
    assert len(questions(book, search="needle 7")) == 11


def test_search_follows_changes(make: Make) -> None:
    book = make(alpaca("one"), alpaca("two"), alpaca("three"))
    book.change(2, alpaca("one and a half"))
    new = book.insert(alpaca("zeroth one"), None)
    assert questions(book, search="one") == ["zeroth one", "one", "one and a half"]
    assert questions(book, search="two") == []
    book.remove(new.id)
    book.remove(1)
    assert questions(book, search="one") == ["one and a half"]
    for _ in range(4):
        book.undo()
    assert questions(book, search="one") == ["one"]
    assert questions(book, search="two") == ["two"]


def test_filter(make: Make) -> None:
    book = make(alpaca("a"), alpaca("b", ""), alpaca("a"), alpaca("c", "<|im_end|> x"))
    assert book.codes()["empty-answer"] == 1
    assert questions(book, code="empty-answer") == ["b"]
    assert questions(book, code="duplicate") == ["a"]
    assert questions(book, code="*") == ["b", "a", "c"]
    assert questions(book, code="*", search="C") == ["c"]
    assert questions(book, code="no-such") == []
    row = book.page(1, 1).rows[0]
    assert (row.codes, bool(row.fault), row.edited) == (("empty-answer",), True, False)
    mended = book.change(row.id, alpaca("b"))
    assert (mended.codes, mended.fault, mended.edited) == ((), "", True)
    assert questions(book, code="empty-answer") == []


def test_rows_that_cannot_be_read_keep_their_place(make: Make, tmp_path: Path) -> None:
    good = json.dumps(alpaca("a"))
    book = make(text=f'{good}\n{{broken\n[1]\n{good[:-1]}, "x": "\\ud800"}}\n')
    rows = book.page(0, 10).rows
    assert [bool(row.fault) for row in rows] == [False, True, True, False]
    assert rows[1].value == {}
    assert book.unreadable() == 2
    assert rows[3].value["x"] == "?"
    path, count = saving.save(book, tmp_path, "rows.jsonl")
    assert count == 2
    assert path.read_text().splitlines()[1].endswith('"\\ud800"}')
    book.change(rows[1].id, alpaca("mended"))
    assert book.unreadable() == 1


def test_row_must_be_an_object(make: Make) -> None:
    book = make(alpaca("a"))
    deep: Any = {}
    for _ in range(500):
        deep = {"x": deep}
    for value in ([1], "text", None, 3, deep):
        with pytest.raises(LoraDeckError):
            book.change(1, value)
        with pytest.raises(LoraDeckError):
            book.insert(value, None)
    for act in (lambda: book.change(9, {}), lambda: book.remove(9), lambda: book.insert({}, 9)):
        with pytest.raises(NotFoundError):
            act()
    assert book.changes() == (0, "")
    assert book.change(1, {}).fault


def test_large_rows_come_in_smaller_pages(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.data.book.book._PAGE_CHARACTERS", 5000)
    book = make(alpaca("x" * 9000), alpaca("b" * 2000), alpaca("c" * 2000), alpaca("d" * 2000))
    assert [len(book.page(offset, 4).rows) for offset in range(4)] == [1, 2, 2, 1]


def test_many_threads(make: Make) -> None:
    book = make(*[alpaca(f"q{number}") for number in range(50)])
    failures: list[BaseException] = []

    def work(which: int) -> None:
        try:
            for number in range(10):
                book.change(which + 1, alpaca(f"t{which}.{number}"))
                book.insert(alpaca(f"n{which}.{number}"), which + 1)
                book.page(0, 50, search=f"t{which}")
                book.page(number, 5)
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(which,)) for which in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert (book.count(), book.changes()[0]) == (90, 80)
    for _ in range(80):
        book.undo()
    assert questions(book) == [f"q{number}" for number in range(50)]


def test_saving(make: Make, tmp_path: Path) -> None:
    book = make(alpaca("a"), alpaca("b", "é"))
    source = tmp_path / "rows.jsonl"
    before = source.read_bytes(), source.stat().st_mtime_ns
    book.change(1, alpaca("changed"))
    home = tmp_path / "datasets"
    home.mkdir()
    (home / "rows.v2.jsonl").write_text("taken")
    path, rows = saving.save(book, home, "rows.jsonl")
    assert (path.name, rows, path.stat().st_mode & 0o777) == ("rows.v3.jsonl", 2, 0o600)
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        alpaca("changed"), alpaca("b", "é")
    ]  # fmt: skip
    assert "é" in path.read_text()
    assert book.changes() == (0, "")
    assert not book.page(0, 1).rows[0].edited
    assert saving.save(book, home, "rows.v3.jsonl.gz")[0].name == "rows.v4.jsonl"
    assert saving.save(book, home, "x", "mine")[0].name == "mine.jsonl"
    with pytest.raises(ConflictError):
        saving.save(book, home, "x", "mine.jsonl")
    for name in ("../up", "a/b", ".hidden", "rows.csv", "a\nb", "x" * 300):
        with pytest.raises(LoraDeckError):
            saving.save(book, home, "x", name)
    assert (source.read_bytes(), source.stat().st_mtime_ns) == before
    assert (home / "rows.v2.jsonl").read_text() == "taken"
    assert not list(home.glob(".*"))


def test_crash_in_save_leaves_nothing_and_keeps_the_changes(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = make(alpaca("a"))
    book.change(1, alpaca("changed"))
    home = tmp_path / "datasets"
    home.mkdir()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            saving.save(book, home, "rows.jsonl")
    monkeypatch.setattr(saving, "_ROOM_LEFT", 1 << 60)
    with pytest.raises(DiskFullError):
        saving.save(book, home, "rows.jsonl")
    assert not list(home.iterdir())
    assert book.changes() == (1, "edit of row 1")


def test_nothing_is_left_to_save(make: Make, tmp_path: Path) -> None:
    book = make(alpaca("a"))
    book.remove(1)
    assert book.page(0, 5).rows == ()
    with pytest.raises(LoraDeckError, match="no row left"):
        saving.save(book, tmp_path, "rows.jsonl", "none")
    assert not (tmp_path / "none.jsonl").exists()


def test_copy_is_for_the_user_alone(make: Make) -> None:
    book = make(alpaca("a"))
    book.change(1, alpaca("b"))
    assert book.folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in book.folder.iterdir()} == {0o600}
