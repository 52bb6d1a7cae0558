"""OpenAI's wire format, as far as a local model can keep it (OpenAI's API reference, 2026)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.language import mark
from engine.results.chat.types import Text

_REFUSED = {
    "tools": mark("functions cannot be called"),
    "functions": mark("functions cannot be called"),
    "logprobs": mark("log-probabilities are not given"),
    "frequency_penalty": mark("only repetition_penalty is known"),
    "presence_penalty": mark("only repetition_penalty is known"),
    "logit_bias": mark("single tokens cannot be favoured"),
    "audio": mark("answers are text"),
    "prediction": mark("answers cannot be foretold"),
}
"""Fields that change an answer and cannot be kept, where they say anything."""


class Part(BaseModel):
    """A part of a turn; only text is taken."""

    type: str
    text: Text = ""


class Turn(BaseModel):
    """A turn."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Text | list[Part] | None = None


class StreamOptions(BaseModel):
    """How a stream is made."""

    include_usage: bool = False


class ResponseFormat(BaseModel):
    """What an answer is to look like; only ``text`` is taken."""

    type: str = "text"


class CompletionRequest(BaseModel):
    """What a client sends; fields that are not named here are let pass."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)

    model: Text
    """An assistant's name, or whatever else can be chatted with."""
    messages: Annotated[list[Turn], Field(min_length=1)]
    temperature: float | None = Field(None, ge=0.0, le=5.0)
    top_p: float | None = Field(None, gt=0.0, le=1.0)
    top_k: int | None = Field(None, ge=0, le=100_000)
    """Not OpenAI's; of the likeliest tokens, so many."""
    repetition_penalty: float | None = Field(None, ge=0.5, le=2.0)
    """Not OpenAI's; above 1, tokens that were there already become less likely."""
    max_tokens: int | None = Field(None, ge=1, le=131_072)
    max_completion_tokens: int | None = Field(None, ge=1, le=131_072)
    """The newer name of ``max_tokens``."""
    seed: int | None = Field(None, ge=0, lt=2**32)
    stop: Text | list[Text] | None = None
    n: int | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    response_format: ResponseFormat | None = None

    def refused(self) -> tuple[str, str] | None:
        """Give a field that cannot be kept, and why, to be translated."""
        if self.n not in (None, 1):
            return "n", mark("one answer is given at a time")
        if self.response_format and self.response_format.type != "text":
            return "response_format", mark("answers are plain text")
        extra: dict[str, Any] = self.model_extra or {}
        return next(((key, why) for key, why in _REFUSED.items() if extra.get(key)), None)


class Said(BaseModel):
    """What the model said."""

    role: Literal["assistant"] = "assistant"
    content: str


class Choice(BaseModel):
    """The one answer."""

    index: int = 0
    message: Said
    finish_reason: Literal["stop", "length"]
    logprobs: None = None


class Usage(BaseModel):
    """How many tokens were read and made."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Completion(BaseModel):
    """A whole answer."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: Usage


class Model(BaseModel):
    """Who can be asked."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "loradeck"


class ModelList(BaseModel):
    """All who can be asked."""

    object: Literal["list"] = "list"
    data: list[Model]


class OpenAIError(BaseModel):
    """What went wrong."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class OpenAIErrorBody(BaseModel):
    """An error as OpenAI's clients read it."""

    error: OpenAIError


def error_body(status: int, message: str, param: str | None = None) -> OpenAIErrorBody:
    """Put an error into OpenAI's form."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    code = "model_not_found" if status == 404 else None
    return OpenAIErrorBody(error=OpenAIError(message=message, type=kind, param=param, code=code))
