"""Cards that are named rather than there."""

from __future__ import annotations

import pytest

from engine.errors import LoraDeckError
from engine.plan.cards import CARDS, Card
from engine.plan.hypothetical import named_device

GIB = 2**30


@pytest.mark.parametrize(
    ("text", "name", "gib", "capability", "bf16"),
    [
        ("RTX 3060 6GB", "RTX 3060 6GB", 6, (8, 6), True),
        ("rtx3060", "RTX 3060 12GB", 12, (8, 6), True),
        ("NVIDIA GeForce RTX 3060 Laptop GPU", "RTX 3060 Laptop 6GB", 6, (8, 6), True),
        ("rtx 3070 mobile 8 GB", "RTX 3070 Laptop 8GB", 8, (8, 6), True),
        ("4060", None, 0, None, True),
        ("RTX-4070", "RTX 4070 12GB", 12, (8, 9), True),
        ("GeForce GTX 1080 Ti 11gib", "GTX 1080 Ti 11GB", 11, (6, 1), False),
        ("Tesla T4", "T4 16GB", 16, (7, 5), False),
        ("V100 32GB", "V100 32GB", 32, (7, 0), False),
        ("NVIDIA A100-SXM4-40GB", "A100 40GB", 40, (8, 0), True),
        ("NVIDIA A100 80GB PCIe", "A100 80GB", 80, (8, 0), True),
        ("NVIDIA H100 80GB HBM3", "H100 80GB", 80, (9, 0), True),
        ("RTX 6000 Ada Generation", "RTX 6000 Ada 48GB", 48, (8, 9), True),
        ("NVIDIA RTX A6000", "RTX A6000 48GB", 48, (8, 6), True),
        ("AMD Radeon RX 7900 XTX", "RX 7900 XTX 24GB", 24, None, True),
        ("RX 6800 XT", "RX 6800 XT 16GB", 16, None, False),
        ("AMD Instinct MI300X", "MI300X 192GB", 192, None, True),
        ("memory=24GB,capability=8.9", "memory=24GB,capability=8.9", 24, (8, 9), True),
        (" capability = 7.5 , memory = 15 ", "capability = 7.5 , memory = 15", 15, (7, 5), False),
    ],
)
def test_cards_are_found_however_they_are_spelled(
    text: str, name: str | None, gib: int, capability: tuple[int, int] | None, bf16: bool
) -> None:
    if name is None:
        with pytest.raises(LoraDeckError, match="Did you mean RTX 4060"):
            named_device(text)
        return
    device = named_device(text)
    assert (device.name, device.memory_total) == (name, gib * GIB)
    assert (device.capability, device.bf16) == (capability, bf16)
    assert (device.kind, device.hypothetical) == ("cuda", True)
    assert 0.8 * device.memory_total < device.memory_free < 0.95 * device.memory_total


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_every_card_is_found_by_its_own_name(card: Card) -> None:
    assert named_device(card.name).name == f"{card.name} {card.memory}GB"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("RTX 3061", "Did you mean RTX 3060"),
        ("Voodoo 2", "no card 'Voodoo 2'"),
        ("", "no card ''"),
        ("x" * 500, "no card"),
        ("\x1b]52;c", "no card"),
        ("RTX 3060 400GB", "has 12 GB, not 400"),
        ("RTX 4090 1GB", "has 24 GB, not 1"),
        ("memory=24GB", "does not give memory and capability"),
        ("memory=24GB,speed=9", "does not give memory and capability"),
        ("memory=lots,capability=8.9", "memory=lots"),
        ("memory=24GB,capability=high", "capability=high"),
        ("memory=-4GB,capability=8.9", "memory=-4gb"),
        ("memory=99999GB,capability=8.9", "99999 GB"),
        ("memory=0GB,capability=8.9", "0 GB"),
        ("memory=24GB,capability=1.0", "capability 1.0"),
        ("memory=24GB,capability=99.0", "capability 99.0"),
    ],
)
def test_what_is_no_card_is_refused_with_words(text: str, words: str) -> None:
    with pytest.raises(LoraDeckError) as caught:
        named_device(text)
    assert words in caught.value.message
    assert "memory=24GB,capability=8.9" in caught.value.hint
    assert "\x1b" not in caught.value.message
    assert len(caught.value.message) < 200
