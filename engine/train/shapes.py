"""Rounds sizes up where each new size costs for good.

For products in bfloat16 a CPU's library (oneDNN) compiles a kernel for each size it meets, and
keeps it: 300 lengths of a batch took 500 MB and a third of the time. Rounded, a whole run meets a
few dozen sizes, at 3 % more tokens on average.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

_FINEST = 8
_STEPS = 16
"""Sizes between one power of two and the next."""


def room_for(length: int, like: Tensor) -> int:
    """Give the size to which a number of tokens is filled up; itself where nothing is gained.

    Args:
        like: Tells device and number format of the products.
    """
    if like.device.type != "cpu" or like.dtype is not torch.bfloat16 or length == 0:
        return length
    step = max(_FINEST, (1 << (length.bit_length() - 1)) // _STEPS)
    return -(-length // step) * step
