"""Writes a dataset's encoded rows to a file, a batch at a time: none is too large for memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from engine.data.checks.row_keys import RowKeys
from engine.data.checks.row_text import RowText
from engine.data.render import EncodedRow, cut, encode
from engine.data.run_limits import RanTooLongError, never_ends
from engine.errors import LoraDeckError
from engine.files import digest, write_atomic
from engine.language import tr
from engine.train.spec import StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from tokenizers import Tokenizer

    from engine.data.template import ChatTemplate
    from engine.data.types import Conversation

ROWS = "rows.arrow"
SUMMARY = "summary.json"
_BATCH = 1000
_SHOWN_ROWS = 10
_SCHEMA = pa.schema(
    {
        "input_ids": pa.list_(pa.int32()),
        "labels": pa.list_(pa.int32()),
        "tokens": pa.int32(),
        "trained": pa.int32(),
        "key": pa.uint64(),
        "row": pa.int64(),
    }
)
"""``tokens`` and ``trained`` are counts; ``key`` is the same for rows that say the same; ``row`` is
the row's place in its file, counted from 1."""


class Summary(BaseModel):
    """What became of the rows of a dataset."""

    model_config = ConfigDict(frozen=True)

    rows: int
    """Rows that were written."""
    rows_cut: int
    tokens_cut: int
    left_out: tuple[str, ...]
    """Why rows were left out, the first ten of them."""
    rows_left_out: int
    rows_sha256: str
    """Of the file of the rows: damaged ones would train what nobody wrote."""


class RowEncoder:
    """Encodes conversations into a folder.

    Args:
        max_length: Tokens after which a row is cut.
        go_on: Told before each batch how many rows were looked at; answers whether to go on.
    """

    def __init__(
        self,
        template: ChatTemplate,
        tokenizer: Tokenizer,
        max_length: int,
        go_on: Callable[[int], bool],
    ) -> None:
        self._template, self._tokenizer, self._max_length = template, tokenizer, max_length
        self._go_on = go_on
        self._rows = self._rows_cut = self._tokens_cut = self._rows_left_out = 0
        self._left_out: list[str] = []

    def write(self, conversations: Iterable[Conversation], folder: Path) -> Summary:
        """Write all rows; the summary comes last and says that they are whole.

        Raises:
            StoppedError: It was asked to stop.
            LoraDeckError: No row can be trained.
        """
        with pa.OSFile(str(folder / ROWS), "wb") as file, pa.ipc.new_stream(file, _SCHEMA) as out:
            for batch in self._batches(conversations):
                out.write_batch(pa.RecordBatch.from_pylist(batch, schema=_SCHEMA))
        found = self._summarize(digest(folder / ROWS))
        write_atomic(folder / SUMMARY, found.model_dump_json())
        return found

    def _batches(self, conversations: Iterable[Conversation]) -> Iterator[list[dict[str, Any]]]:
        """Encode the rows, a thousand at a time."""
        batch: list[dict[str, Any]] = []
        for conversation in conversations:
            if (row := self._encode(conversation)) is not None:
                batch.append(row)
            if len(batch) == _BATCH:
                yield batch
                batch = []
                if not self._go_on(self._rows + self._rows_left_out):
                    raise StoppedError
        if batch:
            yield batch

    def _encode(self, conversation: Conversation) -> dict[str, Any] | None:
        """Encode a row and count what the length limit costs; ``None`` if it teaches nothing.

        Raises:
            LoraDeckError: The template does not end on it: each such row would cost as long.
        """
        try:
            whole = encode(conversation, self._template, self._tokenizer)
        except LoraDeckError as error:
            self._leave_out(error.message)
            return None
        except RanTooLongError as error:
            raise never_ends(error, conversation.row) from None
        kept = cut(whole, self._max_length)
        if whole.trained and not whole.end_trained:
            self._leave_out(
                tr("Row {row}: its end-of-turn token would not be trained.", row=whole.row)
            )
            return None
        if not kept.trained:
            self._leave_out(tr("Row {row}: nothing of its answer is left to train.", row=whole.row))
            return None
        self._rows += 1
        if lost := len(whole.input_ids) - len(kept.input_ids):
            self._rows_cut += 1
            self._tokens_cut += lost
        return _columns(kept, _key(conversation))

    def _leave_out(self, reason: str) -> None:
        """Count a row that cannot be trained."""
        self._rows_left_out += 1
        if len(self._left_out) < _SHOWN_ROWS:
            self._left_out.append(reason)

    def _summarize(self, rows_sha256: str) -> Summary:
        """Sum up."""
        if not self._rows:
            raise LoraDeckError(
                tr("Nothing to train on"),
                " ".join(self._left_out[:3]) or tr("The dataset has no rows."),
                tr("Set a larger max_seq_length, or choose another dataset or base model."),
            )
        return Summary(
            rows=self._rows,
            rows_cut=self._rows_cut,
            tokens_cut=self._tokens_cut,
            rows_left_out=self._rows_left_out,
            left_out=tuple(self._left_out),
            rows_sha256=rows_sha256,
        )


def _key(conversation: Conversation) -> int:
    """Give the same number for rows that say the same."""
    keys = RowKeys()
    keys.add(RowText(conversation))
    return keys.folded[0]


def _columns(row: EncodedRow, key: int) -> dict[str, Any]:
    """Lay a row out as the file's columns."""
    return {
        "input_ids": row.input_ids,
        "labels": row.labels,
        "tokens": len(row.input_ids),
        "trained": row.trained,
        "key": key,
        "row": row.row,
    }
