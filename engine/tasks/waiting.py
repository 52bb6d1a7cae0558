"""The words that say for what a pending task waits, behind those that say what happened to it."""

from __future__ import annotations

from engine.language import tr


def for_disk() -> str:
    """Say that a task waits for room on the disk."""
    return tr("The disk is full; starts by itself once there is room.")


def for_memory(needed: str, device: str) -> str:
    """Say that a task waits for memory of a device."""
    return tr("Waits until {needed} are free on {device}.", needed=needed, device=device)


def for_device(device: str) -> str:
    """Say that a task waits for a device that is gone."""
    return tr("Waits for {device}, which this machine does not have now.", device=device)
