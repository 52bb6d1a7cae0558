"""What the engine and the process that holds a chat's model send each other, a line each."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from engine.errors import LoraDeckError
from engine.language import spoken
from engine.results.chat.types import ChatMessage, Sampling

Finish = Literal["stop", "length", "cancelled"]


class Start(BaseModel):
    """Which base model the process is to hold, and how."""

    model_config = ConfigDict(frozen=True)

    base: str
    """Its folder."""
    dtype: str
    use_4bit: bool
    device: Literal["cpu", "cuda", "mps"]
    gpu: str = ""
    """The UUID of the one GPU to see; empty where there is none to choose."""
    cores: int = 1
    language: str = Field(default_factory=spoken)
    """Of what is said where the base cannot be loaded."""


class Voice(BaseModel):
    """Who of the base and its adapters answers."""

    model_config = ConfigDict(frozen=True)

    adapter: str = ""
    """The adapter's folder; empty for the base alone."""
    stamp: str = ""
    """What changes when the adapter's files do."""


class Question(BaseModel):
    """A conversation that wants its next answer."""

    kind: Literal["question"] = "question"
    number: int
    voice: Voice
    messages: tuple[ChatMessage, ...]
    sampling: Sampling
    language: str = Field(default_factory=spoken)
    """Of notices and refusals; whoever asks speaks it."""


class Cancel(BaseModel):
    """Ends the answer to a question, which may have ended already."""

    kind: Literal["cancel"] = "cancel"
    number: int


REQUEST: TypeAdapter[Question | Cancel] = TypeAdapter(
    Annotated[Question | Cancel, Field(discriminator="kind")]
)


class Ready(BaseModel):
    """The base is in memory."""

    kind: Literal["ready"] = "ready"


class Said(BaseModel):
    """The next piece of an answer."""

    kind: Literal["said"] = "said"
    text: str


class Ended(BaseModel):
    """An answer is whole."""

    kind: Literal["ended"] = "ended"
    finish: Finish
    prompt_tokens: int
    tokens: int
    first_token_seconds: float
    tokens_per_second: float
    notices: tuple[str, ...] = ()


class Refused(BaseModel):
    """The base cannot be loaded, or a question cannot be answered."""

    kind: Literal["refused"] = "refused"
    title: str
    message: str
    hint: str = ""

    @classmethod
    def of(cls, error: LoraDeckError) -> Refused:
        """Take an error's words."""
        return cls(title=error.title, message=error.message, hint=error.hint)

    def error(self) -> LoraDeckError:
        """Give the words back as an error."""
        return LoraDeckError(self.title, self.message, self.hint)


Report = Ready | Said | Ended | Refused
REPORT: TypeAdapter[Report] = TypeAdapter(Annotated[Report, Field(discriminator="kind")])
