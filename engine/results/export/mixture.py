"""Which number format each tensor of a K-quantized GGUF file gets: llama.cpp's own mixture.

The matrices that a model is most sensitive to, and the first, the last and every third of the
layers, get finer types; what does not divide into blocks gets one that it divides into.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, LlamaFileType

T = GGMLQuantizationType
FILE_TYPES = {
    "q2_k": LlamaFileType.MOSTLY_Q2_K,
    "q3_k_m": LlamaFileType.MOSTLY_Q3_K_M,
    "q4_k_s": LlamaFileType.MOSTLY_Q4_K_S,
    "q4_k_m": LlamaFileType.MOSTLY_Q4_K_M,
    "q5_k_s": LlamaFileType.MOSTLY_Q5_K_S,
    "q5_k_m": LlamaFileType.MOSTLY_Q5_K_M,
    "q6_k": LlamaFileType.MOSTLY_Q6_K,
}
_PLAIN = {
    "q2_k": T.Q2_K,
    "q3_k_m": T.Q3_K,
    "q4_k_s": T.Q4_K,
    "q4_k_m": T.Q4_K,
    "q5_k_s": T.Q5_K,
    "q5_k_m": T.Q5_K,
    "q6_k": T.Q6_K,
}
_SMALLER_BLOCKS = {
    T.Q2_K: T.IQ4_NL,
    T.Q3_K: T.IQ4_NL,
    T.Q4_K: T.Q5_0,
    T.Q5_K: T.Q5_1,
    T.Q6_K: T.Q8_0,
}
_KEPT = re.compile(r"norm|ffn_gate_inp|position_embd|token_types|ssm_|time_mix|altup|laurel|rope_")
_LAYER = re.compile(r"blk\.(\d+)\.")


@dataclass(frozen=True)
class Mixture:
    """The types for one file."""

    kind: str
    layers: int
    grouped: int
    """Query heads that share one key and value head."""
    has_output: bool
    """Whether the head is a matrix of its own; else the embeddings are it."""

    def type_of(self, name: str, shape: tuple[int, ...]) -> GGMLQuantizationType | None:
        """Choose a tensor's type; ``None`` where it stays as it is.

        Args:
            name: In the file, as ``blk.0.attn_v.weight``.
            shape: With the length of a row first, as GGUF has it.
        """
        if len(shape) < 2 or not name.endswith("weight") or _KEPT.search(name):
            return None
        chosen = self._wanted(name)
        if shape[0] % GGML_QUANT_SIZES[chosen][0]:
            chosen = _SMALLER_BLOCKS[chosen]
        return None if shape[0] % GGML_QUANT_SIZES[chosen][0] else chosen

    def _wanted(self, name: str) -> GGMLQuantizationType:
        """Choose a type by what the tensor does and where it is."""
        if name == "output.weight" or (name == "token_embd.weight" and not self.has_output):
            return T.Q6_K
        layer = int(found[1]) if (found := _LAYER.match(name)) else 0
        for part, choose in (
            ("attn_v.", self._values),
            ("ffn_down", self._down),
            ("attn_output.", self._attention_output),
            ("attn_qkv.", self._fused),
        ):
            if part in name:
                return choose(layer)
        return _PLAIN[self.kind]

    def _more(self, layer: int) -> bool:
        """Tell whether a layer is of the first eighth, the last, or every third between."""
        eighth = self.layers // 8
        return layer < eighth or layer >= 7 * self.layers // 8 or (layer - eighth) % 3 == 2

    def _values(self, layer: int) -> GGMLQuantizationType:
        """Choose for the values of the attention."""
        if self.kind in ("q4_k_m", "q5_k_m") and self._more(layer):
            return T.Q6_K
        if self.kind == "q2_k":
            return T.Q4_K if self.grouped >= 4 else T.Q3_K
        if self.kind == "q3_k_m":
            return T.Q5_K if layer < 2 else T.Q4_K
        return T.Q5_K if self.kind == "q4_k_s" and layer < 4 else _PLAIN[self.kind]

    def _down(self, layer: int) -> GGMLQuantizationType:
        """Choose for the way down from the MLP."""
        if self.kind in ("q4_k_m", "q5_k_m") and self._more(layer):
            return T.Q6_K
        if self.kind == "q3_k_m":
            return T.Q5_K if layer < self.layers // 16 else T.Q4_K
        if self.kind == "q4_k_s" and layer < self.layers // 8:
            return T.Q5_K
        return T.Q3_K if self.kind == "q2_k" else _PLAIN[self.kind]

    def _attention_output(self, _: int) -> GGMLQuantizationType:
        """Choose for the way out of the attention."""
        return {"q2_k": T.Q3_K, "q3_k_m": T.Q4_K}.get(self.kind, _PLAIN[self.kind])

    def _fused(self, _: int) -> GGMLQuantizationType:
        """Choose for queries, keys and values in one matrix."""
        finer = {"q3_k_m": T.Q4_K, "q4_k_m": T.Q5_K, "q5_k_m": T.Q6_K}
        return finer.get(self.kind, _PLAIN[self.kind])
