"""Finds who is to answer: an assistant, a task's adapter, another adapter, or a base model."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import LoraDeckError, NotFoundError
from engine.language import tr
from engine.models.adapter_fit import check_fits, holds_adapter, read_peft_config
from engine.models.adapters import WEIGHTS
from engine.models.catalog import find_model
from engine.results.chat.types import Sampling
from engine.results.chat.wire import Voice
from engine.text import visible

if TYPE_CHECKING:
    from engine.home import Home
    from engine.models.types import ModelInfo
    from engine.results.chat.assistants import Assistants
    from engine.results.chat.types import Assistant
    from engine.server.reach import Reach
    from engine.tasks.record import TaskRecord
    from engine.tasks.store import TaskStore

_SHARING = "LORA"
"""Adapters of this kind share a process; PEFT puts no two kinds on one model."""


@dataclass(frozen=True)
class Target:
    """Who answers, found and looked at."""

    base: ModelInfo
    folder: Path
    """The base model's."""
    voice: Voice = field(default_factory=Voice)
    alone: str = ""
    """Of an adapter that shares no process with others: its folder."""
    system: str = ""
    sampling: Sampling = field(default_factory=Sampling)

    @property
    def key(self) -> tuple[str, ...]:
        """What a process must hold to answer for it."""
        return str(self.folder), self.alone

    @property
    def adapter_name(self) -> str:
        """The adapter's name; empty for a base model."""
        return Path(self.voice.adapter).name if self.voice.adapter else ""

    def without_adapter(self) -> Target:
        """Give the base model under the same settings."""
        return Target(self.base, self.folder, system=self.system, sampling=self.sampling)


class Targets:
    """Resolves names in a home; a whole name goes before the beginning of a task's id."""

    def __init__(self, home: Home, store: TaskStore, assistants: Assistants) -> None:
        self._home, self._store, self._assistants = home, store, assistants

    def find(self, name: str, reach: Reach) -> Target:
        """Find who a name means: assistant, completed task, adapter, adapter's folder, base model.

        Raises:
            NotFoundError: Nobody.
            ConflictError: A task that has made no adapter yet.
            ForbiddenError: A path, over the network.
            LoraDeckError: What it means cannot be used.
        """
        if assistant := self._assistants.named(name):
            found = self._bound(assistant.base_model, assistant.adapter)
            return Target(
                found.base,
                found.folder,
                found.voice,
                found.alone,
                system=assistant.system,
                sampling=assistant.sampling,
            )
        reach.model(name)
        adapter = self._adapter(name)
        return self._bound("", name) if adapter else self._base(name)

    def checked(self, assistant: Assistant, reach: Reach) -> Assistant:
        """Check what an assistant is bound to; gives it with its adapter's base if it names none.

        Raises:
            LoraDeckError: As ``find``; or the adapter is of another base model.
        """
        base = reach.model(assistant.base_model)
        found = self._bound(base, reach.model(assistant.adapter))
        return assistant.model_copy(update={"base_model": base or found.base.name})

    def _bound(self, base: str, adapter: str) -> Target:
        """Find a base model with an adapter, or alone where none is named."""
        if not adapter:
            return self._base(base)
        found = self._adapter(adapter)
        if found is None:
            raise NotFoundError(
                tr("No such adapter"),
                tr("There is no adapter or completed task '{name}'.", name=visible(adapter)),
                tr("List them with: loradeck tasks"),
            )
        folder, named = found
        config = read_peft_config(folder)
        own = named or str(config.get("base_model_name_or_path") or "")
        target = self._base(base) if base else self._base_of(folder, own)
        check_fits(folder, target.folder)
        voice = Voice(adapter=str(folder), stamp=_stamp(folder / WEIGHTS))
        return Target(target.base, target.folder, voice, "" if _shares(config) else str(folder))

    def _adapter(self, name: str) -> tuple[Path, str] | None:
        """Find an adapter's folder, and the base that its task names; ``None`` for neither."""
        if name.startswith((os.sep, "~")):
            # Path's own raises for the home of nobody
            folder = Path(os.path.expanduser(name))  # noqa: PTH111
            return (folder, "") if holds_adapter(folder) else None
        if task := self._task(name):
            task.require_adapter()
            return self._home.adapter(task.task_name), task.base_model
        return (self._home.adapter(name), "") if _is_home_adapter(self._home, name) else None

    def _task(self, name: str) -> TaskRecord | None:
        """Find the task that is meant; ``None`` where it can only be something else."""
        exact = name in self._store or self._store.named(name)
        if not exact and (_is_home_adapter(self._home, name) or "/" in name):
            return None
        try:
            return self._store.find(name)
        except NotFoundError:
            return None

    def _base_of(self, adapter: Path, name: str) -> Target:
        """Find the base model that an adapter was trained on.

        Raises:
            LoraDeckError: It is not here; names the adapter too.
        """
        try:
            return self._base(name)
        except LoraDeckError as error:
            words = tr(
                "'{adapter}' was trained on '{base}': {reason}",
                adapter=visible(adapter.name),
                base=visible(name),
                reason=error.message,
            )
            raise LoraDeckError(tr("Base model not here"), words, error.hint) from error

    def _base(self, name: str) -> Target:
        """Find a base model that is here.

        Raises:
            LoraDeckError: It is not.
        """
        model = find_model(self._home, name)
        if model.state != "ready" or model.path is None:
            called = visible(model.name)
            raise LoraDeckError(
                tr("Base model not ready"),
                tr("'{name}' is not on this machine yet.", name=called),
                tr("Fetch it with: loradeck models pull {name}", name=called),
            )
        # By whatever path it is named, it is one model
        return Target(model, Path(model.path).resolve())


def _is_home_adapter(home: Home, name: str) -> bool:
    """Tell whether an adapter of the home has a name."""
    usable = name not in ("", ".", "..") and "/" not in name and "\0" not in name
    return usable and not name.startswith(".") and holds_adapter(home.adapter(name))


def _shares(config: dict[str, Any]) -> bool:
    """Tell whether an adapter can be taken off its base again, beside others."""
    return str(config["peft_type"]) == _SHARING and str(config.get("bias", "none")) == "none"


def _stamp(file: Path) -> str:
    """Give what changes when a file does."""
    state = file.stat()
    return f"{state.st_mtime_ns}-{state.st_size}"
