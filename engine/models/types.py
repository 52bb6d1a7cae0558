"""A base model as the catalog, the planner and the screens see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, ConfigDict

Source = Literal["home", "folder", "gguf", "cache", "hub", "demo"]
State = Literal["ready", "absent", "downloading", "converting"]
Report = Callable[[State, float | None], None]
"""Takes what a pull is doing and its share done (0 to 1), where that is known."""


class ModelShape(BaseModel):
    """The sizes in a model's ``config.json`` that memory and speed depend on."""

    model_config = ConfigDict(frozen=True)

    architecture: str
    """``model_type``, e.g. ``llama``."""
    parameters: int
    """All weights, computed from the sizes below."""
    hidden: int
    layers: int
    vocabulary: int
    mlp: int
    heads: int = 0
    """Query heads in a layer; 0 where that is not known."""
    query: int
    """Width of all query heads together."""
    key_value: int
    """Width of all key (or value) heads together."""
    context: int
    """``max_position_embeddings``, in tokens."""
    tied_embeddings: bool


class Capacity(BaseModel):
    """What training a model would take at least, in bytes, beside what is free."""

    model_config = ConfigDict(frozen=True)

    dtype: str
    """The number format that its weights would have, e.g. ``bfloat16``."""
    needed: int
    needed_4bit: int | None
    """With 4-bit weights; ``None`` where the device has none."""
    free: int

    @property
    def fits(self) -> Literal["plain", "4bit", "no"]:
        """Tell in which format it fits, the better one first."""
        if self.needed <= self.free:
            return "plain"
        return "4bit" if self.needed_4bit and self.needed_4bit <= self.free else "no"


class ModelInfo(BaseModel):
    """A base model that can be chosen."""

    model_config = ConfigDict(frozen=True)

    name: str
    """What the user types: ``demo``, a folder's name, ``org/name``, or a path."""
    source: Source
    state: State
    path: str | None
    """The folder (or GGUF file) with its files; ``None`` while absent."""
    size_bytes: int | None
    """Of its weights on disk, or of the download while absent."""
    shape: ModelShape | None
    """``None`` while the configuration is not at hand."""
    description: str = ""
    template: bool | None = None
    """Whether it brings a chat template; ``None`` where that is not known."""
    licence: str = ""
    """As its card or its metadata names it; empty where they do not."""
    capacity: Capacity | None = None
    """Whether it can be trained here, where that was asked."""
    progress: float | None = None
    """Share done (0 to 1) of a download or conversion under way, where it is known."""
    seconds_left: float | None = None
    """Of that download or conversion, at its speed so far."""
    problem: str = ""
    """Why the last attempt to fetch or convert it failed."""
