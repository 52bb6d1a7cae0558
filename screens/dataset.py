"""A dataset's rows: page through them, search, edit, and save a new version."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.getters import query_one
from textual.widgets import Input, Static

from engine.errors import LoraDeckError
from engine.language import tr, trn
from engine.text import visible
from screens.base import back_binding
from screens.book import ANY, OpenBook
from screens.dialogs import ConfirmDialog
from screens.finding_codes import code_words
from screens.format import one_line
from screens.layers import ask
from screens.rendering import code_note, show_value
from screens.row_changes import RowChanges
from screens.widgets.field import Field
from screens.widgets.line_list import LineList
from screens.widgets.row_list import PAGE, RowList
from screens.widgets.row_view import RowView

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from textual.app import ComposeResult

    from engine.data.types import BookInfo
    from engine.server.wire import DatasetInfo
    from screens.session import Session

SETTLE_SECONDS = 0.12  # seconds that the cursor, or the typing of a search, rests
WAIT_SECONDS = 0.3  # seconds from which on a wait for a row is said
FILL_SECONDS = 1.0  # between two looks at a dataset that is still being read in


class DatasetScreen(RowChanges):
    """Owns an open copy of a dataset; the user's own file is never touched.

    Args:
        session: The dashboard's session.
        path: The dataset.
        mapping: Which column holds what, where the user set it.
        saved: Is told of each version that is saved.
        length: The planned length limit in tokens, to show where it cuts.
    """

    CSS_PATH = "dataset.tcss"
    AUTO_FOCUS = "RowList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", key_display="/", id="rows.search",
                tooltip="Show only the rows with a text"),
        Binding("f", "filter", "Findings", id="rows.filter",
                tooltip="Show only rows with findings: any, then each kind, then all rows again"),
        Binding("e", "edit", "Edit", id="rows.edit", tooltip="Edit the row"),
        Binding("u", "undo", "Undo", id="rows.undo", tooltip="Take the last change back"),
        Binding("w", "save", "Save", id="rows.save",
                tooltip="Save all rows as a new version of the dataset"),
        Binding("a", "add", "Add", show=False, id="rows.add",
                tooltip="Write a new row after this one"),
        Binding("c", "copy", "Copy", show=False, id="rows.copy", tooltip="Duplicate the row"),
        Binding("d,delete", "remove", "Delete", show=False, id="rows.delete",
                tooltip="Delete the row"),
        Binding("v", "outside", "$EDITOR", show=False, id="rows.outside",
                tooltip="Edit the row as JSON in your own editor ($EDITOR)"),
        Binding("z", "zoom", "Row alone", show=False, id="rows.zoom",
                tooltip="Show the row alone, or the list beside it again"),
        Binding("n", "step(1)", "Next row", show=False, id="rows.next", tooltip="Next row"),
        Binding("p", "step(-1)", "Row before", show=False, id="rows.previous",
                tooltip="Row before"),
        Binding("right,l", "app.focus_next", "Next", show=False, id="rows.right",
                tooltip="Go to the row's text, to scroll it"),
        Binding("left,h", "app.focus_previous", "Previous", show=False, id="rows.left",
                tooltip="Go to the list"),
        back_binding(),
    ]  # fmt: skip

    view = query_one(RowView)
    search = query_one(Field)

    def __init__(
        self,
        session: Session,
        path: str,
        mapping: Mapping[str, str],
        saved: Callable[[DatasetInfo], object],
        length: int | None = None,
    ) -> None:
        super().__init__(session, saved, length)
        self._path, self._mapping = path, dict(mapping)

    @property
    def unsaved(self) -> bool:
        """Tell whether a change is not saved."""
        return self.book is not None and self.book.info.changes > 0

    def heading(self) -> str:
        """Name the dataset."""
        return tr("Rows of {name}", name=self._path.rstrip("/").rsplit("/", 1)[-1])

    def compose_body(self) -> ComposeResult:
        """Lay out state, search, list and row."""
        with Horizontal(id="state"):
            yield Static(tr("Opening…"), id="matches", markup=False)
            yield Static(id="changes", markup=False)
        with Horizontal(id="search-line"):
            yield Static("/ ", markup=False)
            yield Field(tr("a text in any field"), id="search")
        with Container(id="panes"):
            rows = RowList(id="rows")
            rows.border_title = tr("Rows")
            yield rows
            yield RowView(id="row")

    def on_mount(self) -> None:
        """Open the dataset."""
        self.view.border_title = tr("Row")
        self._open()

    @work(group="open", exclusive=True, exit_on_error=False)
    async def _open(self) -> None:
        """Open a copy of the dataset, and follow it while it is being read in."""
        try:
            self.book = await OpenBook.open(self.session, self._path, self._mapping)
        except LoraDeckError as error:
            self.rows.empty = tr("It cannot be opened.")
            self.rows.refresh()
            self.view.refuse(error)
            self.query_one("#matches", Static).update("")
            return
        self.rows.empty = tr("No row fits.")
        await self._reload(0)
        await self._follow_reading(self.book)

    async def _follow_reading(self, book: OpenBook) -> None:
        """Show what comes while the file is still being read in."""
        while not book.info.complete and not book.info.problem:
            await asyncio.sleep(FILL_SECONDS)
            before = book.info.rows
            await book.refresh()
            if book.info.rows != before:
                self.rows.take(await book.page(self.rows.place // PAGE))
            self._show_state()
        if book.info.problem:
            self.notify(visible(book.info.problem), title=tr("Not read to its end"),
                        severity="warning", markup=False)  # fmt: skip

    async def on_unmount(self) -> None:
        """Drop the copy."""
        if self.book is not None:
            await self.book.close()

    # Showing

    async def _reload(self, place: int) -> None:
        """Show the rows that match now, with the cursor at a place."""
        if self.book is not None:
            page = await self.book.page(max(place, 0) // PAGE)
            if place >= page.total > 0:
                place = page.total - 1
                page = await self.book.page(place // PAGE)
            self.rows.begin(page, place)
            self._show_state(page.total)
            self._show_row()

    @on(RowList.Wanted)
    def _pages_wanted(self, event: RowList.Wanted) -> None:
        """Fetch what came into sight."""
        self._fetch(event.pages)

    @work(group="pages", exclusive=True, exit_on_error=False)
    async def _fetch(self, pages: tuple[int, ...]) -> None:
        """Fetch pages; while one scrolls on, only the last ones asked for."""
        if self.book is not None:
            for index in pages:
                self.rows.take(await self.book.page(index))
            if self.rows.place // PAGE in pages:
                self._show_row()

    def _show_state(self, matching: int | None = None) -> None:
        """Say how many rows are looked at, and what is not saved."""
        if self.book is None:
            return
        book, info = self.book, self.book.info
        count = len(self.rows.items) if matching is None else matching
        parts = [_looked_at(book, count), *_reading(info, narrowed=book.narrowed)]
        self.query_one("#matches", Static).update(" · ".join(parts))
        changes = trn("{count} change not saved", "{count} changes not saved", info.changes)
        self.query_one("#changes", Static).update(f"✎ {changes}" if info.changes else "")

    @on(LineList.Highlighted, "#rows")
    def _moved(self) -> None:
        """Show the row under the cursor."""
        self._show_row()

    @work(group="row", exclusive=True, exit_on_error=False)
    async def _show_row(self) -> None:
        """Show the row under the cursor, once it rests there."""
        row = self.rows.row
        if row is None or self.book is None:
            if not self.rows.items:
                self.view.border_title = tr("Row")
                self.view.say("")
            return
        await asyncio.sleep(SETTLE_SECONDS)
        self.view.border_title = tr("Row {number}", number=f"{row.number:,}")
        shape = self.book.info.shape
        notes = code_note(row.codes, row.fault)
        waiting = self.set_timer(WAIT_SECONDS, partial(self.view.say, tr("Reading…")))
        try:
            await show_value(self.session, self.view, row.value, shape, number=row.number,
                             length=self._length, notes=notes)  # fmt: skip
        finally:
            waiting.stop()
        self.view.scroll_home(animate=False)

    # Finding

    def action_search(self) -> None:
        """Begin a search."""
        self.add_class("-searching")
        self.set_focus(self.search)

    @on(Input.Changed, "#search")
    def _searched(self, event: Input.Changed) -> None:
        """Search, once the typing rests."""
        event.stop()
        self._narrow(search=event.value)

    @on(Input.Submitted, "#search")
    def _search_given(self, event: Input.Submitted) -> None:
        """Go on to the rows found."""
        event.stop()
        self.set_focus(self.rows)
        if not self.search.value:
            self.remove_class("-searching")

    def action_filter(self) -> None:
        """Show only rows with findings, kind by kind, or all of them again."""
        if self.book is None:
            return
        if not self.book.info.codes and not self.book.code:
            self.notify(tr("No row has a finding."), markup=False)
            return
        self._narrow(code=self.book.next_code())

    @work(group="narrow", exclusive=True, exit_on_error=False)
    async def _narrow(self, search: str | None = None, code: str | None = None) -> None:
        """Look at other rows."""
        if self.book is None:
            return
        if code is None:
            await asyncio.sleep(SETTLE_SECONDS)
        self.book.search = self.book.search if search is None else search.strip()
        self.book.code = self.book.code if code is None else code
        await self._reload(0)

    # Moving

    def action_zoom(self) -> None:
        """Show the row alone, or the list beside it again."""
        alone = not self.has_class("-alone")
        self.set_class(alone, "-alone")
        self.set_focus(self.view if alone else self.rows)

    def action_step(self, by: int) -> None:
        """Go to another row, wherever the focus is."""
        self.rows.action_move(by)

    def _end_search(self) -> None:
        """Put the search away."""
        with self.prevent(Input.Changed):
            self.search.value = ""
        self.remove_class("-searching")
        if self.focused in (None, self.search):
            self.set_focus(self.rows)

    @work(group="back", exclusive=True, exit_on_error=False)
    async def action_back(self) -> None:
        """End the search or filter, then leave; what is not saved is asked about."""
        if self.has_class("-searching") or (self.book is not None and self.book.narrowed):
            self._end_search()
            self._narrow(search="", code="")
        elif self.book is None or not self.book.info.changes or await self._may_go():
            self.dismiss(None)

    async def _may_go(self) -> bool:
        """Ask whether the changes are to be lost."""
        assert self.book is not None  # noqa: S101
        lost = trn(
            "{count} change is not saved and will be lost. "
            "Stay, and w saves them as a new version.",
            "{count} changes are not saved and will be lost. "
            "Stay, and w saves them as a new version.",
            self.book.info.changes,
        )
        question = ConfirmDialog(
            tr("Leave without saving?"), lost, yes=tr("Leave"), no=tr("Stay")
        )  # fmt: skip
        leave = await ask(self, question)
        return bool(leave)


def _looked_at(book: OpenBook, count: int) -> str:
    """Say how many rows are looked at, by which search or filter."""
    rows = f"{book.info.rows:,}"
    parts = [tr("{rows} rows", rows=rows)]
    if book.narrowed:
        parts = [tr("{matching} of {rows} rows", matching=f"{count:,}", rows=rows)]
    if book.search:
        parts.append(tr("with '{text}'", text=one_line(book.search)))
    if book.code:
        parts.append(f"▲ {tr('any finding') if book.code == ANY else code_words(book.code)}")
    elif kinds := len(book.info.codes):
        parts.append(trn("{count} kind of findings", "{count} kinds of findings", kinds))
    return " · ".join(parts)


def _reading(info: BookInfo, *, narrowed: bool) -> list[str]:
    """Say how far the file is read, and how many of its rows cannot be."""
    parts = []
    if not info.complete and not info.problem:
        share = "" if info.share is None else f" {info.share:.0%}".replace("%", " %")
        parts.append(tr("reading on…") + share)
    if info.unreadable and not narrowed:
        parts.append(tr("{shown} cannot be read", shown=f"{info.unreadable:,}"))
    return parts
