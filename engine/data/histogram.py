"""Histograms of whole numbers, in at most twenty bins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.data.types import Histogram

if TYPE_CHECKING:
    from collections.abc import Sequence

BINS = 20


def percentile(ascending: Sequence[int], percent: int) -> int:
    """Give the smallest value that at least this share of the rows does not exceed."""
    return int(ascending[-(-len(ascending) * percent // 100) - 1])


def histogram(ascending: Sequence[int]) -> Histogram:
    """Sum up values in ascending order, one a row; an array of numpy will do.

    The bins are equally wide up to p99 rounded up, so that one huge row does not press all others
    into the first bin; the last bin takes what lies beyond.
    """
    longest = int(ascending[-1])
    return Histogram(
        p50=percentile(ascending, 50),
        p95=percentile(ascending, 95),
        p99=percentile(ascending, 99),
        longest=longest,
        total=int(sum(ascending)) if isinstance(ascending, (list, tuple)) else _total(ascending),
        bins=_bins(ascending),
    )


def _total(values: Sequence[int]) -> int:
    """Sum an array of small integers without overflow."""
    import numpy as np

    return int(np.sum(np.asarray(values), dtype=np.int64))


def _bins(ascending: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Count the values up to each bin's end."""
    from bisect import bisect_right

    lowest, longest = int(ascending[0]), int(ascending[-1])
    most = percentile(ascending, 99)
    width = max(1, -(-(most - lowest + 1) // (BINS - 1)))
    bins: list[tuple[int, int]] = []
    done = 0
    end = lowest + width - 1
    while done < len(ascending):
        if len(bins) == BINS - 1:
            end = longest
        upto = bisect_right(ascending, min(end, longest))
        bins.append((min(end, longest), upto - done))
        done, end = upto, end + width
    return tuple(bins)
