"""The learning rate over the steps of a run, as a share of its peak."""

from __future__ import annotations

import math


def rate_share(step: int, steps: int, warmup: int, curve: str) -> float:
    """Give the share of the peak rate at a step.

    The first step of a warm-up already moves, and the last step of a run still does: in a run of
    30 steps none is spent at a rate of zero.

    Args:
        step: Counted from 0.
        steps: Of the whole run.
        warmup: Steps before the peak.
        curve: ``linear``, ``cosine``, ``constant`` or ``constant_with_warmup``.
    """
    if curve != "constant" and step < warmup:
        return (step + 1) / (warmup + 1)
    done = min(1.0, (step - warmup) / max(1, steps - warmup))
    match curve:
        case "linear":
            return 1.0 - done
        case "cosine":
            return 0.5 * (1.0 + math.cos(math.pi * done))
        case _:
            return 1.0
