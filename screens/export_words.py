"""What an adapter can be exported as, and what each number format of a GGUF file costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from engine.results.export.sizes import BITS

if TYPE_CHECKING:
    from engine.results.export.types import Format, Quantization

FORMATS: dict[Format, str] = {
    "adapter": "The trained matrices alone, as PEFT has them: small; needs its base model.",
    "merged": "A whole model in safetensors, for transformers, vLLM and their like.",
    "gguf": "One file with everything in it, for llama.cpp, Ollama and LM Studio.",
}


WEIGHTS: dict[Quantization, str] = {
    "f16": "as good as they are",
    "bf16": "as good; slow on many CPUs",
    "f32": "as good; of use only in rare cases",
    "q8_0": "hardly a difference",
    "q6_k": "hardly a difference mostly",
    "q5_k_m": "a small loss",
    "q5_k_s": "a small loss",
    "q4_k_m": "some loss; common for large models",
    "q4_k_s": "a little more than q4_k_m",
    "q3_k_m": "a clear loss in small models",
    "q2_k": "a heavy loss; for huge models alone",
}
"""What each number format costs, in a few words."""
_BAR = 12


def weights_words(quantize: Quantization) -> Content:
    """Draw how large a number format is beside f16, and say what it costs."""
    share = BITS[quantize] / BITS["f16"]
    filled = max(1, min(round(_BAR * share), _BAR))
    return Content.assemble(
        ("━" * filled, "$primary"), ("─" * (_BAR - filled), "$faint"),
        (f" {100 * share:.0f} % of f16; {WEIGHTS[quantize]}", "$muted"),
    )  # fmt: skip
