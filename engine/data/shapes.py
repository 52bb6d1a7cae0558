"""Find out how rows are to be read, from their columns and values."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from engine.data.mapping import mapped, parse_mapping
from engine.data.profile import column_kinds, first_rows
from engine.data.recognise import make_shape, recognise
from engine.data.synonyms import FIELDS, is_label
from engine.data.words import brief, key_list
from engine.errors import LoraDeckError
from engine.language import listed, mark, tr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.data.profile import Kind
    from engine.data.types import Shape

__all__ = ["describe_shape", "parse_mapping", "propose"]

WANTED = mark(
    "Known are rows with instruction and output (Alpaca), conversations "
    "(ShareGPT: a list of turns with from and value), messages (role and "
    "content), prompt and completion, chosen and rejected, or text."
)


def propose(rows: Sequence[Mapping[str, Any]], mapping: Mapping[str, str] | None = None) -> Shape:
    """Name the shape that most rows have.

    Args:
        rows: The first rows; at most 300 are looked at.
        mapping: Which column holds which field, where the user said so: ``parse_mapping``'s.

    Raises:
        LoraDeckError: No known shape; names the columns found and those wanted. Or the mapping
            names a column or a field that does not exist.
    """
    rows = first_rows(rows)
    kinds = column_kinds(rows)
    found = _majority(rows, kinds)
    if mapping:
        return mapped(mapping, rows, kinds, found)
    if found is None:
        raise _unknown(kinds)
    return found


def _majority(rows: Sequence[Mapping[str, Any]], kinds: Mapping[str, Kind]) -> Shape | None:
    """Let each row vote with the columns it has values in, then with all; last, all together."""
    filled = Counter(
        tuple(key for key in row if key in kinds and row[key] is not None) for row in rows
    )
    present = Counter(tuple(key for key in row if key in kinds) for row in rows)
    together = Counter([tuple(kinds)])
    for votes, loose in ((filled, False), (present, False), (together, True)):
        if shape := _elected(votes, kinds, loose):
            return shape
    return None


def _elected(
    votes: Counter[tuple[str, ...]], kinds: Mapping[str, Kind], loose: bool
) -> Shape | None:
    """Choose the type and columns with most votes; optional columns come from all that agree."""
    shapes = [
        (shape, count)
        for columns, count in votes.items()
        if (shape := recognise({one: kinds[one] for one in columns}, loose=loose))
    ]
    tally: Counter[str] = Counter()
    for shape, count in shapes:
        tally[shape.dataset_type] += count
    if not tally:
        return None
    chosen = tally.most_common(1)[0][0]
    shapes = [(shape, count) for shape, count in shapes if shape.dataset_type == chosen]
    best = max(shapes, key=lambda one: (one[1], len(one[0].columns)))[0]
    required = FIELDS[best.dataset_type][0]
    columns = dict(best.columns)
    for shape, _ in shapes:
        if all(shape.columns.get(field) == best.columns.get(field) for field in required):
            columns = {**shape.columns, **columns}
    return make_shape(best.dataset_type, columns)


def describe_shape(shape: Shape) -> str:
    """Say how rows are read: ``prompt_completion: prompt from 问题, completion from 答案``."""
    parts = [_described(field, column) for field, column in shape.columns.items()]
    return f"{shape.dataset_type}: {listed(parts)}" if parts else shape.dataset_type


def _described(field: str, column: str) -> str:
    """Say which column a field is read from."""
    if not column:
        return tr("no {field}", field=field)
    from_other = tr("{field} from {column}", field=field, column=brief(column))
    return field if field == column else from_other


def _unknown(kinds: Mapping[str, Kind]) -> LoraDeckError:
    """Word that nothing fits, with a mapping wherever two columns hold text."""
    texts = [column for column, one in kinds.items() if one == "text" and not is_label(column)]
    hint = tr("Say which column is which: --map instruction=COLUMN,output=COLUMN.")
    if len(texts) > 1:
        hint = tr(
            "Say which column is which: --map instruction=COLUMN,output=COLUMN, "
            "for example --map instruction={first},output={second}.",
            first=brief(texts[0]),
            second=brief(texts[1]),
        )
    return LoraDeckError(
        tr("Unknown dataset format"),
        tr("The rows have the keys {keys}.", keys=key_list(kinds)),
        f"{tr(WANTED)} {hint}" if kinds else tr(WANTED),
    )
