"""What a scan of the disk finds, and how it says so."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

FoundKind = Literal["adapter", "merged", "base", "gguf"]
FoundPlace = Literal["home", "cache", "folder"]


class FoundModel(BaseModel):
    """An adapter, a model's folder or a GGUF file, as its header and configuration tell."""

    model_config = ConfigDict(frozen=True)

    kind: FoundKind
    name: str
    """Of its folder or file; of what lies in the Hugging Face cache, ``org/name``."""
    path: str
    place: FoundPlace = "folder"
    size_bytes: int = 0
    """Of its weights."""
    base: str = ""
    """The base model that it stands on, as it calls it itself; empty where it says nothing."""
    base_here: bool = False
    """Whether that base can be used on this machine now."""
    base_path: str = ""
    """The base's folder, where it is here."""
    task_id: str = ""
    """The task that made it; empty for what others made."""
    task_name: str = ""
    """Its name, while the task is still listed."""
    architecture: str = ""
    """``llama`` and the like."""
    rank: int | None = None
    alpha: float | None = None
    targets: tuple[str, ...] = ()
    """The layers that an adapter changes, or its pattern for their names."""
    variants: tuple[str, ...] = ()
    """What an adapter does beyond plain LoRA: ``DoRA``, ``modules_to_save: lm_head``."""
    quantization: str = ""
    """Number format of a GGUF file's weights, as ``Q8_0``."""
    chat_template: bool | None = None
    """Whether a chat template lies in it; ``None`` where that is not looked for."""
    problem: str = ""
    """Why it cannot be used, in a sentence; empty where nothing speaks against it."""


class ModelScan(BaseModel):
    """All that a scan found, and what it passed over."""

    model_config = ConfigDict(frozen=True)

    found: tuple[FoundModel, ...]
    folders: int
    """Folders that were looked into."""
    unreadable: int = 0
    """Folders that could not be."""
    links: int = 0
    """Links that lead out of what was scanned, which are not followed."""
    cut_short: str = ""
    """Why not everything was looked at; empty where it was."""
