"""Parameters as they are shown: in groups, with their values and ranges in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from engine.language import listed, mark, tr
from engine.plan.parameters import TrainingParams, describe
from screens.format import one_line

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

GROUPS: dict[str, tuple[str, ...]] = {
    mark("Adapter"): ("lora_rank", "lora_alpha", "lora_dropout", "target_modules"),
    mark("Length and batch"): ("max_seq_length", "batch_size", "gradient_accumulation_steps"),
    mark("Schedule"): ("num_epochs", "max_steps", "learning_rate", "lr_scheduler_type",
                       "warmup_steps", "seed"),
    mark("Optimizer"): ("optim", "weight_decay", "max_grad_norm"),
    mark("Memory and speed"): ("use_4bit", "dtype", "gradient_checkpointing",
                               "attn_implementation"),
    mark("Evaluation and checkpoints"): ("eval_rows", "early_stopping_patience", "save_steps",
                                         "save_total_limit"),
}  # fmt: skip
_SWITCH = {True: mark("on"), False: mark("off")}
_SMALL = 0.01
_BOUNDS = {
    "ge": mark("at least {limit}"),
    "gt": mark("above {limit}"),
    "le": mark("at most {limit}"),
    "lt": mark("below {limit}"),
}


def options_of(key: str) -> tuple[Any, ...]:
    """Give the values to choose from; none where a number is typed."""
    kind = TrainingParams.model_fields[key].annotation
    if kind is bool:
        return (True, False)
    return get_args(kind) if get_origin(kind) is Literal else ()


def value_words(value: Any) -> str:
    """Write a value."""
    if isinstance(value, bool):
        return tr(_SWITCH[value])
    if isinstance(value, float):
        return _small_words(value) if 0 < value < _SMALL else f"{value:g}"
    return one_line(str(value))


def _small_words(value: float) -> str:
    """Write a small number with all its digits: ``1.25e-4``."""
    mantissa, exponent = f"{value:.5e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def meaning(key: str) -> str:
    """Say what a parameter means, in one line."""
    return one_line(describe(key).replace("``", ""))


def range_words(key: str) -> str:
    """Say which values a parameter takes: ``a whole number, at least 1, at most 1,024``."""
    if options := options_of(key):
        *others, last = map(value_words, options)
        return tr("{others} or {last}", others=listed(others), last=last)
    return limits_words(TrainingParams.model_fields[key])


def limits_words(field: FieldInfo) -> str:
    """Say which numbers a field takes."""
    kind = tr("a number") if field.annotation is float else tr("a whole number")
    limits = [
        tr(words, limit=f"{getattr(limit, name):,}".removesuffix(".0"))
        for limit in field.metadata
        for name, words in _BOUNDS.items()
        if hasattr(limit, name)
    ]
    return listed((kind, *limits))
