"""Settling number format, attention kernel and the optimizer's constants: the device decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.language import mark, tr
from engine.plan.abilities import plain_format, runs_kernel
from engine.plan.sources import AXOLOTL, MEASURED

if TYPE_CHECKING:
    from engine.plan.draft import Draft
    from engine.plan.fit import Need
    from engine.plan.types import Device

_DEVICE = mark("the device")


def choose_format(draft: Draft, need: Need) -> None:
    """Choose the number format that the device computes fastest in."""
    device = need.device
    four_bit = bool(draft.fixed.get("use_4bit"))
    dtype = plain_format(device, four_bit=four_bit)
    source = MEASURED if device.kind == "cpu" and (four_bit or device.bf16) else _DEVICE
    draft.choose("dtype", dtype, _why(device, dtype, four_bit=four_bit), source)


def _why(device: Device, dtype: str, *, four_bit: bool) -> str:
    """Say why a device computes fastest in a number format."""
    if device.kind == "cpu" and four_bit:
        return tr("a 4-bit base computes fastest in 32 bits on a CPU")
    if device.kind == "cpu" and device.bf16:
        return tr("this CPU has units for it: twice as fast as 32 bits, in half the memory")
    if device.kind == "cpu":
        return tr("this CPU has no bfloat16 units: 32 bits")
    if dtype == "bfloat16":
        return tr("{name}: 16 bits, with the range of 32", name=device.name)
    if dtype == "float16":
        return tr("{name} is too old for bfloat16: 16 bits", name=device.name)
    return tr("{name} has no bfloat16: 32 bits", name=device.name)


def choose_attention(draft: Draft, need: Need) -> None:
    """Choose the newest attention kernel that is installed, and that the device runs."""
    dtype = draft.choices["dtype"].value
    for kernel in ("flash_attention_3", "flash_attention_2"):
        if kernel in need.kernels and runs_kernel(kernel, need.device, dtype):
            why = tr("it is installed, and {name} runs it", name=need.device.name)
            draft.choose("attn_implementation", kernel, why, "flash-attention")
            return
    why = tr("PyTorch's own attention, there on every device")
    draft.choose("attn_implementation", "sdpa", why, "transformers")


def choose_constants(draft: Draft) -> None:
    """Choose what is the same for every run."""
    draft.choose(
        "weight_decay",
        0.0,
        tr("0: an adapter is small enough not to need it"),
        AXOLOTL,
    )
    why = tr("1: one odd row cannot throw the adapter off")
    draft.choose("max_grad_norm", 1.0, why, "transformers")
    draft.choose("seed", 42, tr("fixed at 42, so that a run can be repeated"), "transformers")
