"""What is said in a chat, how answers are drawn, and what comes back."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from engine.text import check_utf8

Text = Annotated[str, AfterValidator(check_utf8)]
Role = Literal["system", "user", "assistant"]


class ChatMessage(BaseModel):
    """One turn."""

    model_config = ConfigDict(frozen=True)

    role: Role
    content: Text


class Sampling(BaseModel):
    """How the next token is drawn."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )

    temperature: float = Field(0.7, ge=0.0, le=5.0)
    """0 always takes the likeliest token."""
    top_p: float = Field(0.95, gt=0.0, le=1.0)
    """Of the likeliest tokens, those that make up this share."""
    top_k: int = Field(50, ge=0, le=100_000)
    """Of the likeliest tokens, so many; 0 for all."""
    repetition_penalty: float = Field(1.0, ge=0.5, le=2.0)
    """Above 1, tokens that were there already become less likely."""
    max_tokens: int = Field(512, ge=1, le=131_072)
    """The longest answer."""
    seed: int | None = Field(None, ge=0, lt=2**32)
    """The same seed gives the same answer; none gives another each time."""
    stop: tuple[Text, ...] = Field((), max_length=16)
    """Texts at which the answer ends, beside the model's own end."""


class ChatRequest(BaseModel):
    """A conversation that wants its next answer."""

    model_config = ConfigDict(extra="forbid")

    target: Text
    """Who answers: an assistant, a task, an adapter (by name or folder), or a base model."""
    base: bool = False
    """Let the target's base model answer, without the adapter."""
    messages: tuple[ChatMessage, ...] = Field(min_length=1)
    system: Text | None = None
    """The system prompt; ``None`` takes the assistant's, where the target is one."""
    sampling: Sampling | None = None
    """``None`` takes the assistant's, else the default."""


class Loading(BaseModel):
    """The model is being loaded, or the answer waits for its turn."""

    type: Literal["loading"] = "loading"
    message: str


class Piece(BaseModel):
    """The next piece of an answer."""

    type: Literal["piece"] = "piece"
    text: str


class Answered(BaseModel):
    """The answer is whole."""

    type: Literal["answered"] = "answered"
    text: str
    finish: Literal["stop", "length", "cancelled"]
    """Whether it ended by itself, at the longest length, or because it was stopped."""
    prompt_tokens: int
    tokens: int
    first_token_seconds: float
    """From the question to the first token, the model loaded already."""
    tokens_per_second: float
    """Of the tokens after the first."""
    notice: str = ""
    """What the user should know: that a training waits for this memory, for example."""


class Failed(BaseModel):
    """No answer will come."""

    type: Literal["failed"] = "failed"
    title: str
    message: str
    hint: str = ""


ChatEvent = Annotated[Loading | Piece | Answered | Failed, Field(discriminator="type")]


class ChatStatus(BaseModel):
    """What is held in memory for chats now."""

    loaded: bool = False
    base: str = ""
    adapters: tuple[str, ...] = ()
    memory: int = 0
    """Bytes that its process holds."""
    device: str = ""
    idle_seconds: float = 0.0
    wanted_by: str = ""
    """The name of a task that waits for this memory; or empty."""


class Conversation(BaseModel):
    """A chat as it is kept."""

    id: str
    target: Text
    title: Text
    """The beginning of the first question."""
    messages: tuple[ChatMessage, ...] = ()
    system: Text = ""
    sampling: Sampling = Sampling()
    changed_at: float = 0.0
    """Seconds since the epoch."""
    base_answers: tuple[Text, ...] = ()
    """What the base answered beside, one for each question; empty where it was not asked."""


class Assistant(BaseModel):
    """A base model, an adapter, a system prompt and sampling settings under one name."""

    model_config = ConfigDict(extra="forbid")

    name: Text
    base_model: Text
    adapter: Text = ""
    """A completed task, or an adapter by its name in the home or its folder; empty for the base."""
    system: Text = ""
    sampling: Sampling = Sampling()
    description: Text = ""
