"""What an adapter can be exported as, and what each number format of a GGUF file costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual.content import Content

if TYPE_CHECKING:
    from engine.results.export.types import Format, Quantization

FORMATS: dict[Format, str] = {
    "adapter": "The trained matrices alone, as PEFT has them: small; needs its base model.",
    "merged": "A whole model in safetensors, for transformers, vLLM and their like.",
    "gguf": "One file with everything in it, for llama.cpp, Ollama and LM Studio.",
}


class Weights(NamedTuple):
    """A number format of a GGUF file's weights."""

    bits: float
    """Bits that a weight takes."""
    cost: str
    """What it costs, in a few words."""


# Bits as llama.cpp's quantize tool lists them for a 7B model; small models keep some more.
WEIGHTS: dict[Quantization, Weights] = {
    "f16": Weights(16, "as good as they are"),
    "bf16": Weights(16, "as good; slow on many CPUs"),
    "f32": Weights(32, "as good; of use only in rare cases"),
    "q8_0": Weights(8.5, "hardly a difference"),
    "q6_k": Weights(6.56, "hardly a difference mostly"),
    "q5_k_m": Weights(5.68, "a small loss"),
    "q5_k_s": Weights(5.52, "a small loss"),
    "q4_k_m": Weights(4.84, "some loss; common for large models"),
    "q4_k_s": Weights(4.58, "a little more than q4_k_m"),
    "q3_k_m": Weights(3.91, "a clear loss in small models"),
    "q2_k": Weights(3.35, "a heavy loss; for huge models alone"),
}
_BAR = 12
_WHOLE = 16.0
"""Bits of f16, which the others are measured by."""


def weights_words(quantize: Quantization) -> Content:
    """Draw how large a number format is beside f16, and say what it costs."""
    weights = WEIGHTS[quantize]
    share = weights.bits / _WHOLE
    filled = max(1, min(round(_BAR * share), _BAR))
    return Content.assemble(
        ("━" * filled, "$primary"), ("─" * (_BAR - filled), "$faint"),
        (f" {100 * share:.0f} % of f16; {weights.cost}", "$muted"),
    )  # fmt: skip
