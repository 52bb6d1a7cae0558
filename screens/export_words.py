"""What an adapter can be exported as, and what each number format of a GGUF file costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from engine.language import mark, tr
from engine.results.export.sizes import BITS

if TYPE_CHECKING:
    from engine.results.export.types import Format, Quantization

FORMATS: dict[Format, str] = {
    "adapter": mark("The trained matrices alone, as PEFT has them: small; needs its base model."),
    "merged": mark("A whole model in safetensors, for transformers, vLLM and their like."),
    "gguf": mark("One file with everything in it, for llama.cpp, Ollama and LM Studio."),
}


WEIGHTS: dict[Quantization, str] = {
    "f16": mark("as good as they are"),
    "bf16": mark("as good; slow on many CPUs"),
    "f32": mark("as good; of use only in rare cases"),
    "q8_0": mark("hardly a difference"),
    "q6_k": mark("hardly a difference mostly"),
    "q5_k_m": mark("a small loss"),
    "q5_k_s": mark("a small loss"),
    "q4_k_m": mark("some loss; common for large models"),
    "q4_k_s": mark("a little more than q4_k_m"),
    "q3_k_m": mark("a clear loss in small models"),
    "q2_k": mark("a heavy loss; for huge models alone"),
}
"""What each number format costs, in a few words."""
_BAR = 12


def weights_words(quantize: Quantization) -> Content:
    """Draw how large a number format is beside f16, and say what it costs."""
    share = BITS[quantize] / BITS["f16"]
    filled = max(1, min(round(_BAR * share), _BAR))
    told = tr("{share} % of f16; {cost}", share=f"{100 * share:.0f}", cost=tr(WEIGHTS[quantize]))
    return Content.assemble(
        ("━" * filled, "$primary"), ("─" * (_BAR - filled), "$faint"),
        (f" {told}", "$muted"),
    )  # fmt: skip
