"""How far a form of an adapter may be from it, and why so far: the one place that says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tolerance:
    """What is put down to the number format, in natural log-probability."""

    mean: float
    """Mean absolute difference over the adapter's tokens."""
    margin: float
    """A token that the adapter prefers by less than this may fall to another one."""


# Weights stored in 16 bits differ from the merged float32 ones by up to one part in 256 (bfloat16)
# or 2048 (float16). On SmolLM2-135M with a trained adapter that moved log-probabilities by 0.01 on
# average and 0.1 at most; small models are the most sensitive. A merge at nine tenths of the scale
# was off by 0.09, one layer's permuted heads by 0.4, an untouched base by 1.5.
LOSSLESS = Tolerance(mean=0.04, margin=0.5)
DISTINCT = 0.08
"""A base whose mean difference is below this hardly differs from its adapter: twice the tolerance,
so that no form can be within the tolerance of both."""
GIBBERISH = 0.5
"""Share of agreeing tokens below which a lossy form that is no nearer to the adapter than its base
is said to have lost what was trained."""
