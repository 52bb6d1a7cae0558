"""Whether a model can be trained on a device, before there is a dataset."""

from __future__ import annotations

import pytest

from engine.models.demo import DEMO
from engine.plan.capacity import capacity
from engine.plan.hypothetical import named_device
from engine.plan.types import Device

SEVEN = DEMO.shape.model_copy(
    update={
        "parameters": 7_241_732_096, "hidden": 4096, "layers": 32, "vocabulary": 32_000,
        "mlp": 14_336, "heads": 32, "query": 4096, "key_value": 1024, "tied_embeddings": False,
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("card", "fits"),
    [("RTX 4060 8GB", "4bit"), ("RTX 4090", "plain"), ("memory=4,capability=8.6", "no")],
)
def test_a_model_of_seven_billion_fits_by_the_card(card: str, fits: str) -> None:
    found = capacity(SEVEN, named_device(card))
    assert found.fits == fits
    assert found.needed > found.needed_4bit > 3e9


def test_an_apple_gpu_has_no_four_bits() -> None:
    device = Device(kind="mps", name="Apple GPU", memory_total=10**10, memory_free=10**10)
    found = capacity(SEVEN, device)
    assert (found.needed_4bit, found.fits, found.dtype) == (None, "no", "float32")
