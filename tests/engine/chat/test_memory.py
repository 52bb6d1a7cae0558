"""The number format of a chat's model, and what is refused before it is loaded."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import LoraDeckError
from engine.models.types import ModelInfo
from engine.plan.types import Device
from engine.results.chat.memory import choose_format
from tests.engine.plan.make import DEMO

GB = 10**9
MODEL = ModelInfo(name="m", source="home", state="ready", path="/m", size_bytes=1, shape=DEMO)


def _device(kind: Any, **given: Any) -> Device:
    """A device."""
    return Device(kind=kind, name="it", memory_total=8 * GB, memory_free=8 * GB, **given)


@pytest.mark.parametrize(
    ("device", "free", "expected"),
    [
        (_device("cpu", bf16=True), 4 * GB, ("bfloat16", False)),
        (_device("cpu"), 4 * GB, ("float32", False)),
        (_device("cpu"), int(1.3 * GB), ("bfloat16", False)),
        (_device("cuda", bf16=True, capability=(8, 0)), 4 * GB, ("bfloat16", False)),
        (_device("cuda", capability=(7, 5)), 4 * GB, ("float16", False)),
        (_device("cuda", bf16=True, capability=(8, 0)), int(0.9 * GB), ("bfloat16", True)),
    ],
)
def test_the_devices_best_format_that_fits(
    device: Device, free: int, expected: tuple[str, bool]
) -> None:
    how = choose_format(MODEL, device, free)
    assert (how.dtype, how.use_4bit) == expected
    assert how.bytes <= free


@pytest.mark.parametrize("device", [_device("cpu"), _device("cuda", capability=(5, 0))])
def test_what_does_not_fit_is_refused_in_words(device: Device) -> None:
    with pytest.raises(LoraDeckError, match=r"No memory for a chat: m wants .* 500 MB are free"):
        choose_format(MODEL, device, GB // 2)
