"""``loradeck datasets edit``."""

from __future__ import annotations

import difflib
import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.errors import ConflictError, LoraDeckError
from engine.language import tr
from engine.text import visible
from tui.cli.dataset_names import Dataset, dataset_path
from tui.cli.dataset_rows import opened, rows_from
from tui.cli.editor import Draft
from tui.cli.options import Maps, mapping_of
from tui.cli.output import Json, print_json, print_text
from tui.cli.session import with_engine

if TYPE_CHECKING:
    from engine.data.types import BookRow
    from engine.server.client import EngineClient
    from engine.server.wire import DatasetInfo

EXAMPLE = "Example: EDITOR=nano loradeck datasets edit rows.json --row 3"
_MOST_ROWS = 200
_MOST_CHARACTERS = 2_000_000
Value = dict[str, Any]


def edit(
    file: Dataset,
    *,
    row: Annotated[
        list[int] | None,
        typer.Option(min=1, show_default=False, help="A row's number; may be given several times."),
    ] = None,
    name: Annotated[
        str, typer.Option("--name", "-n", show_default=False, help="What to call the new version.")
    ] = "",
    map_: Maps = None,
    json: Json = False,
) -> None:
    """Edit rows as JSON in $VISUAL or $EDITOR; a new version is saved, the file stays as it is."""
    mapping = mapping_of(map_)
    numbers = list(dict.fromkeys(row or []))
    rows = with_engine(lambda client: _read(client, file, mapping, numbers))
    before = [one.value for one in rows]
    draft = Draft(before[0] if len(numbers) == 1 else before)
    with draft.kept_on_failure():
        after = _edited(draft, before, numbers)
        if after == before:
            print_text(tr("Nothing was changed; nothing is saved."))
            return
        saved = with_engine(lambda client: _save(client, file, mapping, rows, after, name))
    if json:
        print_json(saved)
    else:
        print_text(tr("{path}: {rows:,} rows.", path=saved.path, rows=saved.rows))


def _edited(draft: Draft, before: list[Value], numbers: list[int]) -> list[Value]:
    """Let the user edit until the text is rows; where nobody can be asked, refuse what is not."""
    while True:
        draft.open_editor()
        try:
            return _checked(draft.read(), before, numbers)
        except LoraDeckError as error:
            if not sys.stdin.isatty():
                raise
            typer.secho(visible(error.message), err=True, fg="red")
            if not typer.confirm(tr("Edit it again?"), default=True, err=True):
                raise


def _checked(value: Any, before: list[Value], numbers: list[int]) -> list[Value]:
    """Refuse what is no row or list of rows."""
    rows = [value] if len(numbers) == 1 else value
    if not isinstance(rows, list) or not all(isinstance(one, dict) for one in rows):
        one, several = (
            tr("Wanted is an object: { … }."),
            tr("Wanted is a list of objects: [ { … }, { … } ]."),
        )
        raise LoraDeckError(tr("Not a row"), one if len(numbers) == 1 else several)
    if numbers and len(rows) != len(before):
        raise LoraDeckError(
            tr("Rows missing or added"),
            tr(
                "{before} rows were opened, {after} came back.", before=len(before), after=len(rows)
            ),
            tr(
                "Rows are added and deleted in a whole dataset, without --row, or in the dashboard."
            ),
        )
    return rows


async def _read(
    client: EngineClient, file: str, mapping: dict[str, str], numbers: list[int]
) -> list[BookRow]:
    """Read the rows to edit; all where none is named, if they are not too many."""
    async with opened(client, await dataset_path(client, file), mapping) as info:
        if numbers:
            return [(await rows_from(client, info, one, 1))[0] for one in numbers]
        rows = await rows_from(client, info, 1, _MOST_ROWS + 1)
        size = sum(len(json.dumps(one.value)) for one in rows)
    if len(rows) > _MOST_ROWS or size > _MOST_CHARACTERS:
        raise LoraDeckError(
            tr("Too much for an editor"),
            tr(
                "{file} has more than {most} rows, or very large ones.",
                file=visible(info.path),
                most=_MOST_ROWS,
            ),
            tr("Say which: --row 5. Or edit it in the dashboard: loradeck"),
        )
    if any(one.fault and not one.value for one in rows):
        raise LoraDeckError(
            tr("Rows that cannot be read"),
            tr("Some rows cannot be read, and would be lost."),
            tr("Say which row to edit: --row 5. Or mend the file."),
        )
    return rows


async def _save(
    client: EngineClient,
    file: str,
    mapping: dict[str, str],
    rows: list[BookRow],
    after: list[Value],
    name: str,
) -> DatasetInfo:
    """Open the dataset anew, since an editor may stay open for long, and save what was changed."""
    async with opened(client, await dataset_path(client, file), mapping) as info:
        for one in rows:
            there = await rows_from(client, info, one.number, 1)
            if there[0].value != one.value:
                raise ConflictError(
                    tr("Dataset changed meanwhile"),
                    tr(
                        "Row {row:,} of {file} was changed by someone else.",
                        row=one.number,
                        file=visible(info.path),
                    ),
                    tr("Edit it again."),
                )
        before = [one.value for one in rows]
        for remove, put in _differences(before, after):
            await _apply(client, info.id, rows, remove, [after[index] for index in put])
        return await client.books.save(info.id, name)


async def _apply(
    client: EngineClient, book: str, rows: list[BookRow], old: range, new: list[Value]
) -> None:
    """Put some rows in the place of others."""
    both = min(len(old), len(new))
    for index, value in zip(old, new, strict=False):
        await client.books.change(book, rows[index].id, value)
    for index in old[both:]:
        await client.books.remove(book, rows[index].id)
    last = old.start + both - 1
    after = rows[last].id if last >= 0 else None
    for value in new[both:]:
        after = (await client.books.insert(book, value, after)).id


def _differences(before: list[Value], after: list[Value]) -> list[tuple[range, range]]:
    """Find which rows were replaced by which."""
    if len(before) == len(after):
        return [
            (range(index, index + 1), range(index, index + 1))
            for index, (old, new) in enumerate(zip(before, after, strict=True))
            if old != new
        ]
    old_rows, new_rows = ([json.dumps(one) for one in rows] for rows in (before, after))
    matcher = difflib.SequenceMatcher(None, old_rows, new_rows, autojunk=False)
    return [
        (range(old, old_end), range(new, new_end))
        for tag, old, old_end, new, new_end in matcher.get_opcodes()
        if tag != "equal"
    ]
