"""AMD cards as Linux reports them: the compute topology of the driver, and memory from sysfs.

Sources: Linux' ``Documentation/gpu/amdgpu`` (``mem_info_vram_*``, ``product_name``) and the KFD
topology below ``/sys/class/kfd``, which ROCm itself reads and whose order gives HIP's indices.
"""

from __future__ import annotations

import os
from pathlib import Path

from engine.plan.nvidia import allowed
from engine.plan.types import Device
from engine.text import visible

_LEAST_MEMORY = 2 * 2**30
"""A processor's built-in graphics have less of their own, and train nothing."""
_BF16_SINCE = 110_000
"""gfx11 (RX 7000); of the compute cards below it, those of ``_BF16_COMPUTE``."""
_BF16_COMPUTE = (90_008, 100_000)
"""gfx908 (MI100) to the last gfx9: matrix units with bfloat16."""


def amd_devices(system: Path = Path("/")) -> list[Device]:
    """List the AMD cards that ROCm can compute on, in HIP's order.

    Args:
        system: Where the file system begins; another folder in tests.

    Returns:
        Devices of the kind ``cuda``, as torch calls them too; their feature ``rocm`` tells them
        from NVIDIA's.
    """
    nodes = sorted(
        (system / "sys/class/kfd/kfd/topology/nodes").glob("[0-9]*"),
        key=lambda node: int(node.name),
    )
    graphics = [values for node in nodes if (values := _properties(node)).get("gfx_target_version")]
    cards = [_card(system, index, values) for index, values in enumerate(graphics)]
    found = [card for card in cards if card and card.memory_total >= _LEAST_MEMORY]
    if (setting := os.environ.get("HIP_VISIBLE_DEVICES")) is not None:
        # It goes before CUDA_VISIBLE_DEVICES, so that its first card is the one a run gets.
        return allowed(found, setting)[:1]
    return allowed(found, os.environ.get("CUDA_VISIBLE_DEVICES"))


def _properties(node: Path) -> dict[str, int]:
    """Read a node's properties, a name and a number a line; a CPU's graphics version is 0."""
    fields = [line.partition(" ") for line in _read(node / "properties").splitlines()]
    return {name: int(value) for name, _, value in fields if value.strip().isdigit()}


def _card(system: Path, index: int, node: dict[str, int]) -> Device | None:
    """Read the memory of a node's card; ``None`` where it is another's (in a container)."""
    render = f"renderD{node.get('drm_render_minor', 0)}"
    cards = (system / "sys/class/drm").glob("card[0-9]*")
    folder = next(
        (card / "device" for card in cards if (card / "device/drm" / render).exists()), None
    )
    if folder is None:
        return None
    total, used = _read(folder / "mem_info_vram_total"), _read(folder / "mem_info_vram_used")
    if not total.isdigit() or not used.isdigit():
        return None
    version = node["gfx_target_version"]
    low, high = _BF16_COMPUTE
    return Device(
        kind="cuda",
        name=visible(_read(folder / "product_name")) or f"AMD GPU ({_architecture(version)})",
        index=index,
        memory_total=int(total),
        memory_free=max(0, int(total) - int(used)),
        bf16=version >= _BF16_SINCE or low <= version < high,
        # HIP reads CUDA_VISIBLE_DEVICES as well, but knows indices only.
        uuid=str(index),
        features=("rocm",),
    )


def _architecture(version: int) -> str:
    """Name a graphics version as ROCm does: 110000 is gfx1100, 90010 is gfx90a."""
    return f"gfx{version // 10_000}{version // 100 % 100:x}{version % 100:x}"


def _read(path: Path) -> str:
    """Read a small file; empty where there is none or it may not be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
