"""What an export is asked for, and what it has made."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from engine.results.chat.types import Sampling
from engine.text import check_utf8

Text = Annotated[str, AfterValidator(check_utf8)]
Format = Literal["adapter", "merged", "gguf"]
Quantization = Literal[
    "f16", "bf16", "f32", "q8_0", "q6_k", "q5_k_m", "q5_k_s", "q4_k_m", "q4_k_s", "q3_k_m", "q2_k"
]
LOSSLESS = frozenset({"f16", "bf16", "f32"})
"""GGUF types that keep the weights as good as they are: the gate holds them to its tolerance."""
DIRECT = LOSSLESS | {"q8_0"}
"""GGUF types that the converter writes by itself; the others are made from one of these."""


class ExportRequest(BaseModel):
    """Which adapter to export, as what, and where to."""

    model_config = ConfigDict(extra="forbid")

    source: Text
    """A completed task, or an adapter by its name in the home or its folder."""
    format: Format = "gguf"
    quantize: Quantization = "f16"
    """Number format of a GGUF file's weights; of no meaning for the others."""
    out: Text = ""
    """The folder to write to; empty for the home's ``exports/``."""
    force: bool = False
    """Hand it over although the gate found that it speaks otherwise than the adapter."""


class DeployRequest(BaseModel):
    """Which adapter to make a model of Ollama's, and how it is to speak there."""

    model_config = ConfigDict(extra="forbid")

    source: Text
    """A completed task, or an adapter by its name in the home or its folder."""
    to: Literal["ollama"] = "ollama"
    name: Text = ""
    """Of the model there; empty for one made from the adapter's."""
    host: Text = ""
    """Where it listens; empty for ``OLLAMA_HOST``, else ``http://127.0.0.1:11434``."""
    quantize: Quantization = "q8_0"
    system: Text = ""
    """The system prompt that it is given; or empty."""
    sampling: Sampling | None = None
    """``None`` for the model's own settings."""
    replace: bool = False
    """Let it take the place of a model that has this name there already."""
    force: bool = False
    """Deploy it although the gate found that it speaks otherwise than the adapter."""


class Agreement(BaseModel):
    """How like the adapter one form of it speaks: the same prompts, answered greedily."""

    model_config = ConfigDict(frozen=True)

    name: str
    """``base``, ``merged``, ``gguf f16``, ``gguf q4_k_m``, ``ollama``."""
    prompts: int
    tokens: int
    """Of the adapter's own answers that were compared."""
    agreeing: int
    """Of those, tokens that this form finds the likeliest too, after the same beginning."""
    logprob_mean: float | None
    """Mean absolute difference of the natural log-probabilities of the adapter's tokens."""
    logprob_max: float | None
    same_answers: int = 0
    """Prompts that it answers word for word as the adapter does."""
    judged: bool = True
    """Whether it has to keep to the tolerance; a lossy format only shows what it costs."""
    passed: bool = True
    problem: str = ""
    """Where it does not pass: what differs, in a sentence."""
    prompt: str = ""
    """The question at which it first differs from the adapter; or empty."""
    expected: str = ""
    """The adapter's answer there."""
    found: str = ""

    @property
    def agreement(self) -> float:
        """Share of the tokens that agree, from 0 to 1."""
        return self.agreeing / self.tokens if self.tokens else 1.0


class Exported(BaseModel):
    """What an export or a deployment has made, and what the gate found."""

    model_config = ConfigDict(frozen=True)

    format: Format
    quantize: str = ""
    path: str = ""
    """The folder or file; empty where it was refused."""
    size_bytes: int = 0
    gate: tuple[Agreement, ...] = ()
    forced: bool = False
    """Whether the gate refused it and the user wanted it all the same."""
    ollama_name: str = Field("", description="The model's name at Ollama, where it was deployed.")
    seconds: float = 0.0
