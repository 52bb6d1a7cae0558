"""The memory a run needs at its peak, predicted part by part before anything is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.plan.types import Device, Memory

if TYPE_CHECKING:
    from engine.models.types import ModelShape
    from engine.plan.parameters import TrainingParams

_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
_NF4_BYTES = 0.5159
"""A weight in NF4 with double quantization: 0.5 + 1/64 + 4/16384 (soup)."""
_LOSS_WORKSPACE = 256 * 2**20
"""TRL's fused head works in tiles of the logits; in bf16 on a GPU (rules.md)."""
_CUDA_CONTEXT = 600_000_000
"""Between the 0.4 and 0.9 GB that NVML shows for a fresh context."""
_CUDA_SLACK = 0.06
"""What the caching allocator holds beyond what is in use (backpropagate)."""
_WORKER = 560_000_000
"""A worker with torch, transformers and trl imported, and what loading leaves behind."""
_CPU_OVERHEAD = 1.33
_CPU_LOSS_TILES = 17
"""TRL's head without Triton keeps so many fp32 copies of its tile of logits at once.

These three were measured on the demo model (fp32, rank 16, TRL 1.16, half the tokens trained),
peak resident size over batch x length: 1 x 128 1.62 GB, 2 x 70 1.67, 2 x 512 4.59 (3.06 with
checkpointing), 4 x 512 7.92. A whole run at 2 x 70 through the engine peaked at 1.72 GB.
"""
CHECKPOINTS_KEPT = 3
"""How many checkpoints of a run lie on the disk at most (``save_total_limit`` and one more)."""
_TOKENIZER_FILES = 20_000_000
_BYTES_A_TOKEN = 8
"""Of the encoded rows, which lie on the disk while a task runs: number and label."""


def adapter_size(shape: ModelShape, rank: int) -> int:
    """Count the adapter's parameters: LoRA on all seven linear layers of each block.

    PEFT's ``all-linear`` on SmolLM2-135M at rank 16 trains 4,884,480.
    """
    attention = 2 * (shape.hidden + shape.query) + 2 * (shape.hidden + shape.key_value)
    mlp = 3 * (shape.hidden + shape.mlp)
    return rank * shape.layers * (attention + mlp)


def estimate(
    shape: ModelShape,
    params: TrainingParams,
    length: int,
    device: Device,
    adapter_parameters: int,
    trained_share: float = 0.5,
) -> Memory:
    """Predict the peak memory of a run.

    Args:
        shape: The base model's sizes.
        params: What the run is started with.
        length: Tokens of the longest row as it is trained, after cutting.
        device: Where it runs; on a GPU its own memory counts, else the worker process's.
        adapter_parameters: Of ``adapter_size``.
        trained_share: Of a batch's tokens, those that the loss is computed on (0 to 1).

    Returns:
        Bytes: ``weights``, ``adapter`` (with gradient and optimizer), ``activations``,
        ``logits`` (the loss) and ``framework`` (libraries, or driver context and slack).
    """
    tokens = params.batch_size * length
    parts = {
        "weights": _weights(shape, params),
        "adapter": _adapter(params, adapter_parameters),
        "activations": _activations(shape, params, tokens, device),
        "logits": _logits(shape, params, int(tokens * trained_share), device),
    }
    if device.kind == "cpu":
        parts["framework"] = _WORKER
    else:
        parts["framework"] = _CUDA_CONTEXT + int(_CUDA_SLACK * sum(parts.values()))
    return Memory(parts=parts, total=sum(parts.values()), free=device.memory_free)


def _weights(shape: ModelShape, params: TrainingParams) -> int:
    """Count the base model's bytes; embeddings and head are never quantized."""
    width = _BYTES[params.dtype]
    if not params.use_4bit:
        return shape.parameters * width
    kept = shape.vocabulary * shape.hidden * (1 if shape.tied_embeddings else 2)
    return kept * width + int((shape.parameters - kept) * _NF4_BYTES)


def optimizer_bytes(params: TrainingParams, count: int) -> int:
    """Count the optimizer's state for so many adapter parameters."""
    return count * (8 if params.optim == "adamw_torch" else 2)


def _adapter(params: TrainingParams, count: int) -> int:
    """Count weights, gradients and optimizer state of the adapter.

    PEFT keeps an adapter in fp32 on a 16-bit base; TRL casts it to bf16 on a 4-bit one.
    """
    weight = 2 if params.use_4bit and params.dtype != "float32" else 4
    state = 8 if params.optim == "adamw_torch" else 2
    return count * (2 * weight + state)


def _activations(shape: ModelShape, params: TrainingParams, tokens: int, device: Device) -> int:
    """Count what the forward pass keeps for the backward pass (rules.md; SDPA attention)."""
    width = _BYTES[params.dtype]
    if params.gradient_checkpointing:
        kept = width * shape.layers * shape.hidden
        wide = 2 * shape.query + 2 * shape.key_value + 6 * shape.hidden + 3 * shape.mlp
        block = width * wide
    else:
        kept = 0
        block = width * shape.layers * (10 * shape.hidden + 3 * shape.mlp)
    overhead = _CPU_OVERHEAD if device.kind == "cpu" else 1.0
    return int(tokens * (kept + block * overhead))


def _logits(shape: ModelShape, params: TrainingParams, tokens: int, device: Device) -> int:
    """Count the loss's working memory, which TRL spends in tiles on trained tokens only."""
    if device.kind == "cpu":
        return 4 * _CPU_LOSS_TILES * tokens * shape.vocabulary
    scale = _BYTES[params.dtype] // 2
    return scale * (_LOSS_WORKSPACE + 6 * shape.hidden * tokens)


def disk_needed(shape: ModelShape, params: TrainingParams, tokens: int) -> int:
    """Count what a run writes: encoded rows, the checkpoints that are kept, the finished adapter.

    A checkpoint is the adapter, its optimizer state and the tokenizer with the trainer's state.
    """
    count = adapter_size(shape, params.lora_rank)
    adapter = 4 * count + _TOKENIZER_FILES
    state = (8 if params.optim == "adamw_torch" else 2) * count
    return CHECKPOINTS_KEPT * (adapter + state) + adapter + _BYTES_A_TOKEN * tokens
