"""Who answers in a chat: an assistant, a finished adapter, or a base model as it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.language import tr
from engine.results.chat.types import Sampling

if TYPE_CHECKING:
    from engine.models.found import FoundModel
    from engine.models.types import ModelInfo
    from engine.results.chat.types import Assistant
    from engine.tasks.record import TaskRecord
    from screens.session import Session


@dataclass(frozen=True)
class Partner:
    """By which name the engine finds it, and what a chat with it begins with."""

    target: str
    base: str = ""
    """The base model beneath; empty where it is not known."""
    adapted: bool = False
    """Whether an adapter speaks, so that its base can be asked beside it."""
    system: str = ""
    sampling: Sampling = field(default_factory=Sampling)

    @property
    def words(self) -> str:
        """Say who it is and on which base it stands."""
        if not self.base or self.base == self.target:
            return self.target
        return tr("{name} on {base}", name=self.target, base=self.base)


def of_task(task: TaskRecord) -> Partner:
    """Let a finished task's adapter answer; its name finds it even once the task is deleted."""
    return Partner(task.task_name, task.base_model, adapted=True)


def of_model(model: ModelInfo) -> Partner:
    """Let a base model answer."""
    return Partner(model.name, model.name)


def of_assistant(assistant: Assistant) -> Partner:
    """Let an assistant answer, with its own system prompt and sampling."""
    return Partner(
        assistant.name, assistant.base_model, adapted=bool(assistant.adapter),
        system=assistant.system, sampling=assistant.sampling,
    )  # fmt: skip


def of_found(found: FoundModel) -> Partner:
    """Let an adapter or a model that lies somewhere on this machine answer."""
    if found.kind != "adapter":
        return Partner(found.path, found.path)
    return Partner(found.task_name or found.path, found.base, adapted=True)


async def find_partner(session: Session, target: str) -> Partner:
    """Tell who a kept conversation was with, in the order in which the engine looks.

    Raises:
        LoraDeckError: The engine cannot be asked.
    """
    for assistant in await session.client.assistants():
        if assistant.name == target:
            return of_assistant(assistant)
    for view in session.tasks.values():
        if view.task.task_name == target:
            return of_task(view.task)
    for model in await session.client.models():
        if model.name == target:
            return of_model(model)
    return Partner(target, adapted=True)  # an adapter by its folder, or one that is gone
