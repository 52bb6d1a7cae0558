"""Settling number format, attention kernel and the optimizer's constants: the device decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.language import mark, tr
from engine.plan.abilities import runs_kernel
from engine.plan.sources import AXOLOTL, MEASURED

if TYPE_CHECKING:
    from engine.plan.draft import Draft
    from engine.plan.fit import Need

_DEVICE = mark("the device")


def choose_format(draft: Draft, need: Need) -> None:
    """Choose the number format that the device computes fastest in."""
    device = need.device
    if device.kind == "cpu" and draft.fixed.get("use_4bit"):
        why = tr("a 4-bit base computes fastest in 32 bits on a CPU")
        draft.choose("dtype", "float32", why, MEASURED)
    elif device.kind == "cpu" and device.bf16:
        why = tr("this CPU has units for it: twice as fast as 32 bits, in half the memory")
        draft.choose("dtype", "bfloat16", why, MEASURED)
    elif device.kind == "cpu":
        draft.choose("dtype", "float32", tr("this CPU has no bfloat16 units: 32 bits"), _DEVICE)
    elif device.bf16:
        why = tr("{name}: 16 bits, with the range of 32", name=device.name)
        draft.choose("dtype", "bfloat16", why, _DEVICE)
    elif device.kind == "cuda":
        why = tr("{name} is too old for bfloat16: 16 bits", name=device.name)
        draft.choose("dtype", "float16", why, _DEVICE)
    else:
        draft.choose(
            "dtype", "float32", tr("{name} has no bfloat16: 32 bits", name=device.name), _DEVICE
        )


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
