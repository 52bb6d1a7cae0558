"""``loradeck datasets preview``."""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import BaseModel

from engine.data.types import Message, RenderedRow
from engine.language import listed, tr
from engine.text import visible
from tui.cli.dataset_names import Dataset, dataset_path
from tui.cli.dataset_rows import opened, rows_from
from tui.cli.options import Maps, mapping_of
from tui.cli.output import Json, print_json, print_text
from tui.cli.session import model_name, with_engine

if TYPE_CHECKING:
    from engine.data.types import BookRow, Shape
    from engine.server.client import EngineClient

EXAMPLE = "Example: loradeck datasets preview rows.json --model demo --row 3"
_MOST = 500


class PreviewedRow(BaseModel):
    """One row, as ``--json`` gives it."""

    row: int
    value: dict[str, Any]
    messages: tuple[Message, ...]
    codes: tuple[str, ...]
    fault: str
    rendered: RenderedRow | None


def preview(
    file: Dataset,
    *,
    row: Annotated[
        int | None, typer.Option(min=1, show_default=False, help="The first row to show.")
    ] = None,
    rows: Annotated[
        int | None,
        typer.Option(min=1, max=_MOST, show_default="3, or 1 with --row", help="How many rows."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model", "-m", show_default=False, help="Show rows as this base model gets them."
        ),
    ] = None,
    max_length: Annotated[
        int | None,
        typer.Option(min=1, show_default=False, help="Show where this many tokens cut a row."),
    ] = None,
    map_: Maps = None,
    json: Json = False,
) -> None:
    """Show rows: their messages, or with --model the text and what of it is trained."""
    mapping = mapping_of(map_)
    count = rows or (1 if row else 3)

    async def talk(client: EngineClient) -> tuple[Shape, list[tuple[BookRow, RenderedRow | None]]]:
        path = await dataset_path(client, file)
        async with opened(client, path, mapping) as info:
            found = await rows_from(client, info, row or 1, count)
        return info.shape, [
            (
                one,
                await client.books.render(one.value, info.shape, model_name(model), max_length)
                if model
                else None,
            )
            for one in found
        ]

    shape, found = with_engine(talk)
    if json:
        print_json([_as_json(shape, one, rendered) for one, rendered in found])
        return
    if model and not sys.stdout.isatty():
        print_text(tr("⟦…⟧ encloses what is trained; ✂ stands where the length limit cuts."))
    for one, rendered in found:
        _print(shape, one, rendered)


def _as_json(shape: Shape, row: BookRow, rendered: RenderedRow | None) -> PreviewedRow:
    """Give all that is known of a row."""
    return PreviewedRow(
        row=row.number,
        value=row.value,
        messages=_messages(shape, row),
        codes=row.codes,
        fault=row.fault,
        rendered=rendered,
    )


def _print(shape: Shape, row: BookRow, rendered: RenderedRow | None) -> None:
    """Print one row for people."""
    typer.secho(visible(_head(row, rendered)), bold=True)
    fault = row.fault or (rendered.fault if rendered else "")
    if fault:
        print_text(tr("cannot train: {fault}", fault=fault))
    elif rendered is not None:
        typer.echo(marked(rendered, styled=sys.stdout.isatty()))
    else:
        for message in _messages(shape, row):
            print_text(f"    {message.role}: {message.content}")
            for call in message.tool_calls:
                said = {"role": message.role, "tool": call.name, "arguments": call.arguments}
                print_text("    " + tr("{role} calls {tool}: {arguments}", **said))
    typer.echo("")


def _head(row: BookRow, rendered: RenderedRow | None) -> str:
    """Name a row, with how long it is and what was found of it."""
    words = tr("row {number:,}", number=row.number)
    if rendered is not None and not rendered.fault:
        words = tr(
            "row {number:,}, {tokens:,} tokens, {trained:,} of them trained",
            number=row.number,
            tokens=rendered.tokens,
            trained=rendered.trained,
        )
    return f"{words} ({listed(row.codes)})" if row.codes else words


def _messages(shape: Shape, row: BookRow) -> tuple[Message, ...]:
    """Give the row's messages; none where it cannot train."""
    # Only this command needs the readers of rows
    from engine.data.faults import FaultyRowError
    from engine.data.normalize import normalize

    try:
        return normalize(row.value, row.number, shape).messages
    except FaultyRowError:
        return ()


def marked(rendered: RenderedRow, *, styled: bool) -> str:
    """Mark what is trained, by colour and underline or by brackets, and where a limit cuts."""
    edges = {0, len(rendered.text), *(edge for span in rendered.trained_spans for edge in span)}
    if rendered.cut_at is not None:
        edges.add(rendered.cut_at)
    ordered = sorted(edges)
    parts = []
    for start, end in pairwise(ordered):
        if start == rendered.cut_at:
            parts.append("✂")
        text = visible(rendered.text[start:end])
        trained = any(low <= start < high for low, high in rendered.trained_spans)
        parts.append(_trained(text, styled=styled) if trained else text)
    return "".join(parts)


def _trained(text: str, *, styled: bool) -> str:
    """Mark a trained piece."""
    return typer.style(text, fg="green", underline=True) if styled else f"⟦{text}⟧"
