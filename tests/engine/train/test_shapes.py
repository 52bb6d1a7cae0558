"""Sizes are rounded up in bfloat16 on a CPU alone: to few of them, at little cost."""

from __future__ import annotations

import torch

from engine.train.shapes import room_for


def test_few_sizes_at_little_cost() -> None:
    like = torch.zeros(1, dtype=torch.bfloat16)
    sizes = {length: room_for(length, like) for length in range(1, 2049)}
    assert all(length <= size for length, size in sizes.items())
    assert len(set(sizes.values())) <= 100
    assert all(size - length < max(8, length / 16) for length, size in sizes.items())
    assert all(room_for(size, like) == size for size in sizes.values())
    assert room_for(0, like) == 0


def test_nothing_is_filled_up_elsewhere() -> None:
    assert room_for(301, torch.zeros(1)) == 301
    assert room_for(301, torch.zeros(1, dtype=torch.bfloat16, device="meta")) == 301
