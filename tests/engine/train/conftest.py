"""The models and conversations that the dataset tests use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.engine.data.conftest import make_model, talk, tokenizer_json

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["make_model", "talk", "tokenizer_json"]


@pytest.fixture(scope="session")
def model(tiny_llama: Path) -> Path:
    """The base model of a whole training."""
    return tiny_llama
