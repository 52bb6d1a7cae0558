"""The tiled loss is the cross-entropy, and its gradient that of the whole."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import cross_entropy, linear

from engine.train import loss as module
from engine.train.loss import summed_loss


@pytest.mark.parametrize("tile", [1, 3 * 50, 10**6])
@pytest.mark.parametrize("with_bias", [False, True])
def test_same_as_cross_entropy(tile: int, with_bias: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module.TILE, "cpu", tile)
    torch.manual_seed(0)
    hidden, head = torch.randn(17, 8, requires_grad=True), torch.randn(50, 8)
    bias = torch.randn(50) if with_bias else None
    targets = torch.randint(50, (17,))
    found = summed_loss(hidden, head, bias, targets)
    wanted = cross_entropy(linear(hidden, head, bias), targets, reduction="sum")
    assert torch.allclose(found, wanted, rtol=1e-5)
    (gradient,) = torch.autograd.grad(found * 0.3, hidden)
    (reference,) = torch.autograd.grad(wanted * 0.3, hidden)
    assert torch.allclose(gradient, reference, atol=1e-5)


def test_evaluation_keeps_nothing() -> None:
    hidden = torch.randn(5, 8, requires_grad=True)
    with torch.no_grad():
        found = summed_loss(hidden, torch.randn(9, 8), None, torch.zeros(5, dtype=torch.long))
    assert not found.requires_grad
