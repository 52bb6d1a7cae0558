"""The parameters of a run: their names, ranges and meaning, and overrides of them."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.errors import LoraDeckError
from engine.language import listed, mark, tr
from engine.text import fault_of, visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

_SHOWN = 60
_REASONS = {
    "greater_than": mark("input should be greater than {limit}"),
    "greater_than_equal": mark("input should be greater than or equal to {limit}"),
    "less_than": mark("input should be less than {limit}"),
    "less_than_equal": mark("input should be less than or equal to {limit}"),
    "literal_error": mark("input should be {limit}"),
    "finite_number": mark("input should be a finite number"),
    "int_parsing": mark("input should be a valid integer, unable to parse string as an integer"),
    "int_from_float": mark("input should be a valid integer, got a number with a fractional part"),
    "float_parsing": mark("input should be a valid number, unable to parse string as a number"),
    "bool_parsing": mark("input should be a valid boolean, unable to interpret input"),
}
"""What pydantic says of a value, by the kind of its error."""


class TrainingParams(BaseModel):
    """Every number a training is started with. Names are PEFT's and TRL's where one exists."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )

    lora_rank: int = Field(16, ge=1, le=1024)
    """Width of the adapter's matrices; more learns more and costs memory (PEFT ``r``)."""
    lora_alpha: int = Field(32, ge=1, le=4096)
    """The adapter's output is scaled by alpha / rank."""
    lora_dropout: float = Field(0.0, ge=0.0, lt=1.0)
    """Share of the adapter's inputs set to zero while training."""
    target_modules: Literal["all-linear", "attention"] = "all-linear"
    """Which of the base model's linear layers get an adapter (PEFT)."""
    num_epochs: int = Field(3, ge=1, le=1000)
    """How often every row is seen."""
    batch_size: int = Field(4, ge=1, le=1024)
    """Rows in one forward pass."""
    gradient_accumulation_steps: int = Field(4, ge=1, le=1024)
    """Forward passes summed up before one optimizer step."""
    learning_rate: float = Field(2e-4, gt=0.0, le=0.1)
    """Peak step size of the optimizer."""
    use_4bit: bool = False
    """Keep the base model's weights in 4-bit NF4 (bitsandbytes)."""
    max_seq_length: int = Field(512, ge=16, le=1_048_576)
    """Rows longer than this many tokens are cut at their end."""
    warmup_steps: int = Field(5, ge=0, le=100_000)
    """Optimizer steps over which the learning rate rises from zero."""
    lr_scheduler_type: Literal["linear", "cosine", "constant", "constant_with_warmup"] = "cosine"
    """How the learning rate falls after the warm-up."""
    weight_decay: float = Field(0.0, ge=0.0, le=1.0)
    """Pull of the adapter's weights towards zero at each step (AdamW)."""
    max_grad_norm: float = Field(1.0, gt=0.0, le=1000.0)
    """Gradients with a larger norm are scaled down to it."""
    optim: Literal["adamw_torch", "adamw_8bit", "paged_adamw_8bit"] = "adamw_torch"
    """The optimizer; the 8-bit ones are bitsandbytes' and need a GPU."""
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    """Number format of the computation."""
    gradient_checkpointing: bool = False
    """Compute activations twice rather than keep them: less memory, about a third slower."""
    attn_implementation: Literal["sdpa", "flash_attention_2", "flash_attention_3"] = "sdpa"
    """The attention kernel; the FlashAttention ones need their package and a GPU that runs them."""
    eval_rows: int = Field(0, ge=0, le=100_000)
    """Rows held out of the training, on which the loss is measured at every checkpoint."""
    early_stopping_patience: int = Field(0, ge=0, le=1000)
    """Stop after so many evaluations without a better loss, and keep the best checkpoint; 0: never.
    """
    save_steps: int = Field(50, ge=1, le=1_000_000)
    """Optimizer steps between two checkpoints."""
    save_total_limit: int = Field(2, ge=1, le=1000)
    """How many of the newest checkpoints are kept, beside the one with the best evaluation."""
    max_steps: int = Field(-1, ge=-1, le=10_000_000)
    """Stop after this many optimizer steps; -1 goes by the epochs."""
    seed: int = Field(42, ge=0, lt=2**32)
    """Of the data order, the adapter's first weights and the dropout."""

    @property
    def effective_batch(self) -> int:
        """Rows an optimizer step learns from."""
        return self.batch_size * self.gradient_accumulation_steps


def describe(key: str) -> str:
    """Give the sentence that says what a parameter means."""
    return tr(TrainingParams.model_fields[key].description or "")


def as_override(value: Any) -> str:
    """Write a value as ``--set`` takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def parse_overrides(pairs: list[str]) -> dict[str, Any]:
    """Read ``key=value`` pairs and check each by itself against its parameter's range.

    Raises:
        LoraDeckError: No ``=``, an unknown key (the nearest one is named), a key given twice,
            or a value outside its range (the range is named).
    """
    values: dict[str, str] = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        key = key.strip()
        if not separator or not key:
            raise LoraDeckError(
                tr("Override not understood"),
                tr("'{pair}' is not of the form key=value.", pair=_short(pair)),
                tr("For example: --set learning_rate=1e-4"),
            )
        if key in values:
            raise LoraDeckError(
                tr("Override given twice"),
                tr("'{key}' is set more than once.", key=_short(key)),
                tr("Leave one of them out."),
            )
        values[key] = value.strip()
    return check_overrides(values)


def check_overrides(values: Mapping[str, Any]) -> dict[str, Any]:
    """Check override values against their parameters' types and ranges.

    Returns:
        The values in their parameters' types.

    Raises:
        LoraDeckError: An unknown key, or a value outside its range.
    """
    for key, value in values.items():
        if key not in TrainingParams.model_fields:
            raise _unknown(key)
        if isinstance(value, bool) and TrainingParams.model_fields[key].annotation is not bool:
            raise _refused(key, value, tr("a number is wanted, not true or false"))
    try:
        params = TrainingParams.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = str(first["loc"][0])
        raise _refused(key, values[key], _reason(first)) from error
    if params.max_steps == 0:
        raise LoraDeckError(
            tr("Override out of range"),
            tr("max_steps=0 would train nothing."),
            tr("Give a number of steps, or -1 to go by the epochs."),
        )
    return {key: getattr(params, key) for key in values}


def _unknown(key: str) -> LoraDeckError:
    """Name the nearest parameter to one that there is not, or all of them."""
    near = difflib.get_close_matches(key, TrainingParams.model_fields, n=1)
    known = listed(TrainingParams.model_fields)
    hint = tr("Parameters are: {known}.", known=known)
    if near:
        hint = tr("Did you mean {names}?", names=near[0])
    return LoraDeckError(
        tr("Unknown parameter"), tr("There is no parameter '{key}'.", key=_short(key)), hint
    )


def _reason(error: ErrorDetails) -> str:
    """Say what pydantic refuses, in its words."""
    words = _REASONS.get(error["type"])
    if words is None:
        return error["msg"][0].lower() + error["msg"][1:]
    limit = next(iter(error.get("ctx", {}).values()), "")
    return tr(words, limit=as_override(limit))


def _refused(key: str, value: Any, reason: str) -> LoraDeckError:
    """Say why a value will not do, and what the parameter means."""
    message = fault_of(f"{key}={_short(str(value))}", reason)
    return LoraDeckError(tr("Override out of range"), message, f"{key}: {describe(key)}")


def _short(text: str) -> str:
    """Make what the user wrote safe and short enough for a message."""
    text = visible(text)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
