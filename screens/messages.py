"""What the app tells its screens; each message is named for what happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from engine.settings import Settings
    from engine.tasks.record import TaskRecord
    from screens.next_plan import NextPlan


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


@dataclass
class FurtherWanted(Message):
    """The user wants a finished adapter trained further."""

    task: TaskRecord


@dataclass
class BaseWanted(Message):
    """The user wants to train on a model that was found on this machine."""

    path: str


@dataclass
class PlanChanged(Message, bubble=False):
    """The next training's plan is another, or is being made."""

    plan: NextPlan


@dataclass
class SettingsChanged(Message):
    """The user has changed the settings, and they are saved."""

    settings: Settings
