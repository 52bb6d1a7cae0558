"""Histograms as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.language import tr
from tui.cli.output import print_text

if TYPE_CHECKING:
    from engine.data.types import Histogram

_SIGNS = " ▁▂▃▄▅▆▇█"


def print_histogram(name: str, spread: Histogram) -> None:
    """Print a measure: its percentiles, and a small picture of how the rows spread."""
    print_text(
        tr(
            "{name}: p50 {p50:,}, p95 {p95:,}, p99 {p99:,}, longest {longest:,}, total {total:,}",
            name=name,
            **spread.model_dump(include={"p50", "p95", "p99", "longest", "total"}),
        )
    )
    if len(spread.bins) > 1:
        print_text(f"    {sparkline([count for _, count in spread.bins])}")


def sparkline(counts: list[int]) -> str:
    """Draw counts as one line of bars; what is not nothing is always seen."""
    most = max(1, *counts)
    return "".join(_SIGNS[-(-count * (len(_SIGNS) - 1) // most)] for count in counts)
