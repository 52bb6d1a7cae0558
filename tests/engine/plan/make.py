"""Models, devices and datasets that plans are made for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.data.types import Inspection, Lengths
from engine.models.types import ModelInfo, ModelShape
from engine.plan.planner import make_plan
from engine.plan.types import Device, Plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.plan.calibration import Calibrations

DEMO = ModelShape(
    architecture="llama",
    parameters=134_515_008,
    hidden=576,
    layers=30,
    vocabulary=49_152,
    mlp=1_536,
    heads=9,
    query=576,
    key_value=192,
    context=8_192,
    tied_embeddings=True,
)
LLAMA_8B = ModelShape(
    architecture="llama",
    parameters=8_030_261_248,
    hidden=4_096,
    layers=32,
    vocabulary=128_256,
    mlp=14_336,
    heads=32,
    query=4_096,
    key_value=1_024,
    context=131_072,
    tied_embeddings=False,
)
QWEN_14B = LLAMA_8B.model_copy(
    update={"parameters": 14_770_000_000, "hidden": 5_120, "layers": 48, "query": 5_120}
)
SHAPES = {"demo": DEMO, "8b": LLAMA_8B, "14b": QWEN_14B}

GB = 10**9
CPU = Device(kind="cpu", name="EPYC 7", cores=2, memory_total=24 * GB, memory_free=21 * GB)
BF16_CPU = CPU.model_copy(update={"bf16": True, "features": ("avx2", "avx512", "avx512_bf16")})
CARD = Device(
    kind="cuda",
    name="RTX 4090",
    memory_total=24 * GB,
    memory_free=int(23.5 * GB),
    bf16=True,
    capability=(8, 9),
)
OLD_CARD = Device(
    kind="cuda", name="Tesla T4", memory_total=16 * GB, memory_free=15 * GB, capability=(7, 5)
)
AMD_CARD = CARD.model_copy(
    update={"name": "RX 7900 XTX", "capability": None, "features": ("rocm",)}
)
APPLE = Device(kind="mps", name="Apple GPU", memory_total=64 * GB, memory_free=48 * GB, bf16=True)
DEVICES = {
    "cpu": CPU,
    "bf16 cpu": BF16_CPU,
    "amd": AMD_CARD,
    "24 GB": CARD,
    "old": OLD_CARD,
    "apple": APPLE,
}


def lengths_of(rows: int, longest: int, measured: int | None = None) -> Lengths:
    """Spread rows evenly between half of the longest and the longest."""
    measured = rows if measured is None else measured
    span = longest - longest // 2
    counts = sorted(longest - index * span // max(1, measured) for index in range(measured))
    return Lengths(
        rows=rows,
        measured=measured,
        p50=_at(counts, 0.5),
        p95=_at(counts, 0.95),
        p99=_at(counts, 0.99),
        longest=longest,
        total=sum(counts),
        trained=sum(counts) // 2,
        estimated_total=sum(counts) * rows // max(1, measured),
        estimated_trained=sum(counts) * rows // max(1, measured) // 2,
        error=0.0 if measured == rows else 0.013,
        counts=tuple(counts),
    )


def _at(counts: list[int], share: float) -> int:
    """Give a quantile; 0 of nothing."""
    return counts[int(len(counts) * share)] if counts else 0


def plan_for(
    rows: int,
    *,
    shape: ModelShape | None = DEMO,
    device: Device = CPU,
    longest: int = 70,
    disk_free: int = 1000 * GB,
    measured: int | None = None,
    dataset_file: str = "facts.json",
    preset: str = "",
    kernels: frozenset[str] = frozenset(),
    models: Sequence[ModelInfo] = (),
    calibrations: Calibrations | None = None,
    **overrides: Any,
) -> Plan:
    """Plan for a number of rows; everything else has a default."""
    return make_plan(
        inspection=Inspection(
            path="/data/facts.json",
            dataset_type="alpaca",
            rows=rows,
            findings=(),
            sha256="0" * 64,
            size_bytes=1_000,
        ),
        lengths=lengths_of(rows, longest, measured),
        model=model_of("demo", shape),
        device=device,
        overrides=overrides,
        disk_free=disk_free,
        dataset_file=dataset_file,
        base_model="demo",
        preset=preset,
        kernels=kernels,
        models=models,
        calibrations=calibrations,
    )


def model_of(name: str, shape: ModelShape | None) -> ModelInfo:
    """A model that is ready to be trained."""
    return ModelInfo(
        name=name, source="home", state="ready", path=f"/models/{name}", size_bytes=1, shape=shape
    )
