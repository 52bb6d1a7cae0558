"""Finds the device that the user names: one of this machine, or for a plan any other card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import LoraDeckError
from engine.language import listed, tr
from engine.plan.device_names import device_name
from engine.plan.hypothetical import card_key, named_device
from engine.text import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from engine.plan.types import Device

    FindsDevice = Callable[[str, Sequence[Device]], Device]

AUTOMATIC = "auto"
"""Leaves the device to the plan, as an empty name does."""


def own_device(text: str, devices: Sequence[Device]) -> Device:
    """Find a device of this machine.

    Args:
        text: A card's number, its name or its UUID (or how that begins), as the driver gives them;
            ``cpu``; ``auto`` or nothing for the first one.
        devices: What the machine has, the best one first.

    Raises:
        LoraDeckError: There is no such device here, or several that are called so.
    """
    wanted = visible(text).strip()
    if wanted.lower() in ("", AUTOMATIC):
        return devices[0]
    found = _named(wanted, devices)
    if len(found) != 1:
        raise _several(wanted, found) if found else _not_here(wanted, devices)
    return found[0].model_copy(update={"chosen": True, "note": ""})


def asked_device(text: str, devices: Sequence[Device]) -> Device:
    """Find a device of this machine, else make one that is not here: a plan can be made for both.

    Args:
        text: As ``own_device`` and ``named_device`` take it.
        devices: What the machine has, the best one first.

    Raises:
        LoraDeckError: Neither is it here nor known.
    """
    wanted = visible(text).strip()
    if wanted.lower() in ("", AUTOMATIC) or _named(wanted, devices):
        return own_device(wanted, devices)
    try:
        return named_device(wanted)
    except LoraDeckError as error:
        words = f"{error.message} {_what_there_is(devices)}"
        raise LoraDeckError(error.title, words, error.hint) from error


def _named(wanted: str, devices: Sequence[Device]) -> list[Device]:
    """List the devices that are called so: by number and UUID, else by name."""
    handle, name = wanted.lower(), card_key(wanted)
    by_handle = [device for device in devices if _has_handle(device, handle)]
    return by_handle or [device for device in devices if card_key(device.name) == name]


def _has_handle(device: Device, handle: str) -> bool:
    """Tell whether a device is meant by a number, a UUID or a kind, in small letters."""
    if device.kind != "cuda":
        return handle == device.kind
    begins = handle.startswith("gpu-") and device.uuid.lower().startswith(handle)
    return begins or handle in (device.uuid.lower(), f"{device.index}")


def _what_there_is(devices: Iterable[Device]) -> str:
    """List the devices of this machine."""
    names = (
        tr("{name} (cpu)", name=device.name) if device.kind == "cpu" else device_name(device)
        for device in devices
    )
    return tr("This machine has: {devices}.", devices=listed(names))


def _not_here(wanted: str, devices: Sequence[Device]) -> LoraDeckError:
    """Say that a device is not here, and what is."""
    words = tr("'{name}' is no device of this machine.", name=wanted[:60])
    return LoraDeckError(
        tr("Device not here"),
        f"{words} {_what_there_is(devices)}",
        tr("Name one by its number, its name or cpu; auto leaves it to the plan (--device)."),
    )


def _several(wanted: str, found: Sequence[Device]) -> LoraDeckError:
    """Say which devices are called so."""
    words = tr(
        "'{name}' may be any of: {devices}.",
        name=wanted[:60],
        devices=listed(map(device_name, found)),
    )
    return LoraDeckError(tr("Which card?"), words, tr("Name one by its number (--device)."))
