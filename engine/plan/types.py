"""A plan: every parameter of a run with the reason for it, beside what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

from engine.data.types import Finding, Inspection, Lengths, is_few
from engine.files import read_plain
from engine.models.types import ModelInfo
from engine.plan.parameters import TrainingParams

if TYPE_CHECKING:
    from pathlib import Path


PLAN = "plan.json"
"""A task's plan in its folder."""


class Holder(BaseModel):
    """A process that holds memory of a card."""

    model_config = ConfigDict(frozen=True)

    pid: int
    name: str
    memory: int
    """Bytes; 0 where the driver does not tell."""


class Device(BaseModel):
    """Where a run computes."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["cpu", "cuda", "mps"]
    name: str
    index: int = 0
    """Which of several GPUs."""
    cores: int = 0
    """Processor cores this process may use."""
    memory_total: int
    """Bytes; of the GPU, or of the machine (or its cgroup) where there is none."""
    memory_free: int
    bf16: bool = False
    """Whether it computes in bfloat16 at full speed."""
    uuid: str = ""
    """A GPU's own name, for ``CUDA_VISIBLE_DEVICES``: indices mean other cards elsewhere."""
    capability: tuple[int, int] | None = None
    """CUDA's compute capability; ``None`` where there is none."""
    features: tuple[str, ...] = ()
    """What a CPU's vector units can do: ``avx2``, ``avx512``, ``avx512_bf16``, ``amx_bf16``; or
    ``rocm`` for a card of AMD's, which torch calls ``cuda`` as well."""
    holders: tuple[Holder, ...] = ()
    """Who holds the card's memory, the largest first."""
    hypothetical: bool = False
    """Named by the user; a plan can be made for it, a run cannot start on it."""
    chosen: bool = False
    """Of this machine, and named by the user: a run starts on no other."""
    note: str = ""
    """Why this device rather than one the user may expect; a sentence, or empty."""

    @property
    def is_amd(self) -> bool:
        """Tell whether torch reaches the card through ROCm."""
        return "rocm" in self.features


class Memory(BaseModel):
    """Predicted peak memory, part by part, in bytes."""

    model_config = ConfigDict(frozen=True)

    parts: dict[str, int]
    total: int
    free: int
    measured: bool = False
    """Whether a step measured on this machine has corrected the prediction."""

    @property
    def fits(self) -> bool:
        """Tell whether the prediction is within what is free."""
        return self.total <= self.free


class Choice(BaseModel):
    """Why a parameter has its value."""

    model_config = ConfigDict(frozen=True)

    value: Any
    reason: str
    source: str = ""
    """Where the rule comes from: a paper, a project's documentation, or ``ours``."""
    overridden: bool = False
    """Set by the user rather than by a rule."""


class Plan(BaseModel):
    """Everything that is decided before a run starts."""

    model_config = ConfigDict(frozen=True)

    base_model: str
    dataset_file: str
    training_params: TrainingParams
    choices: dict[str, Choice]
    """One for each field of ``training_params``, in its order."""
    model: ModelInfo
    dataset: Inspection
    lengths: Lengths
    device: Device
    memory: Memory
    disk_parts: dict[str, int] = {}
    """Bytes of ``checkpoints``, ``adapter`` and ``cache``, which add up to ``disk_needed``."""
    disk_needed: int
    disk_free: int
    train_rows: int
    total_steps: int
    """Optimizer steps of the whole run."""
    seconds: float | None = None
    """How long the training will take, from runs measured on this machine; ``None`` without any."""
    adapter: str = ""
    """The adapter that the training starts from; empty where it starts anew."""
    preset: str = ""
    """The named preset that the plan started from; empty where every rule decided."""
    rows_cut: int
    """Rows longer than ``max_seq_length``; of the measured ones."""
    tokens_cut: int
    leave_out: bool = False
    """Whether the user wants faulty rows left out however many they are."""
    findings: tuple[Finding, ...]
    """Of the dataset, the lengths and the plan itself; none is an error once a task exists."""

    @classmethod
    def load(cls, folder: Path) -> Plan:
        """Read the plan of a task folder.

        Raises:
            OSError: There is none, or it cannot be read.
            ValueError: It is damaged.
        """
        return cls.model_validate_json(read_plain(folder / PLAN))

    def tolerates(self, faulty: int) -> bool:
        """Tell whether so many rows without use are left out rather than the start refused."""
        return is_few(faulty, self.dataset.rows) or self.leave_out
