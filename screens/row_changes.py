"""Changes to the rows of an open dataset: edit, add, copy, delete, take back, save."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.getters import query_one

from engine.language import tr
from engine.text import visible
from screens.base import DeckScreen
from screens.layers import ask
from screens.outside import edited_outside
from screens.row_text import blank_like
from screens.widgets.line_list import LineList
from screens.widgets.row_list import RowList

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.data.types import BookRow
    from engine.server.wire import DatasetInfo
    from screens.book import OpenBook
    from screens.session import Session


class RowChanges(DeckScreen[None]):
    """A screen over an open dataset whose rows can be changed, one change after the other.

    Args:
        session: The dashboard's session.
        saved: Is told of each version that is saved.
        length: The planned length limit in tokens, to show where it cuts.
    """

    rows = query_one(RowList)

    def __init__(
        self,
        session: Session,
        saved: Callable[[DatasetInfo], object],
        length: int | None,
    ) -> None:
        super().__init__(session)
        self._told_saved = saved
        self._length = length
        self._changing = asyncio.Lock()
        self.book: OpenBook | None = None

    async def _reload(self, place: int) -> None:
        """Show the rows that match now, with the cursor at a place."""
        raise NotImplementedError

    def _show_state(self, matching: int | None = None) -> None:
        """Say how many rows are looked at, and what is not saved."""
        raise NotImplementedError

    def _show_row(self) -> object:
        """Show the row under the cursor."""
        raise NotImplementedError

    def _end_search(self) -> None:
        """Put the search away."""
        raise NotImplementedError

    @on(LineList.Chosen, "#rows")
    def action_edit(self) -> None:
        """Edit the row under the cursor."""
        self._edit()

    @work(group="change", exit_on_error=False)
    async def _edit(self) -> None:
        """Edit the row under the cursor in the dashboard."""
        async with self._changing:
            if (row := self.rows.row) is not None:
                await self._keep(row, await self._edited(row.value, row))

    @work(group="change", exit_on_error=False)
    async def action_outside(self) -> None:
        """Edit the row under the cursor in the user's own editor."""
        async with self._changing:
            if (row := self.rows.row) is not None:
                await self._keep(row, await edited_outside(self.app, row.value))

    async def _edited(self, value: dict[str, Any], row: BookRow | None) -> dict[str, Any] | None:
        """Let the user edit a value; of a row that is new where none is given."""
        from screens.row_editor import RowEditor

        assert self.book is not None  # noqa: S101 - there is no row without it
        editor = RowEditor(self.session, value, self.book.info.shape,
                           number=row.number if row else None, length=self._length)  # fmt: skip
        return await ask(self, editor)

    async def _keep(self, row: BookRow, value: dict[str, Any] | None) -> None:
        """Take an edited value over."""
        if self.book is not None and value is not None and value != row.value:
            self.rows.replace(await self.book.change(row, value))
            self._show_state()
            self._show_row()

    @work(group="change", exit_on_error=False)
    async def action_add(self) -> None:
        """Write a new row after the present one."""
        async with self._changing:
            if self.book is not None:
                after = self.rows.row
                blank = blank_like(after.value if after else {}, self.book.info.shape)
                value = await self._edited(blank, None)
                if value is not None:
                    await self._insert(value, after)

    @work(group="change", exit_on_error=False)
    async def action_copy(self) -> None:
        """Duplicate the row under the cursor."""
        async with self._changing:
            if (row := self.rows.row) is not None:
                await self._insert(row.value, row)

    async def _insert(self, value: dict[str, Any], after: BookRow | None) -> None:
        """Put a row in and go to it; a search or filter that could hide it ends."""
        if self.book is not None:
            made = await self.book.insert(value, after)
            self.book.code = self.book.search = ""
            self._end_search()
            await self._reload(made.number - 1)

    @work(group="change", exit_on_error=False)
    async def action_remove(self) -> None:
        """Delete the row under the cursor."""
        async with self._changing:
            row = self.rows.row
            if row is not None and self.book is not None:
                await self.book.remove(row)
                await self._reload(self.rows.place)
                words = tr("Row {number} is deleted; u takes that back.", number=f"{row.number:,}")
                self.notify(words, markup=False)

    @work(group="change", exit_on_error=False)
    async def action_undo(self) -> None:
        """Take the last change back."""
        async with self._changing:
            if self.book is None or not self.book.info.changes:
                self.notify(tr("There is nothing to take back."), markup=False)
                return
            words = visible(self.book.info.last_change)
            await self.book.undo()
            await self._reload(self.rows.place)
            told = tr("Taken back: {change}.", change=words) if words else tr("Taken back.")
            self.notify(told, markup=False)

    @work(group="change", exit_on_error=False)
    async def action_save(self) -> None:
        """Save all rows as a new version."""
        from screens.save_dialog import SaveDialog

        async with self._changing:
            if self.book is None:
                return
            dialog = SaveDialog(await self.book.free_name(), self.book.info.rows, self.book.save)
            saved = await ask(self, dialog)
            if saved is not None:
                self._show_state()
                self.notify(visible(saved.path), title=tr("Saved"), markup=False)
                self._told_saved(saved)
