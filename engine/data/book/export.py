"""Write a dataset's rows to a file in another format, as they stand or in normal form."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.data.book.columns import Columns
from engine.data.book.fill import first_rows
from engine.data.book.look import as_json, read_value
from engine.data.book.reports import Report
from engine.data.book.writers import writer
from engine.data.containers.source import open_source
from engine.data.faults import FaultyRowError
from engine.data.normalize import normalizer
from engine.errors import DiskFullError
from engine.language import tr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.data.book.fill import Row
    from engine.data.book.reports import ExportJob
    from engine.data.types import Conversation, Message

_EVERY = 5000
_ROOM_LEFT = 100_000_000


def export(job: ExportJob) -> Iterator[Report]:
    """Write the target; rows that cannot be read or have no normal form are left out.

    Raises:
        LoraDeckError: The dataset cannot be read, or there is too little room.
    """
    target, columns = Path(job.target), Columns()
    if job.format in ("csv", "parquet"):
        # Its columns come before its rows: the dataset is read twice
        for number, row in enumerate(_written(job), start=1):
            if row is not None:
                columns.add(read_value(row))
            if number % _EVERY == 0:
                yield Report()
    rows = left_out = 0
    with writer(job.format, target, columns) as write:
        for row in _written(job):
            if row is None:
                left_out += 1
            else:
                write(row)
                rows += 1
            if (rows + left_out) % _EVERY == 0:
                _require_room(target.parent)
                yield Report(rows=rows, left_out=left_out)
    yield Report(rows=rows, left_out=left_out, share=1.0, complete=True)


def as_row(conversation: Conversation) -> dict[str, Any]:
    """Write a conversation as OpenAI does: ``messages``, and ``tools`` where there are any."""
    if conversation.plain:
        return {"text": conversation.messages[0].content}
    row: dict[str, Any] = {"messages": [_turn(one) for one in conversation.messages]}
    if conversation.tools:
        row["tools"] = list(conversation.tools)
    return row


def _turn(message: Message) -> dict[str, Any]:
    """Write one turn."""
    turn: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.name:
        turn["name"] = message.name
    if message.tool_calls:
        turn["tool_calls"] = [
            {"type": "function", "function": {"name": one.name, "arguments": one.arguments}}
            for one in message.tool_calls
        ]
    return turn


def _written(job: ExportJob) -> Iterator[str | None]:
    """Give each row as JSON, ``None`` for one that is left out."""
    for row in _values(job):
        try:
            yield None if isinstance(row, FaultyRowError) else as_json(row)
        except FaultyRowError:
            yield None


def _values(job: ExportJob) -> Iterator[Row]:
    """Give each row in the form that is asked for."""
    path = Path(job.path)
    rows = open_source(path).rows()
    if job.form == "raw":
        yield from rows
        return
    first, shape = first_rows(rows, path, job.mapping)
    normalize = normalizer(shape)
    number = 0
    for part in (first, rows):
        for row in part:
            number += 1
            try:
                yield row if isinstance(row, FaultyRowError) else as_row(normalize(row, number))
            except FaultyRowError as fault:
                yield fault


def _require_room(folder: Path) -> None:
    """Check that the disk is not nearly full."""
    if shutil.disk_usage(folder).free < _ROOM_LEFT:
        raise DiskFullError(
            tr("Too little disk space"),
            tr("There is too little room in {folder}.", folder=folder),
            tr("Make room, or export to another disk."),
        )
