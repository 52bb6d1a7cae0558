"""What a device can do, beyond its memory: number formats, bitsandbytes, attention kernels."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Literal

from packaging.version import InvalidVersion, Version

if TYPE_CHECKING:
    from engine.plan.types import Device

_BITSANDBYTES_SINCE = (6, 0)
"""Pascal; older cards are not built for (bitsandbytes 0.50, installation guide)."""
_FLASH_2_SINCE = (8, 0)
"""Ampere (flash-attention's README)."""
_FLASH_2_OLDEST = Version("2.3.3")
"""Transformers 5 takes no older one."""
_FLASH_3_MAJOR = 9
"""Hopper alone (flash-attention's README)."""


def quantizes(device: Device) -> bool:
    """Tell whether bitsandbytes keeps weights in 4 bits there, as far as LoRADeck trusts it.

    Its builds for AMD cards are official since 0.50 (ROCm 6.4 to 7.2); Apple's GPU is left out,
    as its kernels come from the network at the first use.
    """
    if device.kind == "cuda":
        return device.capability is None or device.capability >= _BITSANDBYTES_SINCE
    return device.kind == "cpu"


def has_8bit_optimizer(device: Device) -> bool:
    """Tell whether AdamW's state can be kept in 8 bits, and be paged out, on the device."""
    return device.kind == "cuda" and quantizes(device)


def plain_format(device: Device, *, four_bit: bool) -> Literal["float32", "bfloat16", "float16"]:
    """Give the number format that the device computes fastest in.

    A 4-bit base computes fastest in 32 bits on a CPU (ours, measured).
    """
    if device.bf16 and not (four_bit and device.kind == "cpu"):
        return "bfloat16"
    return "float16" if device.kind == "cuda" else "float32"


def attention_kernels() -> frozenset[str]:
    """Name the FlashAttention versions that are installed, as transformers will find them."""
    found = set()
    if _version("flash-attn") >= _FLASH_2_OLDEST:
        found.add("flash_attention_2")
    if _version("flash-attn-3") > _NONE:
        found.add("flash_attention_3")
    return frozenset(found)


def runs_kernel(kernel: str, device: Device, dtype: str) -> bool:
    """Tell whether a device computes an attention kernel in a number format."""
    if kernel == "sdpa":
        return True
    if device.kind != "cuda" or device.capability is None or dtype == "float32":
        return False
    if kernel == "flash_attention_3":
        return device.capability[0] == _FLASH_3_MAJOR
    return device.capability >= _FLASH_2_SINCE


_NONE = Version("0.dev0")


def _version(distribution: str) -> Version:
    """Give an installed distribution's version; the lowest one where it is not there."""
    try:
        return Version(metadata.version(distribution))
    except (metadata.PackageNotFoundError, InvalidVersion):
        return _NONE
