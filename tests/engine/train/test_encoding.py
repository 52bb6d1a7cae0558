"""Rows are encoded into a file in batches, cut and counted; what teaches nothing is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from engine.data.model_files import load_tokenizer
from engine.data.render import NOT_TRAINED, encode
from engine.data.template import ChatTemplate
from engine.errors import LoraDeckError
from engine.train import encoding
from engine.train.encoding import ROWS, RowEncoder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tokenizers import Tokenizer

    from engine.data.types import Conversation

    Encoder = Callable[..., RowEncoder]


@pytest.fixture
def make_encoder(make_model: Callable[..., Path]) -> Encoder:
    """Build an encoder for a small model."""
    folder = make_model("smollm2")
    template, tokenizer = ChatTemplate.load(folder), load_tokenizer(folder)

    def build(max_length: int = 1000, go_on: Callable[[int], bool] = lambda _: True) -> RowEncoder:
        return RowEncoder(template, tokenizer, max_length, go_on)

    return build


def _rows(folder: Path) -> list[dict[str, object]]:
    """Read back what was written."""
    with pa.OSFile(str(folder / ROWS)) as file:
        rows: list[dict[str, object]] = pa.ipc.open_stream(file).read_all().to_pylist()
    return rows


def test_rows_are_written_as_the_one_encoding_gives_them(
    make_encoder: Encoder, talk: Callable[..., Conversation], tmp_path: Path
) -> None:
    encoder = make_encoder()
    rows = [talk("Why?", "Because.", row=1), talk("Who?", "Ada Morrow.", row=2)]
    summary = encoder.write(rows, tmp_path)
    assert (summary.rows, summary.rows_cut, summary.rows_left_out) == (2, 0, 0)
    for written, row in zip(_rows(tmp_path), rows, strict=True):
        whole = encode(row, encoder._template, encoder._tokenizer)
        assert written["input_ids"] == whole.input_ids
        assert written["labels"] == whole.labels
        assert written["tokens"] == len(whole.input_ids)
        assert written["trained"] == whole.trained


def test_rows_that_say_the_same_share_a_key(
    make_encoder: Encoder, talk: Callable[..., Conversation], tmp_path: Path
) -> None:
    rows = [talk("Why?", "Because."), talk("why", "  because"), talk("Who?", "Because.")]
    make_encoder().write(rows, tmp_path)
    same, again, other = (row["key"] for row in _rows(tmp_path))
    assert same == again != other


def test_batches_join_without_a_gap(
    make_encoder: Encoder,
    talk: Callable[..., Conversation],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(encoding, "_BATCH", 3)
    rows = [talk("Why?", "x" * length, row=length) for length in range(1, 9)]
    make_encoder().write(rows, tmp_path)
    trained = [row["trained"] for row in _rows(tmp_path)]
    assert len(trained) == 8
    assert trained == sorted(trained)  # longer and longer answers, in order


def test_long_rows_are_cut_and_counted_and_those_without_an_answer_left_out(
    make_encoder: Encoder, talk: Callable[..., Conversation], tmp_path: Path
) -> None:
    rows = [talk("Why?", "Because " * 60, row=1), talk("Why? " * 90, "Because.", row=2)]
    whole = len(encode(rows[0], *_parts(make_encoder())).input_ids)
    summary = make_encoder(100).write(rows, tmp_path)
    (kept,) = _rows(tmp_path)
    assert kept["tokens"] == 100
    assert (summary.rows_cut, summary.tokens_cut) == (1, whole - 100)
    assert summary.rows_left_out == 1
    assert summary.left_out[0].startswith("Row 2:")
    assert NOT_TRAINED in kept["labels"]  # type: ignore[operator]


def test_no_row_at_all_is_refused_with_its_reasons(
    make_encoder: Encoder, talk: Callable[..., Conversation], tmp_path: Path
) -> None:
    with pytest.raises(LoraDeckError, match="Row 7: nothing of its answer"):
        make_encoder(10).write([talk("Why? " * 90, "Because.", row=7)], tmp_path)


def _parts(encoder: RowEncoder) -> tuple[ChatTemplate, Tokenizer]:
    """Give template and tokenizer of an encoder."""
    return encoder._template, encoder._tokenizer


def test_rows_that_would_not_teach_to_stop_are_left_out(
    make_model: Callable[..., Path], talk: Callable[..., Conversation], tmp_path: Path
) -> None:
    endless = "{% for m in messages %}{{ m.content + '\n' }}{% endfor %}"
    folder = make_model("endless", endless)
    encoder = RowEncoder(ChatTemplate.load(folder), load_tokenizer(folder), 100, lambda _: True)
    with pytest.raises(LoraDeckError, match="end-of-turn token"):
        encoder.write([talk("Why?", "Because.")], tmp_path)
