"""Find out a dataset's format from the keys of its rows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from engine.data.words import key_list, shown
from engine.errors import LoraDeckError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.data.read import RawDataset
    from engine.data.types import DatasetType

REQUIRED: dict[DatasetType, frozenset[str]] = {
    "alpaca": frozenset({"instruction", "output"}),
    "sharegpt": frozenset({"conversations"}),
}
WANTED = (
    "Alpaca rows have the keys instruction and output (and may have input, history, system); "
    "ShareGPT rows have the key conversations, a list of turns with from and value."
)
_ROWS_FOR_KEYS = 100


def detect(dataset: RawDataset) -> DatasetType:
    """Name the format that most rows have.

    Raises:
        LoraDeckError: No row has a known format; names the keys found and the keys wanted.
    """
    formats = Counter(shape for row in dataset.rows if (shape := shape_of(row)) is not None)
    if not formats:
        raise LoraDeckError(
            "Unknown dataset format",
            f"{shown(dataset.path)}: the rows have the keys {key_list(_keys(dataset.rows))}.",
            f"{WANTED} Rename the keys to these.",
        )
    return formats.most_common(1)[0][0]


def shape_of(row: Mapping[str, Any]) -> DatasetType | None:
    """Name the format whose keys a row has."""
    return next((name for name, keys in REQUIRED.items() if keys <= row.keys()), None)


def _keys(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Collect the keys of the first rows, in the order in which they appear."""
    return list(dict.fromkeys(key for row in rows[:_ROWS_FOR_KEYS] for key in row))
