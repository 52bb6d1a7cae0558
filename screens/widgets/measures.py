"""How a dataset measures: small histograms with their quantiles, and the languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from engine.language import listed, tr
from screens.format import fitted, one_line

if TYPE_CHECKING:
    from engine.data.types import Histogram, Inspection

LABEL = 14
_BLOCKS = "▁▂▃▄▅▆▇█"
_LANGUAGES = 4
_BINS = 20


def measure_lines(inspection: Inspection) -> list[Content]:
    """Draw the measures that an inspection has, a line each."""
    lines = []
    histograms = (tr("turns"), inspection.turns), (tr("characters"), inspection.characters)
    for label, histogram in histograms:
        if histogram is not None:
            lines.append(_histogram_line(label, histogram))
    if inspection.languages:
        shown = inspection.languages[:_LANGUAGES]
        words = listed(f"{one_line(code)} {_percent(share)}" for code, share in shown)
        lines.append(fact(tr("languages"), words))
    return lines


def fact(label: str, words: str, style: str = "") -> Content:
    """Draw a label and what belongs to it."""
    return Content.assemble((fitted(label, LABEL), "$muted"), (words, style))


def blocks(histogram: Histogram) -> str:
    """Draw a histogram as blocks; a bin with a row in it is never blank."""
    counts = [count for _, count in histogram.bins[:_BINS]]
    most = max(counts, default=0)
    return "".join(
        _BLOCKS[min(count * len(_BLOCKS) // most, len(_BLOCKS) - 1)] if count else " "
        for count in counts
    )


def _histogram_line(label: str, histogram: Histogram) -> Content:
    """Draw one measure: its shape, then its quantiles."""
    figures = {
        "p50": histogram.p50, "p95": histogram.p95, "p99": histogram.p99,
        tr("max"): histogram.longest,
    }  # fmt: skip
    parts: list[Content | tuple[str, str] | str] = [(fitted(label, LABEL), "$muted")]
    drawn = blocks(histogram)
    if len(drawn.rstrip()) > 1:
        parts += [(drawn, "$text-primary"), "  "]
    for name, value in figures.items():
        parts += [(f"{name} ", "$muted"), f"{value:,}  "]
    return Content.assemble(*parts).rstrip()


def _percent(share: float) -> str:
    """Write a share; a small one is never called none."""
    return "<1 %" if 0 < share < 0.01 else f"{share:.0%}".replace("%", " %")
