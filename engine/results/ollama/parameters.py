"""The settings that a model has at Ollama, under its names for them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from engine.files import read_plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engine.results.chat.types import Sampling

_NAMES = {"temperature": "temperature", "top_p": "top_p", "top_k": "top_k"}


def basic_parameters(stops: Sequence[str]) -> dict[str, Any]:
    """Give what every model is created with: where its answers end, and no penalty of Ollama's own.

    Args:
        stops: The texts of the tokens that end an answer.
    """
    # Ollama's own default is not 1 in every version, and changes even greedy answers
    parameters: dict[str, Any] = {"repeat_penalty": 1.0}
    return parameters | ({"stop": list(dict.fromkeys(stops))} if stops else {})


def sampling_parameters(
    sampling: Sampling | None, folder: Path, stops: Sequence[str]
) -> dict[str, Any]:
    """Give how answers are drawn: as asked for, else as the adapter's generation settings say.

    How long an answer may be is left to those who ask.

    Args:
        sampling: What the user wants; ``None`` for the model's own.
        folder: The adapter's.
        stops: The texts of the tokens that end an answer.
    """
    if sampling is None:
        return basic_parameters(stops) | _own_sampling(folder)
    drawn = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "repeat_penalty": sampling.repetition_penalty,
    }
    if sampling.seed is not None:
        drawn["seed"] = sampling.seed
    return basic_parameters([*stops, *sampling.stop]) | drawn


def greedy_options(longest: int, context: int) -> dict[str, Any]:
    """Give the options of a question whose answer is to be compared.

    Args:
        longest: Tokens of the answer at most.
        context: Tokens of question and answer together.
    """
    return {
        "temperature": 0.0,
        "top_k": 1,
        "seed": 0,
        "repeat_penalty": 1.0,
        "num_predict": longest,
        "num_ctx": context,
    }


def _own_sampling(folder: Path) -> dict[str, Any]:
    """Read how a model is meant to be sampled; empty where it does not say."""
    try:
        written = json.loads(read_plain(folder / "generation_config.json"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(written, dict) or not written.get("do_sample"):
        return {}
    names = _NAMES | {"repetition_penalty": "repeat_penalty"}
    found = {names[key]: value for key, value in written.items() if key in names}
    return {key: value for key, value in found.items() if type(value) in (int, float)}
