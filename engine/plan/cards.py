"""Graphics cards by name, to plan for one that is not in this machine.

Compute capabilities are NVIDIA's list (developer.nvidia.com/cuda-gpus), memory the makers' data
sheets; AMD's number formats are ROCm's (rocm.docs.amd.com, precision support).
"""

from __future__ import annotations

from dataclasses import dataclass

Capability = tuple[int, int]


@dataclass(frozen=True)
class Card:
    """A card as its maker sells it."""

    name: str
    memory: int
    """GiB, which the makers call GB; of the version sold most."""
    capability: Capability | None
    """CUDA's; ``None`` for a card of AMD's."""
    bf16: bool = True
    """Of a card of AMD's; NVIDIA's follows from the capability."""


def _series(capability: Capability, cards: dict[str, int], maker: str = "") -> list[Card]:
    """Make the cards of one capability."""
    return [Card(f"{maker}{name}", memory, capability) for name, memory in cards.items()]


_GEFORCE = [
    *_series(
        (6, 1),
        {
            "GTX 1050": 2,
            "GTX 1050 Ti": 4,
            "GTX 1060": 6,
            "GTX 1070": 8,
            "GTX 1070 Ti": 8,
            "GTX 1080": 8,
            "GTX 1080 Ti": 11,
        },
    ),
    *_series(
        (7, 5),
        {
            "GTX 1650": 4,
            "GTX 1650 Super": 4,
            "GTX 1660": 6,
            "GTX 1660 Super": 6,
            "GTX 1660 Ti": 6,
            "RTX 2050": 4,
            "RTX 2060": 6,
            "RTX 2060 Super": 8,
            "RTX 2070": 8,
            "RTX 2070 Super": 8,
            "RTX 2080": 8,
            "RTX 2080 Super": 8,
            "RTX 2080 Ti": 11,
        },
    ),
    *_series(
        (8, 6),
        {
            "RTX 3050": 8,
            "RTX 3050 Laptop": 4,
            "RTX 3050 Ti Laptop": 4,
            "RTX 3060": 12,
            "RTX 3060 Laptop": 6,
            "RTX 3060 Ti": 8,
            "RTX 3070": 8,
            "RTX 3070 Laptop": 8,
            "RTX 3070 Ti": 8,
            "RTX 3070 Ti Laptop": 8,
            "RTX 3080": 10,
            "RTX 3080 Laptop": 16,
            "RTX 3080 Ti": 12,
            "RTX 3080 Ti Laptop": 16,
            "RTX 3090": 24,
            "RTX 3090 Ti": 24,
        },
    ),
    *_series(
        (8, 9),
        {
            "RTX 4050 Laptop": 6,
            "RTX 4060": 8,
            "RTX 4060 Laptop": 8,
            "RTX 4060 Ti": 8,
            "RTX 4070": 12,
            "RTX 4070 Laptop": 8,
            "RTX 4070 Super": 12,
            "RTX 4070 Ti": 12,
            "RTX 4070 Ti Super": 16,
            "RTX 4080": 16,
            "RTX 4080 Laptop": 12,
            "RTX 4080 Super": 16,
            "RTX 4090": 24,
            "RTX 4090 Laptop": 16,
        },
    ),
    *_series(
        (12, 0),
        {
            "RTX 5050": 8,
            "RTX 5050 Laptop": 8,
            "RTX 5060": 8,
            "RTX 5060 Laptop": 8,
            "RTX 5060 Ti": 16,
            "RTX 5070": 12,
            "RTX 5070 Laptop": 8,
            "RTX 5070 Ti": 16,
            "RTX 5070 Ti Laptop": 12,
            "RTX 5080": 16,
            "RTX 5080 Laptop": 16,
            "RTX 5090": 32,
            "RTX 5090 Laptop": 24,
        },
    ),
]
_DATA_CENTRE = [
    *_series((6, 0), {"P100": 16}),
    *_series((6, 1), {"P40": 24, "P4": 8}),
    *_series((7, 0), {"V100": 16, "Titan V": 12}),
    *_series((7, 5), {"T4": 16, "Titan RTX": 24, "Quadro RTX 6000": 24, "Quadro RTX 8000": 48}),
    *_series((8, 0), {"A100": 80, "A30": 24}),
    *_series(
        (8, 6),
        {"A10": 24, "A10G": 24, "A16": 16, "A2": 16, "A40": 48}
        | {"RTX A2000": 12, "RTX A4000": 16, "RTX A4500": 20, "RTX A5000": 24, "RTX A6000": 48},
    ),
    *_series(
        (8, 9),
        {"L4": 24, "L40": 48, "L40S": 48, "RTX 2000 Ada": 16, "RTX 4000 Ada": 20}
        | {"RTX 4500 Ada": 24, "RTX 5000 Ada": 32, "RTX 6000 Ada": 48},
    ),
    *_series((9, 0), {"H100": 80, "H100 NVL": 94, "H200": 141, "GH200": 96, "H20": 96}),
    *_series((10, 0), {"B100": 192, "B200": 180, "GB200": 186}),
    *_series((10, 3), {"B300": 288, "GB300": 288}),
    *_series((12, 0), {"RTX Pro 4000": 24, "RTX Pro 5000": 48, "RTX Pro 6000": 96}),
    *_series((12, 1), {"GB10": 128}),
    *_series((8, 7), {"Jetson AGX Orin": 64, "Jetson Orin NX": 16, "Jetson Orin Nano": 8}),
]
_AMD = [
    Card("RX 6700 XT", 12, None, bf16=False),
    Card("RX 6800 XT", 16, None, bf16=False),
    Card("RX 6900 XT", 16, None, bf16=False),
    Card("RX 7600 XT", 16, None),
    Card("RX 7700 XT", 12, None),
    Card("RX 7800 XT", 16, None),
    Card("RX 7900 XT", 20, None),
    Card("RX 7900 XTX", 24, None),
    Card("RX 9060 XT", 16, None),
    Card("RX 9070", 16, None),
    Card("RX 9070 XT", 16, None),
    Card("Radeon Pro W7900", 48, None),
    Card("MI100", 32, None),
    Card("MI210", 64, None),
    Card("MI250", 64, None),
    Card("MI250X", 64, None),
    Card("MI300X", 192, None),
    Card("MI325X", 256, None),
    Card("MI350X", 288, None),
    Card("MI355X", 288, None),
]
"""An MI250 has two chips of 64 GiB each; a program sees them as two cards."""

CARDS: tuple[Card, ...] = (*_GEFORCE, *_DATA_CENTRE, *_AMD)
