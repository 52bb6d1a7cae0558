"""Attention kernels and what else a device can do."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

import pytest

from engine.plan import abilities
from engine.plan.hypothetical import named_device
from tests.engine.plan.make import AMD_CARD, APPLE, CPU, plan_for

if TYPE_CHECKING:
    from engine.plan.types import Device

BOTH = frozenset({"flash_attention_2", "flash_attention_3"})


@pytest.mark.parametrize(
    ("card", "kernels", "taken"),
    [
        ("H100", BOTH, "flash_attention_3"),
        ("H100", {"flash_attention_2"}, "flash_attention_2"),
        ("B200", BOTH, "flash_attention_2"),
        ("RTX 4090", BOTH, "flash_attention_2"),
        ("RTX 4090", {"flash_attention_3"}, "sdpa"),
        ("T4", BOTH, "sdpa"),
        ("MI300X", BOTH, "sdpa"),
        ("H100", set(), "sdpa"),
    ],
)
def test_the_newest_kernel_that_runs_is_taken(card: str, kernels: set[str], taken: str) -> None:
    plan = plan_for(200, device=named_device(card), kernels=frozenset(kernels))
    assert plan.training_params.attn_implementation == taken


def test_a_kernel_needs_16_bits() -> None:
    plan = plan_for(200, device=named_device("H100"), kernels=BOTH, dtype="float32")
    assert plan.training_params.attn_implementation == "sdpa"
    for device in (CPU, APPLE):
        assert plan_for(200, device=device, kernels=BOTH).training_params.attn_implementation == (
            "sdpa"
        )


@pytest.mark.parametrize(
    ("installed", "kernels"),
    [
        ({}, set()),
        ({"flash-attn": "2.8.3"}, {"flash_attention_2"}),
        ({"flash-attn": "2.3.2"}, set()),
        ({"flash-attn": "2.8.3", "flash-attn-3": "3.0.0b1"}, set(BOTH)),
        ({"flash-attn": "of my own"}, set()),
    ],
)
def test_installed_kernels_are_found_without_importing_them(
    installed: dict[str, str], kernels: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(name: str) -> str:
        if name not in installed:
            raise metadata.PackageNotFoundError
        return installed[name]

    monkeypatch.setattr(abilities.metadata, "version", find)
    assert abilities.attention_kernels() == kernels


@pytest.mark.parametrize(
    ("device", "four_bit", "optimizer"),
    [
        (named_device("GTX 1080"), True, True),
        (named_device("memory=4GB,capability=5.2"), False, False),
        (AMD_CARD, True, True),
        (CPU, True, False),
        (APPLE, False, False),
    ],
)
def test_what_bitsandbytes_does_where(device: Device, four_bit: bool, optimizer: bool) -> None:
    assert abilities.quantizes(device) is four_bit
    assert abilities.has_8bit_optimizer(device) is optimizer
