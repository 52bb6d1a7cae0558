"""What is said of a base model beyond its name."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from engine.models.types import Capacity
from screens.model_words import capacity_words, fact_words, fit_sign
from screens.widgets.model_list import columns, heading
from tests.tui.fake_engine import BIG, DEMO


@pytest.mark.parametrize(
    ("free", "four", "dtype", "shown"),
    [
        (20, 5, "bfloat16", "✓ 16-bit"),
        (20, 5, "float32", "✓ 32-bit"),
        (10, 5, "float16", "▲ 4-bit"),
        (10, None, "float32", "✗ too large"),
        (4, 5, "bfloat16", "✗ too large"),
    ],
)
def test_the_better_format_that_fits_is_named(
    free: int, four: int | None, dtype: str, shown: str
) -> None:
    assert fit_sign(Capacity(dtype=dtype, needed=15, needed_4bit=four, free=free)).shown == shown


def test_four_bits_are_not_mentioned_where_there_are_none() -> None:
    capacity = Capacity(dtype="float32", needed=15_000_000, needed_4bit=None, free=9)
    assert capacity_words(capacity) == "Training takes at least 15.0 MB in 32-bit; 9 B are free."


def test_what_is_not_known_is_not_said() -> None:
    unknown = DEMO.model_copy(update={"shape": None, "template": None, "licence": ""})
    assert fact_words(unknown) == ""
    assert fact_words(DEMO.model_copy(update={"licence": "a\x1bb"})).endswith("a␛b")


@pytest.mark.parametrize("width", [60, 78, 100, 158])
def test_head_and_lines_have_the_same_width(width: int) -> None:
    cells = dict.fromkeys(
        ("source", "size", "context", "disk", "template", "licence", "fits", "state"), ("字", "")
    )
    assert cell_len(columns(BIG.name, cells, width).plain) == max(width, 51)
    assert cell_len(heading(width).plain) == max(width - 2, 51) + 1
