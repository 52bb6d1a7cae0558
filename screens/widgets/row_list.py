"""The rows of an open dataset: only the pages in sight are held, so a million cost no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, overload

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message

from engine.language import tr
from screens.format import LEVELS, one_line
from screens.widgets.line_list import LineList

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.data.types import BookPage, BookRow

PAGE = 50
_PAGES_HELD = 12


class _Numbers(Sequence[str]):
    """The keys ``0`` to ``count - 1``, none of them stored."""

    def __init__(self, count: int) -> None:
        self._range = range(count)

    def __len__(self) -> int:
        return len(self._range)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [str(number) for number in self._range[index]]
        return str(self._range[index])


class _Places(Mapping[str, int]):
    """The place of each such key."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        return map(str, range(self._count))

    def __getitem__(self, key: str) -> int:
        if key.isdecimal() and int(key) < self._count:
            return int(key)
        raise KeyError(key)


class _Rows(Mapping[str, "BookRow | None"]):
    """The row at each place; ``None`` where it is not held."""

    def __init__(self, count: int, pages: dict[int, list[BookRow]]) -> None:
        self._count = count
        self._pages = pages

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        return map(str, range(self._count))

    def __getitem__(self, key: str) -> BookRow | None:
        if not (key.isdecimal() and int(key) < self._count):
            raise KeyError(key)
        page, place = divmod(int(key), PAGE)
        rows = self._pages.get(page, [])
        return rows[place] if place < len(rows) else None


class RowList(LineList["BookRow | None"]):
    """Rows by number, mark and summary; asks for the pages that come into sight."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Edit", show=False, id="rows.choose", tooltip="Edit the row"),
    ]

    @dataclass
    class Wanted(Message):
        """Pages are in sight that are not held."""

        pages: tuple[int, ...]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(tr("Opening…"), id=id)
        self._pages: dict[int, list[BookRow]] = {}

    # What others tell the list

    def begin(self, page: BookPage, place: int = 0) -> None:
        """Show other rows than before, of which this page is known; go to a place."""
        self._pages.clear()
        self._hold(page)
        self._resize(page.total)
        self.cursor = str(max(0, min(place, page.total - 1))) if page.total else None
        self._ask()

    def take(self, page: BookPage) -> None:
        """Take a page that was asked for."""
        self._hold(page)
        if page.total != len(self._keys):
            self._resize(page.total)
            if self.place >= page.total:
                self.cursor = str(page.total - 1) if page.total else None
        self.refresh()

    def replace(self, row: BookRow) -> None:
        """Show a row as it is now, where it is held."""
        for index, rows in self._pages.items():
            for place, held in enumerate(rows):
                if held.id == row.id:
                    rows[place] = row
                    self.redraw(str(index * PAGE + place))

    @property
    def place(self) -> int:
        """Where the cursor stands among the rows, counted from 0."""
        return int(self.cursor or 0)

    @property
    def row(self) -> BookRow | None:
        """The row under the cursor, once it is held."""
        return self.items.get(self.cursor or "")

    def _hold(self, page: BookPage) -> None:
        """Keep a page, and let the one go that is farthest from it."""
        index = page.offset // PAGE
        self._pages[index] = list(page.rows)
        while len(self._pages) > _PAGES_HELD:
            del self._pages[max(self._pages, key=lambda held: abs(held - index))]

    def _resize(self, count: int) -> None:
        """Be a list of so many rows."""
        self.items = _Rows(count, self._pages)
        self._keys, self._places = _Numbers(count), _Places(count)
        self._starts = range(count + 1)
        self._resize_content()
        self.refresh()

    # Asking

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Ask for what comes into sight."""
        super().watch_scroll_y(old_value, new_value)
        self._ask()

    def on_resize(self) -> None:
        """Ask for what comes into sight."""
        super().on_resize()
        self._ask()

    def _ask(self) -> None:
        """Ask for the pages in sight, and the cursor's, that are not held."""
        count = len(self._keys)
        if not count:
            return
        top = min(round(self.scroll_target_y), count - 1)
        last = min(top + max(self.size.height, 1), count - 1)
        pages = {*range(top // PAGE, last // PAGE + 1), self.place // PAGE}
        if wanted := tuple(sorted(pages - self._pages.keys())):
            self.post_message(self.Wanted(wanted))

    def watch_cursor(self, before: str | None, now: str | None) -> None:
        """Ask for the cursor's row as well."""
        super().watch_cursor(before, now)
        self._ask()

    # Drawing

    def lines_of(self, item: BookRow | None, width: int) -> list[Text]:
        """Draw a row; one that is not there yet as dots."""
        if item is None:
            return [Text("  …", self.tone("dim"))]
        digits = max(len(f"{len(self._keys):,}"), 3)
        number = Text(f"{item.number:>{digits},} ", self.tone("dim"))
        summary = one_line(item.summary) or tr("(empty)")
        line = Text.assemble(number, self._mark(item), " ", summary)
        line.truncate(width, overflow="ellipsis")
        return [line]

    def _mark(self, row: BookRow) -> Text:
        """Mark a row: cannot train, has findings, edited; by shape and colour."""
        edited = Text("✎", self.tone("run")) if row.edited else Text(" ")
        sign = LEVELS["error"] if row.fault else LEVELS["warning"]
        found = Text(sign.glyph, self.tone(sign.tone)) if row.fault or row.codes else Text(" ")
        return edited + found
