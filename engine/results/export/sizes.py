"""How much memory and disk an export takes, before it has begun."""

from __future__ import annotations

from engine.results.export.types import DIRECT

BITS = {
    "f32": 32.0,
    "f16": 16.0,
    "bf16": 16.0,
    "q8_0": 8.5,
    "q6_k": 6.8,
    "q5_k_m": 5.9,
    "q5_k_s": 5.7,
    "q4_k_m": 5.1,
    "q4_k_s": 4.9,
    "q3_k_m": 4.3,
    "q2_k": 3.8,
}
"""Bits of a weight, with what small models keep in finer types."""
_HEAD = 30_000_000
"""Bytes of a vocabulary and of settings, at most."""
_LIBRARIES = 900_000_000
"""Bytes of torch and what belongs to it, and of what lies between two layers."""


def gguf_size(parameters: int, kind: str) -> int:
    """Estimate a GGUF file's bytes."""
    return int(parameters * BITS[kind] / 8) + _HEAD


def disk_needed(form: str, quantize: str, base: int, adapter: int, parameters: int) -> int:
    """Estimate the bytes on the disk at the fullest.

    Args:
        form: The format that is exported.
        quantize: The number format of a GGUF file.
        base: Bytes of the base's weights.
        adapter: Bytes of the adapter's.
        parameters: Of the base.
    """
    if form == "adapter":
        return adapter + _HEAD
    merged = base + adapter + _HEAD
    if form == "merged":
        return merged
    whole = gguf_size(parameters, quantize)
    return merged + whole + (0 if quantize in DIRECT else base + _HEAD)


def memory_needed(form: str, parameters: int) -> int:
    """Estimate the bytes that the process holds at most: the model in float32, and a copy's part.

    Args:
        form: The format that is exported.
        parameters: Of the base.
    """
    return 0 if form == "adapter" else int(parameters * 4 * 1.25) + _LIBRARIES
