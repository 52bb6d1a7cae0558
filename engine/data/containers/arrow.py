"""Rows of an Arrow file (IPC, Feather) or stream, a record batch at a time."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, BinaryIO

from engine.data.containers.messages import next_batch
from engine.data.containers.refusals import damaged, reading
from engine.data.containers.stream import Expansion, Progress
from engine.data.containers.table import batch_rows, check_schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.data.faults import FaultyRowError

FILE_MAGIC = b"ARROW1"
STREAM_MAGIC = b"\xff\xff\xff\xff"
_SLICE = 512


def arrow_rows(path: Path, progress: Progress) -> Iterator[dict[str, Any] | FaultyRowError]:
    """Read each row; a file is a stream between two marks, and is read as one.

    Raises:
        LoraDeckError: The file is damaged, has unknown column types, or expands beyond all reason.
    """
    import pyarrow as pa

    with reading(path), path.open("rb") as ahead, path.open("rb") as file:
        try:
            start = 8 if ahead.read(8).startswith(FILE_MAGIC) else 0
            ahead.seek(start)
            file.seek(start)
            yield from _rows(ahead, file, path, progress)
        except (pa.ArrowException, struct.error, ValueError, TypeError, KeyError) as error:
            raise damaged(path, "Arrow", error) from None
        except OSError as error:
            if error.errno is None:
                raise damaged(path, "Arrow", error) from None
            raise


def _rows(
    ahead: BinaryIO, file: BinaryIO, path: Path, progress: Progress
) -> Iterator[dict[str, Any] | FaultyRowError]:
    """Read batch after batch, each once its message has been looked at."""
    import pyarrow as pa

    expansion, number = Expansion(path), 1
    with pa.ipc.open_stream(pa.PythonFile(file, mode="r")) as stream:
        check_schema(stream.schema, path)
        while next_batch(ahead, path):
            batch = stream.read_next_batch()
            # What is zero-copy is also unchecked: offsets may lead anywhere
            batch.validate(full=True)
            done = ahead.tell()
            for start in range(0, batch.num_rows, _SLICE):
                for row, size in batch_rows(batch.slice(start, _SLICE), number):
                    number += 1
                    expansion.add(size, done)
                    yield row
            progress.done = done
