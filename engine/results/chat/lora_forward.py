"""Plain LoRA layers as answers need them: one of several adapters, no gradients, few steps.

PEFT's own forward looks at every setting in every layer for every token: on a CPU that made a
token of the demo model a third dearer. The sum is the one of ``engine.train.lora_linear``, in the
same order and number format, so that an adapter speaks as it was trained.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from peft.tuners.lora import Linear as LoraLinear
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor


def speed_up(model: nn.Module) -> int:
    """Let the plain LoRA layers of a PEFT model compute in one step.

    Returns:
        How many there are now. Quantized bases keep PEFT's forward, and so do DoRA and other
        variants whenever one of them is the adapter that answers.
    """
    layers: list[Any] = [layer for layer in model.modules() if type(layer) is LoraLinear]
    plain = [layer for layer in layers if type(layer.base_layer) is nn.Linear]
    for layer in plain:
        if not isinstance(layer.forward, _Forward):
            layer.forward = _Forward(layer)
    return len(plain)


class _Forward:
    """A layer's forward, with the adapter that is set at the time."""

    def __init__(self, layer: Any) -> None:
        self._layer = layer
        self._peft = layer.forward
        self._name = ""
        self._pair: tuple[Tensor, Tensor] | None = None

    def __call__(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """Take (…, in), give (…, out)."""
        layer = self._layer
        base = layer.base_layer
        if layer.disable_adapters:
            plain: Tensor = base(x)
            return plain
        if (pair := self._matrices(layer, x)) is None:
            by_peft: Tensor = self._peft(x, *args, **kwargs)
            return by_peft
        flat = x.reshape(-1, x.shape[-1])
        out = torch.addmm((flat @ pair[0]) @ pair[1], flat, base.weight.t())
        if base.bias is not None:
            out += base.bias
        return out.view(*x.shape[:-1], -1)

    def _matrices(self, layer: Any, x: Tensor) -> tuple[Tensor, Tensor] | None:
        """Give the set adapter's A and scaled B, transposed; ``None`` where it is no plain one."""
        names = layer.active_adapters
        name = names[0] if len(names) == 1 else ""
        if name != self._name or (self._pair is not None and self._pair[0].dtype != x.dtype):
            self._name = name
            self._pair = _pair(layer, name, x.dtype) if _is_plain(layer, name) else None
        return self._pair


def _is_plain(layer: Any, name: str) -> bool:
    """Tell whether an adapter is scaling · B·A·x beside the base's product, and nothing else."""
    return (
        name in layer.lora_A
        and name not in layer.lora_variant
        and not layer.merged
        and layer.lora_A[name].bias is None
        and layer.lora_B[name].bias is None
    )


def _pair(layer: Any, name: str, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Make the two matrices in the format that the model computes in."""
    a, b = layer.lora_A[name].weight, layer.lora_B[name].weight
    return a.to(dtype).t().contiguous(), (b * layer.scaling[name]).to(dtype).t().contiguous()
