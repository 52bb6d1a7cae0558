"""The fused layer gives PEFT's numbers, forward and backward, and leaves other layers alone."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn

from engine.train.lora_linear import fuse_adapters


class Net(nn.Module):
    """Two layers, one of them with a bias."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(12, 20)
        self.second = nn.Linear(20, 8, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Take (…, 12), give (…, 8)."""
        found: torch.Tensor = self.second(self.first(x).tanh())
        return found


def _adapted(**config: object) -> nn.Module:
    """Give the net an adapter whose B is not zero any more."""
    torch.manual_seed(0)
    model = get_peft_model(
        Net(), LoraConfig(r=4, lora_alpha=6, target_modules=["first", "second"], **config)
    )
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter)
    return model


def _outcome(model: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    """Give output and all gradients."""
    model.zero_grad()
    x = x.clone().requires_grad_()
    out = model(x)
    out.square().sum().backward()
    grads = [one.grad for one in model.parameters() if one.grad is not None]
    assert x.grad is not None
    return [out, x.grad, *grads]


@pytest.mark.parametrize("shape", [(5, 12), (2, 3, 12)])
def test_same_numbers_as_peft(shape: tuple[int, ...]) -> None:
    plain = _adapted()
    fused = deepcopy(plain)
    assert fuse_adapters(fused) == 2
    x = torch.randn(shape)
    for one, other in zip(_outcome(fused, x), _outcome(plain, x), strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-5)


def test_same_numbers_with_dropout() -> None:
    plain = _adapted(lora_dropout=0.5)
    fused = deepcopy(plain)
    fuse_adapters(fused)
    x = torch.randn(64, 12)
    torch.manual_seed(3)
    found = _outcome(fused, x)
    torch.manual_seed(3)
    for one, other in zip(found, _outcome(plain, x), strict=True):
        assert torch.allclose(one, other, rtol=1e-3, atol=1e-4)
    fused.eval()
    assert torch.equal(fused(x), fused(x))


def test_without_the_adapter_it_is_the_base() -> None:
    model = _adapted()
    fuse_adapters(model)
    x = torch.randn(5, 12)
    torch.manual_seed(0)
    with model.disable_adapter():
        assert torch.allclose(model(x), Net()(x))
    assert not torch.allclose(model(x), Net()(x))


def test_bfloat16_base_keeps_the_adapters_gradient_in_fp32() -> None:
    model = _adapted()
    for name, parameter in model.named_parameters():
        if "lora" not in name:
            parameter.data = parameter.data.bfloat16()
    fuse_adapters(model)
    model(torch.randn(5, 12).bfloat16()).float().sum().backward()
    grads = [one.grad for name, one in model.named_parameters() if "lora" in name]
    assert all(one is not None and one.dtype is torch.float32 and one.any() for one in grads)


@pytest.mark.filterwarnings("ignore::peft.utils.warning.PeftWarning")
@pytest.mark.parametrize("config", [{"use_dora": True}, {"lora_bias": True}])
def test_other_kinds_of_adapter_keep_their_forward(config: dict[str, bool]) -> None:
    assert fuse_adapters(_adapted(**config)) == 0
