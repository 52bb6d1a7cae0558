"""``loradeck datasets inspect``."""

from __future__ import annotations

import sys
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from engine.data.shapes import describe_shape
from engine.errors import EngineUnavailableError
from engine.language import listed, mark, tr, trn
from engine.plan.schedule import recommended_length
from engine.text import human_bytes, human_count
from tui.cli.dataset_names import Dataset, dataset_path
from tui.cli.histograms import print_histogram
from tui.cli.options import Maps, mapping_of
from tui.cli.output import Json, print_json, print_text
from tui.cli.session import model_name, with_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engine.data.types import Finding, Inspection, Lengths, Scanning, Shape
    from engine.server.client import EngineClient

EXAMPLE = "Example: loradeck datasets inspect rows.csv --map instruction=问题,output=答案 -m demo"
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        show_default=False,
        help="Also count the tokens, as this base model would get them.",
    ),
]


def inspect(
    file: Dataset,
    *,
    map_: Maps = None,
    model: Model = None,
    json: Json = False,
) -> None:
    """Detect a dataset's format and check its rows; exit status 2 if it cannot train as it is."""
    mapping = mapping_of(map_)

    async def talk(client: EngineClient) -> tuple[Inspection, Lengths | None]:
        path = await dataset_path(client, file)
        with _progress() as show:
            found = await _scan(client, path, mapping, show)
        if model is None or found.faulty == found.rows:
            return found, None
        return found, await client.measure(path, model_name(model), mapping)

    found, lengths = with_engine(talk)
    if json:
        measured = {"lengths": lengths.model_dump(mode="json")} if lengths else {}
        print_json(found.model_dump(mode="json") | measured)
    else:
        _print(found, lengths)
    if not found.can_train:
        raise typer.Exit(2)


async def _scan(
    client: EngineClient, path: str, mapping: dict[str, str], show: Callable[[Scanning], None]
) -> Inspection:
    """Follow a scan to its end."""
    async with aclosing(client.scan(path, mapping)) as steps:
        async for step in steps:
            if step.inspection is not None:
                return step.inspection
            show(step)
    raise EngineUnavailableError(
        tr("Engine ended"),
        tr("The engine ended before the dataset was looked at."),
        tr("Try it again."),
    )


@contextmanager
def _progress() -> Iterator[Callable[[Scanning], None]]:
    """Draw a bar on standard error where that is a terminal, and take it away in the end."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    columns = (
        TextColumn(tr("Reading")),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, rows="")

        def show(step: Scanning) -> None:
            found = sum(one.level != "note" for one in step.findings)
            words = [trn("{count:,} row", "{count:,} rows", step.rows)]
            words += [trn("{count} finding so far", "{count} findings so far", found)] * (found > 0)
            total = None if step.share is None else 1.0
            bar.update(task, completed=step.share or 0.0, total=total, rows=listed(words))

        yield show


def _print(found: Inspection, lengths: Lengths | None) -> None:
    """Print what was found, for people."""
    print_text(_head(found))
    if found.shape is not None:
        print_text(_reading(found.shape))
    for one in (*found.findings, *(lengths.findings if lengths else ())):
        _print_finding(one)
    if found.languages:
        shares = listed(f"{code} {share:.0%}" for code, share in found.languages)
        print_text(tr("languages (guessed): {shares}", shares=shares))
    for name, spread in ((tr("turns"), found.turns), (tr("characters"), found.characters)):
        if spread is not None:
            print_histogram(name, spread)
    if lengths is not None:
        _print_lengths(lengths)
    for conversation in found.preview:
        print_text(tr("row {number:,}", number=conversation.row))
        for message in conversation.messages:
            calls = "".join(f" {call.name}({call.arguments})" for call in message.tool_calls)
            print_text(f"    {message.role}: {message.content}{calls}")


def _head(found: Inspection) -> str:
    """Say what file it is, and how many rows it has."""
    facts = {
        "path": found.path,
        "kind": found.container,
        "rows": found.rows,
        "size": human_bytes(found.size_bytes),
    }
    if not found.faulty:
        return tr("{path}: {kind}, {rows:,} rows, {size}", **facts)
    return tr(
        "{path}: {kind}, {rows:,} rows, {faulty:,} of them with faults, {size}",
        faulty=found.faulty,
        **facts,
    )


def _reading(shape: Shape) -> str:
    """Say as what the rows are read."""
    words = describe_shape(shape)
    if not shape.guessed:
        return tr("read as {shape}", shape=words)
    return tr("read as {shape} (interpreted; set it with --map FIELD=COLUMN)", shape=words)


def _print_finding(one: Finding) -> None:
    """Print a finding, and what to do."""
    print_text(tr("{name}: {words}", name=tr(one.level), words=one.message))
    print_text(f"    {one.hint}")


def _print_lengths(lengths: Lengths) -> None:
    """Print the tokens: counted, or estimated from a sample with the error that this may have."""
    share = lengths.estimated_trained / max(1, lengths.estimated_total)
    tokens = human_count(lengths.estimated_total)
    print_text(tr(_counted(lengths), **{**dict(lengths), "tokens": tokens, "share": share}))
    if lengths.histogram is not None:
        print_histogram(tr("tokens a row"), lengths.histogram)
    print_text(tr("recommended length: {length}", length=_recommended(lengths)))


def _counted(lengths: Lengths) -> str:
    """Say how many tokens there are, and from how many rows that is estimated."""
    if lengths.measured >= lengths.rows:
        return mark("tokens: {tokens}, {share:.0%} of them trained")
    if lengths.error:
        return mark(
            "tokens: {tokens} (estimated from {measured:,} of {rows:,} rows, ±{error:.1%}),"
            " {share:.0%} of them trained"
        )
    return mark(
        "tokens: {tokens} (estimated from {measured:,} of {rows:,} rows, the others were refused),"
        " {share:.0%} of them trained"
    )


def _recommended(lengths: Lengths) -> str:
    """Give the length that a plan would choose where memory allows it, with the reason."""
    if lengths.over_context:
        return trn(
            "all that the model can read; {count:,} row is longer",
            "all that the model can read; {count:,} rows are longer",
            lengths.over_context,
        )
    length = recommended_length(lengths.longest)
    return tr(
        "{length:,} tokens, since the longest row has {longest:,}",
        length=length,
        longest=lengths.longest,
    )
