"""A mapping from fields to columns, as the user gives it: ``instruction=问题,output=答案``."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from engine.data.normalize.columns import MISSING, find
from engine.data.recognise import fill, make_shape
from engine.data.synonyms import CONTEXT_NAMES, FIELDS, RANKS, fold
from engine.data.words import brief, key_list
from engine.errors import LoraDeckError
from engine.language import listed, mark, tr
from engine.text import either

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from engine.data.profile import Kind
    from engine.data.types import DatasetType, Shape

# Chinese keyboards write the comma and the sign of equality in full width
_ENTRY = re.compile(r'\s*([^=＝,，"]*?)\s*[=＝]\s*(?:"([^"]*)"|([^,，"]*?))\s*(?:[,，]|\Z)')
_FORM = mark(
    "Write FIELD=COLUMN,FIELD=COLUMN, for example instruction=问题,output=答案 (a "
    'column with a comma in its name in quotes: output="answer, short").'
)
_SHARED = frozenset({"system", "tools", "history", "prompt"})
ALL_FIELDS = tuple(
    dict.fromkeys(one for fields in FIELDS.values() for part in fields for one in part)
)


def parse_mapping(text: str) -> dict[str, str]:
    """Parse ``field=column,field=column``; an empty column switches an optional field off.

    Raises:
        LoraDeckError: It is malformed, or names a field or a column twice.
    """
    mapping: dict[str, str] = {}
    text = text.strip().rstrip(",，")
    position = 0
    while position < len(text):
        match = _ENTRY.match(text, position)
        field = match.group(1) if match else ""
        if match is None or not field:
            raise _malformed(tr("'{text}' is not FIELD=COLUMN.", text=brief(text[position:])))
        column = match.group(2) if match.group(2) is not None else match.group(3)
        if field in mapping:
            raise _malformed(tr("The field {field} is named twice.", field=brief(field)))
        if column and column in mapping.values():
            raise _malformed(tr("The column {column} is named twice.", column=brief(column)))
        mapping[field] = column
        position = match.end()
    if not mapping:
        raise _malformed(tr("It is empty."))
    return mapping


def _malformed(message: str) -> LoraDeckError:
    """Word that a mapping cannot be parsed."""
    return LoraDeckError(tr("Mapping not understood"), message, tr(_FORM))


def mapped(
    mapping: Mapping[str, str],
    rows: Sequence[Mapping[str, Any]],
    kinds: Mapping[str, Kind],
    found: Shape | None,
) -> Shape:
    """Make the shape that a mapping asks for; ``found`` is what was recognised without it.

    Raises:
        LoraDeckError: An unknown field or column; names the nearest ones.
    """
    fields = {_field(one): column for one, column in mapping.items()}
    dataset_type = _type_of(fields, found)
    columns = {one: _column(column, rows, kinds) for one, column in fields.items()}
    _check_distinct(mapping, columns)
    if found is not None and found.dataset_type == dataset_type:
        taken = set(columns.values())
        for field, column in found.columns.items():
            if column not in taken:
                columns.setdefault(field, column)
    # Nothing joins the question that the user mapped unless it bears the field's own name
    known = {one: kind for one, kind in kinds.items() if fold(one) not in CONTEXT_NAMES - {"input"}}
    columns = fill(dataset_type, known, columns)
    _check_complete(dataset_type, columns, kinds)
    return make_shape(dataset_type, columns)


def _check_distinct(mapping: Mapping[str, str], columns: Mapping[str, str]) -> None:
    """Refuse a field that is named twice, or a column that is to hold two fields."""
    if len(columns) < len(mapping):
        raise _malformed(tr("One field is named twice in {keys}.", keys=key_list(mapping)))
    used = [column for column in columns.values() if column]
    twice = next((column for column in used if used.count(column) > 1), None)
    if twice is not None:
        raise _malformed(tr("The column {column} is named twice.", column=brief(twice)))


def _field(name: str) -> str:
    """Find a field by its name.

    Raises:
        LoraDeckError: There is none of that name.
    """
    folded = fold(name)
    if folded in ALL_FIELDS:
        return folded
    ranked = sorted((names[folded], one) for one, names in RANKS.items() if folded in names)
    near = [one for _, one in ranked][:2] or get_close_matches(folded, ALL_FIELDS, 2, 0.5)
    raise LoraDeckError(
        tr("Unknown field"),
        tr("A mapping knows no field '{name}'.", name=brief(name)) + _did_you_mean(near),
        tr("The fields are {names}.", names=listed(ALL_FIELDS)),
    )


def _did_you_mean(names: Iterable[str]) -> str:
    """Ask for the nearest names, where there are any."""
    nearest = either(brief(name) for name in names)
    return " " + tr("Did you mean {names}?", names=nearest) if nearest else ""


def _column(name: str, rows: Sequence[Mapping[str, Any]], kinds: Mapping[str, Kind]) -> str:
    """Find a column, by its exact name, a path into it, or its name in another case.

    Raises:
        LoraDeckError: No row has it.
    """
    if not name or name in kinds or any(find(row, name) is not MISSING for row in rows):
        return name
    alike = [column for column in kinds if fold(column) == fold(name)]
    if len(alike) == 1:
        return alike[0]
    near = alike[:3] or get_close_matches(name, list(kinds), n=3, cutoff=0.5)
    raise LoraDeckError(
        tr("Unknown column"),
        tr("The rows have no column '{name}'.", name=brief(name)) + _did_you_mean(near),
        tr("The columns are {keys}.", keys=key_list(kinds)),
    )


def _type_of(fields: Mapping[str, str], found: Shape | None) -> DatasetType:
    """Find the type whose fields these are.

    Raises:
        LoraDeckError: They belong to several types.
    """
    fitting = [
        name for name, (required, other) in FIELDS.items() if fields.keys() <= {*required, *other}
    ]
    if not fitting:
        raise LoraDeckError(
            tr("Fields do not fit together"),
            tr("No shape has all the fields {names}.", names=listed(map(brief, fields))),
            _shapes_words(),
        )
    if found is not None and found.dataset_type in fitting:
        return found.dataset_type
    if fields.keys() <= _SHARED and "prompt" not in fields:
        raise LoraDeckError(
            tr("Mapping incomplete"),
            tr(
                "{names} alone does not say how the rows are to be read.",
                names=listed(map(brief, fields)),
            ),
            _shapes_words(),
        )
    return max(fitting, key=lambda name: sum(one in fields for one in FIELDS[name][0]))


def _shapes_words() -> str:
    """List the fields of each type."""
    words = [
        tr("{shape} has {names}", shape=name, names=listed(need + may))
        for name, (need, may) in FIELDS.items()
    ]
    return f"{'; '.join(words)}."


def _check_complete(
    dataset_type: DatasetType, columns: Mapping[str, str], kinds: Mapping[str, Kind]
) -> None:
    """Refuse a mapping that leaves a necessary field without a column."""
    lacking = [field for field in FIELDS[dataset_type][0] if not columns.get(field)]
    if lacking == ["instruction"] and columns.get("input"):
        return  # the input alone can be the question
    if lacking:
        raise LoraDeckError(
            tr("Mapping incomplete"),
            tr(
                "A dataset of the type {shape} needs a column for {names}.",
                shape=dataset_type,
                names=tr(" and ").join(lacking),
            ),
            tr(
                "Add {mapping}. The columns are {keys}.",
                mapping=",".join(f"{field}=COLUMN" for field in lacking),
                keys=key_list(kinds),
            ),
        )
