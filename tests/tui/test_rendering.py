"""A row that is rebuilt from its conversation is read as that conversation."""

from __future__ import annotations

from pathlib import Path

import pytest

import sample_datasets
from engine.data.inspect import inspect_dataset
from engine.data.normalize import normalize
from screens.rendering import as_row

FILES = sorted(
    path
    for path in Path(str(sample_datasets.__file__)).parent.iterdir()
    if path.is_file() and path.suffix != ".py"
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_rebuilt_row_is_the_same_conversation(path: Path) -> None:
    found = inspect_dataset(path)
    assert found.preview
    for conversation in found.preview:
        value, shape = as_row(conversation)
        assert normalize(value, conversation.row, shape) == conversation
