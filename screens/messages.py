"""What the app tells its screens; each message is named for what happened."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message


@dataclass
class TasksChanged(Message, bubble=False):
    """Tasks are new, different or gone; the session holds them as they are now."""

    changed: frozenset[str]
    """Ids of new and changed tasks."""
    removed: frozenset[str]
    """Ids of deleted tasks."""


@dataclass
class EngineStatusChanged(Message, bubble=False):
    """The engine was reached, or lost; the session holds its status."""
