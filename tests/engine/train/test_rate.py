"""The learning rate rises, peaks once and falls; no step is idle."""

from __future__ import annotations

import pytest

from engine.train.rate import rate_share


@pytest.mark.parametrize("curve", ["linear", "cosine", "constant", "constant_with_warmup"])
@pytest.mark.parametrize(("steps", "warmup"), [(1, 0), (30, 5), (100, 0), (7, 6)])
def test_no_step_is_idle(curve: str, steps: int, warmup: int) -> None:
    shares = [rate_share(step, steps, warmup, curve) for step in range(steps)]
    assert all(0.0 < share <= 1.0 for share in shares)
    assert max(shares) == 1.0
    peak = shares.index(1.0)
    assert shares[:peak] == sorted(shares[:peak])
    assert shares[peak:] == sorted(shares[peak:], reverse=True)
    assert peak == (0 if curve == "constant" else warmup)


def test_curves() -> None:
    assert rate_share(50, 100, 0, "linear") == 0.5
    assert rate_share(50, 100, 0, "cosine") == pytest.approx(0.5)
    assert rate_share(99, 100, 0, "constant") == 1.0
    assert rate_share(1, 100, 4, "cosine") == pytest.approx(0.4)
