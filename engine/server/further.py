"""Finds the adapter that a training is to start from, by a task or by its own name."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import LoraDeckError, NotFoundError
from engine.language import tr
from engine.models.adapters import is_adapter, read_adapter
from engine.text import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.home import Home
    from engine.models.types import ModelInfo
    from engine.tasks.record import TaskRecord
    from engine.tasks.store import TaskStore


@dataclass(frozen=True)
class Further:
    """An adapter that is trained further; none by default."""

    folder: Path | None = None
    base: str = ""
    """As the user named it, or as the adapter's configuration does."""
    params: Mapping[str, Any] = field(default_factory=dict)
    """What it fixes of a plan."""

    def check_base(self, model: ModelInfo) -> None:
        """Refuse a base model that it was not trained on.

        Raises:
            LoraDeckError: It is another one, as far as names and paths tell.
        """
        names = {model.name, model.path and Path(model.path).resolve(), model.path}
        if self.folder and not {self.base, Path(self.base).resolve()} & names:
            raise LoraDeckError(
                tr("Adapter of another model"),
                tr(
                    "'{name}' was trained on {base}, not on {model}.",
                    name=visible(self.folder.name),
                    base=visible(self.base),
                    model=model.name,
                ),
                tr("Leave the model out, or choose that one."),
            )


def find_further(home: Home, store: TaskStore, reference: str) -> Further:
    """Find an adapter by the task that made it, or by its name in the home.

    A whole name goes before the beginning of a task's id.

    Raises:
        NotFoundError: There is none.
        ConflictError: The task has not made one yet.
        LoraDeckError: It cannot be trained further.
    """
    if not reference:
        return Further()
    if (task := _task(home, store, reference)) is None:
        folder = home.adapter(reference)
        found = read_adapter(folder)
        return Further(folder, found.base, found.params())
    task.require_adapter()
    folder = home.adapter(task.task_name)
    return Further(folder, task.base_model, read_adapter(folder).params())


def _task(home: Home, store: TaskStore, reference: str) -> TaskRecord | None:
    """Find the task that is meant; ``None`` where it can only be an adapter."""
    exact = reference in store or store.named(reference)
    if not exact and is_adapter(home.adapter(reference)):
        return None
    try:
        return store.find(reference)
    except NotFoundError:
        return None
