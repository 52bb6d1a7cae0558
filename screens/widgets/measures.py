"""How a dataset measures: small histograms with their quantiles, and the languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from engine.language import listed, tr
from screens.format import one_line
from screens.widgets.facts import Fact

if TYPE_CHECKING:
    from engine.data.types import Histogram, Inspection

_BLOCKS = "▁▂▃▄▅▆▇█"
_LANGUAGES = 4
_BINS = 20


def measure_facts(inspection: Inspection) -> list[Fact]:
    """Draw the measures that an inspection has."""
    facts = []
    histograms = (tr("turns"), inspection.turns), (tr("characters"), inspection.characters)
    for label, histogram in histograms:
        if histogram is not None:
            facts.append(Fact(label, _histogram_words(histogram)))
    if inspection.languages:
        shown = inspection.languages[:_LANGUAGES]
        words = listed(f"{one_line(code)} {_percent(share)}" for code, share in shown)
        facts.append(Fact(tr("languages"), Content(words)))
    return facts


def blocks(histogram: Histogram) -> str:
    """Draw a histogram as blocks; a bin with a row in it is never blank."""
    counts = [count for _, count in histogram.bins[:_BINS]]
    most = max(counts, default=0)
    return "".join(
        _BLOCKS[min(count * len(_BLOCKS) // most, len(_BLOCKS) - 1)] if count else " "
        for count in counts
    )


def _histogram_words(histogram: Histogram) -> list[Content]:
    """Draw one measure: its shape, then its quantiles."""
    figures = {
        "p50": histogram.p50, "p95": histogram.p95, "p99": histogram.p99,
        tr("max"): histogram.longest,
    }  # fmt: skip
    drawn = blocks(histogram)
    shape = [Content.styled(drawn, "$text-primary")] if len(drawn.rstrip()) > 1 else []
    return [
        *shape,
        *(
            Content.assemble((f"{name} ", "$muted"), f"{value:,}")
            for name, value in figures.items()
        ),
    ]


def _percent(share: float) -> str:
    """Write a share; a small one is never called none."""
    return "<1 %" if 0 < share < 0.01 else f"{share:.0%}".replace("%", " %")
