"""What a device is called, by people and by programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.language import tr

if TYPE_CHECKING:
    from engine.plan.types import Device


def handle_of(device: Device) -> str:
    """Give what names a device the same tomorrow: a card's UUID, else its kind.

    One that is not here has nothing but its name.
    """
    return device.name if device.hypothetical else device.uuid or device.kind


def choice_of(device: Device) -> str:
    """Give what names a device that the user chose; empty where the plan chose."""
    return handle_of(device) if device.chosen else ""


def device_name(device: Device) -> str:
    """Name a device, with its number where it is a card of this machine."""
    if device.kind != "cuda" or device.hypothetical:
        return device.name
    return tr("{name} (card {index})", name=device.name, index=device.index)
