"""The words that say for what a pending task waits, behind those that say what happened to it."""

from __future__ import annotations

FOR_DISK = "The disk is full; starts by itself once there is room."
_FOR_MEMORY = "Waits until "
_FOR_DEVICE = "Waits for "


def for_memory(needed: str, device: str) -> str:
    """Say that a task waits for memory of a device."""
    return f"{_FOR_MEMORY}{needed} are free on {device}."


def for_device(device: str) -> str:
    """Say that a task waits for a device that is gone."""
    return f"{_FOR_DEVICE}{device}, which this machine does not have now."


def without_waiting(message: str) -> str:
    """Take from a message for what the task waits, or has waited."""
    begins = FOR_DISK, _FOR_MEMORY, _FOR_DEVICE
    at = min((place for words in begins if (place := message.find(words)) >= 0), default=None)
    return message[:at].rstrip()
