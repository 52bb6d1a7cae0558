"""The memory a run needs at its peak, predicted part by part before anything is loaded.

What the training keeps for its backward pass was counted tensor by tensor (demo model: 1.29 MB a
token in fp32, 0.83 in bf16); what a process takes beyond that was measured as resident size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.plan.types import Device, Memory

if TYPE_CHECKING:
    from engine.models.types import ModelShape
    from engine.plan.parameters import TrainingParams

_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
_NF4_BYTES = 0.5159
"""A weight in NF4 with double quantization: 0.5 + 1/64 + 4/16384 (soup)."""
CUDA_CONTEXT = 600_000_000
"""Between the 0.4 and 0.9 GB that NVML shows for a fresh context."""
CUDA_SLACK = 0.06
"""What the caching allocator holds beyond what is in use (backpropagate)."""
_WORKER = 620_000_000
"""A worker with torch, transformers and trl imported, before its first pass."""
FIRST_PASS = 200_000_000
"""What the first pass on a CPU adds for good: threads, kernels and their buffers."""
_CPU_OVERHEAD = 1.15
"""What the C allocator cannot use again between passes of other sizes."""
TILE = {"cpu": 2**23, "cuda": 2**24}
"""Logits that the loss makes at once: 32 MB in fp32 on a CPU, near what its caches hold, 64 on a
GPU."""
_TILE_BYTES = 12
"""A logit as it comes, in fp32, as an exponential, and as a gradient."""
MATH_LENGTH = 512
"""Up to here the attention on a CPU in bf16 is made of matrix products, and keeps its weights."""


def adapter_size(shape: ModelShape, rank: int, target_modules: str = "all-linear") -> int:
    """Count the adapter's parameters: LoRA on all seven linear layers of each block, or on four.

    PEFT's ``all-linear`` on SmolLM2-135M at rank 16 trains 4,884,480.
    """
    widths = 2 * (shape.hidden + shape.query) + 2 * (shape.hidden + shape.key_value)
    if target_modules == "all-linear":
        widths += 3 * (shape.hidden + shape.mlp)
    return rank * shape.layers * widths


def estimate(
    shape: ModelShape,
    params: TrainingParams,
    length: int,
    device: Device,
    trained_share: float = 0.5,
    row_tokens: int | None = None,
) -> Memory:
    """Predict the peak memory of a run.

    Args:
        shape: The base model's sizes.
        params: What the run is started with.
        length: Tokens of the longest row as it is trained, after cutting.
        device: Where it runs; on a GPU its own memory counts, else the worker process's.
        trained_share: Of a batch's tokens, those that the loss is computed on (0 to 1).
        row_tokens: Tokens over which attention reaches, where that is not the whole ``length``.

    Returns:
        Bytes: ``weights``, ``adapter``, ``gradients``, ``optimizer``, ``activations``, ``logits``
        (the loss) and ``framework`` (libraries, or driver context and slack).
    """
    tokens = params.batch_size * length
    count = adapter_size(shape, params.lora_rank, params.target_modules)
    width = _adapter_bytes(params)
    parts = {
        "weights": base_bytes(shape, params.dtype, use_4bit=params.use_4bit),
        "adapter": count * width,
        "gradients": count * width,
        # A paged state gives way to the machine's memory when the card's runs short
        "optimizer": 0 if params.optim.startswith("paged") else optimizer_bytes(params, count),
        "activations": _activations(shape, params, tokens, row_tokens or length, device),
        "logits": _logits(shape, params, int(tokens * trained_share), device),
    }
    if device.kind == "cpu":
        parts["framework"] = _WORKER + FIRST_PASS
    else:
        parts["framework"] = CUDA_CONTEXT + int(CUDA_SLACK * sum(parts.values()))
    return Memory(parts=parts, total=sum(parts.values()), free=device.memory_free)


def base_bytes(shape: ModelShape, dtype: str, *, use_4bit: bool) -> int:
    """Count a base model's bytes; embeddings and head are never quantized."""
    width = _BYTES[dtype]
    if not use_4bit:
        return shape.parameters * width
    kept = shape.vocabulary * shape.hidden * (1 if shape.tied_embeddings else 2)
    unpacked = shape.mlp * shape.hidden  # the largest layer's weights, while it computes
    return (kept + unpacked) * width + int((shape.parameters - kept) * _NF4_BYTES)


def _adapter_bytes(params: TrainingParams) -> int:
    """Give an adapter weight's bytes: TRL casts it to bf16 on a 4-bit base in 16 bits."""
    return 2 if params.use_4bit and params.dtype == "bfloat16" else 4


def optimizer_bytes(params: TrainingParams, count: int) -> int:
    """Count the optimizer's state for so many adapter parameters."""
    return count * (8 if params.optim == "adamw_torch" else 2)


def _activations(
    shape: ModelShape, params: TrainingParams, tokens: int, length: int, device: Device
) -> int:
    """Count what the forward pass keeps for the backward pass.

    A layer keeps both normalized inputs, queries with their attended values twice, keys, values,
    and the MLP's gate, its activation, the other branch and their product in the model's format,
    and both inputs of the norms in fp32. Computing twice keeps a layer's input instead, and one
    layer with its gradients.
    """
    width = _BYTES[params.dtype]
    kept = 2 * shape.hidden + 3 * shape.query + 2 * shape.key_value + 4 * shape.mlp
    layer = width * kept + 2 * 4 * shape.hidden
    if device.kind == "cpu" and width == 2:
        layer += width * shape.heads * min(length, MATH_LENGTH)
    whole = shape.layers * layer
    if params.gradient_checkpointing:
        whole = shape.layers * width * shape.hidden + int(1.5 * layer)
    return int(tokens * whole * (_CPU_OVERHEAD if device.kind == "cpu" else 1.0))


def _logits(shape: ModelShape, params: TrainingParams, trained: int, device: Device) -> int:
    """Count the loss's working memory: a tile of logits, and the hidden states' gradients."""
    tile = min(trained * shape.vocabulary, TILE["cpu" if device.kind == "cpu" else "cuda"])
    return _TILE_BYTES * tile + 2 * _BYTES[params.dtype] * shape.hidden * trained
