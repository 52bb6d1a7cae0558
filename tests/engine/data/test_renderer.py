"""A row as the model gets it, from a process that stays: quick, and not to be stalled."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from tokenizers import Tokenizer, models, normalizers

from engine.data.model_files import load_tokenizer
from engine.data.render import NOT_TRAINED, encode
from engine.data.renderer import RowRenderer
from engine.data.rendering import render_row, trained_spans
from engine.data.template import DEFAULT_TEMPLATE, ChatTemplate
from engine.data.types import Conversation, Message, Shape
from engine.errors import LoraDeckError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

ALPACA = Shape(dataset_type="alpaca", columns={"instruction": "instruction", "output": "output"})
TEXT = Shape(dataset_type="text", columns={"text": "text"})
ROW = {"instruction": "What is it?", "output": "你好 😀!"}


@pytest.fixture
async def renderer() -> AsyncIterator[RowRenderer]:
    """A renderer that is closed afterwards."""
    made = RowRenderer()
    yield made
    await made.close()


def shown(folder: Path, value: Any, shape: Shape = ALPACA, max_length: int | None = None) -> Any:
    """Render a row in this process."""
    return render_row(value, shape, ChatTemplate.load(folder), load_tokenizer(folder), max_length)


def test_spans_are_what_is_trained(make_model: Callable[..., Path]) -> None:
    row = shown(make_model("smollm2"), ROW)
    assert [row.text[start:end] for start, end in row.trained_spans] == ["你好 😀!<|im_end|>"]
    # Two characters of three bytes, one of four, a blank, a sign and the end token
    assert row.trained == 13
    assert (row.cut_at, row.fault, row.notes) == (None, "", ())


def test_a_limit_cuts_the_text_and_what_is_trained(make_model: Callable[..., Path]) -> None:
    folder = make_model("smollm2")
    whole = shown(folder, ROW)
    at = whole.text.index("好")
    # Within the bytes of one character: it is lost to the trainer as a whole
    for spare in (8, 9):
        row = shown(folder, ROW, max_length=whole.tokens - 1 - spare)
        assert (row.tokens, row.text) == (whole.tokens, whole.text)
        assert row.trained == whole.trained - spare
        assert row.cut_at in (at, at + 1)
        assert row.trained_spans[-1][0] == at - 1
    assert shown(folder, ROW, max_length=whole.tokens).cut_at is None


@pytest.mark.parametrize(
    ("value", "words"),
    [({"instruction": "a"}, "output"), ({"instruction": "a", "output": " "}, "says nothing")],
)
def test_a_faulty_row_says_why(
    make_model: Callable[..., Path], value: dict[str, str], words: str
) -> None:
    row = shown(make_model("smollm2"), value)
    assert words in row.fault
    assert (row.text, row.tokens, row.trained_spans) == ("", 0, ())


def test_a_refusing_template_is_the_rows_fault(make_model: Callable[..., Path]) -> None:
    row = shown(make_model("rude", "{{ raise_exception('no thanks') }}"), ROW)
    assert "no thanks" in row.fault
    assert "Row 1" not in row.fault


def test_notes_name_what_the_template_could_not_take(make_model: Callable[..., Path]) -> None:
    system = Shape(dataset_type="alpaca", columns={**ALPACA.columns, "system": "system"})
    row = shown(make_model("gemma"), ROW | {"system": "Be brief."}, system)
    assert [note for note in row.notes if "system turn" in note]
    endless = "{% for m in messages %}{{ m.role + ': ' + m.content + '\n' }}{% endfor %}"
    assert "learn to stop" in shown(make_model("endless", endless), ROW).notes[0]


@pytest.mark.parametrize("text", ["Once upon 😀 a time.", "<s>Once.", "Once.</s>"])
def test_a_plain_text_is_trained_whole_with_one_bos_and_one_eos(
    make_model: Callable[..., Path], text: str
) -> None:
    folder = make_model("smollm2", eos_token="</s>")
    tokenizer = load_tokenizer(folder)
    conversation = Conversation(
        row=1, messages=(Message(role="assistant", content=text),), plain=True
    )
    row = encode(conversation, ChatTemplate.load(folder), tokenizer)
    said = text.removeprefix("<s>").removesuffix("</s>")
    assert row.text == f"<s>{said}</s>"
    assert row.input_ids == tokenizer.encode(f"{said}</s>").ids
    assert row.labels == [NOT_TRAINED, *row.input_ids[1:]]
    assert row.end_trained
    assert [row.text[start:end] for start, end in trained_spans(row)] == [f"{said}</s>"]
    preview = shown(folder, {"text": text}, TEXT)
    assert (preview.text, preview.trained) == (row.text, row.trained)


def test_a_tokenizer_that_adds_no_bos_gets_none(make_model: Callable[..., Path]) -> None:
    folder = make_model("bare", DEFAULT_TEMPLATE)
    tokenizer = load_tokenizer(folder)
    tokenizer.post_processor = None
    row = render_row({"text": "Once."}, TEXT, ChatTemplate.load(folder), tokenizer)
    assert row.text == "Once.</s>"
    assert row.trained == row.tokens


def test_characters_of_several_byte_tokens_keep_their_place() -> None:
    special = ["<unk>", "<s>", "</s>"]
    letters = [*"▁User:Asitan\n", *(f"<0x{byte:02X}>" for byte in range(256))]
    vocabulary = {token: at for at, token in enumerate(dict.fromkeys(special + letters))}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>", byte_fallback=True))
    # As Llama 2's: a blank is put before each piece of text
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    tokenizer.add_special_tokens(special)
    template = ChatTemplate.default({"bos_token": "<s>", "eos_token": "</s>"})
    row = render_row(ROW, ALPACA, template, tokenizer)
    assert [row.text[start:end] for start, end in row.trained_spans] == ["你好 😀!</s>"]
    assert row.trained == 3 + 3 + 1 + 4 + 1 + 1


async def test_the_process_shows_what_the_function_does(
    renderer: RowRenderer, make_model: Callable[..., Path]
) -> None:
    folder, other = make_model("smollm2"), make_model("llama3")
    assert await renderer.render(ROW, ALPACA, folder, 20) == shown(folder, ROW, max_length=20)
    assert await renderer.render(ROW, ALPACA, other, None) == shown(other, ROW)
    # Files that changed meanwhile are read anew
    source = "{% for m in messages %}{{ m.content }}</s>{% endfor %}"
    (folder / "chat_template.jinja").write_text(source)
    assert (await renderer.render(ROW, ALPACA, folder, None)).text == "What is it?</s>你好 😀!</s>"
    assert "output" in (await renderer.render({"instruction": "a"}, ALPACA, folder, None)).fault


async def test_a_warm_row_takes_less_than_50_ms(
    renderer: RowRenderer, make_model: Callable[..., Path]
) -> None:
    folder = make_model("smollm2")
    await renderer.render(ROW, ALPACA, folder, None)
    taken = []
    for _ in range(5):
        start = time.perf_counter()
        await renderer.render({**ROW, "output": "word " * 1000}, ALPACA, folder, None)
        taken.append(time.perf_counter() - start)
    assert min(taken) < 0.05


async def test_a_model_that_cannot_be_used_is_refused_with_words(
    renderer: RowRenderer, tmp_path: Path
) -> None:
    with pytest.raises(LoraDeckError, match=r"tokenizer\.json"):
        await renderer.render(ROW, ALPACA, tmp_path, None)


async def test_a_template_that_never_ends_is_ended_and_the_next_row_is_rendered(
    make_model: Callable[..., Path],
) -> None:
    loop = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    renderer = RowRenderer(timeout=0.5)
    try:
        with pytest.raises(LoraDeckError, match=r"did not end within 0.5 s"):
            await renderer.render(ROW, ALPACA, make_model("endless", loop), None)
        renderer._timeout = 20.0
        assert (await renderer.render(ROW, ALPACA, make_model("smollm2"), None)).trained
    finally:
        await renderer.close()


async def test_a_template_that_wants_all_memory_is_a_fault(
    renderer: RowRenderer, make_model: Callable[..., Path]
) -> None:
    source = "{% set x = 'a' * 9999999999 %}{{ x | length }}"
    row = await renderer.render(ROW, ALPACA, make_model("greedy", source), None)
    assert "too much memory" in row.fault


async def test_a_process_that_died_or_went_idle_is_replaced(
    make_model: Callable[..., Path],
) -> None:
    folder = make_model("smollm2")
    renderer = RowRenderer(idle=0.05)
    try:
        await renderer.render(ROW, ALPACA, folder, None)
        first = renderer._process
        assert first is not None
        assert await first.wait() == 0  # idle: it ends by itself
        assert (await renderer.render(ROW, ALPACA, folder, None)).trained
        second = renderer._process
        assert second is not None
        second.kill()
        assert (await renderer.render(ROW, ALPACA, folder, None)).trained
    finally:
        await renderer.close()
    assert renderer._process is None


async def test_a_row_longer_than_a_pipe_holds(
    renderer: RowRenderer, make_model: Callable[..., Path]
) -> None:
    value = {"instruction": "Say much.", "output": "so much 😀\n" * 20_000}
    row = await renderer.render(value, ALPACA, make_model("smollm2"), None)
    assert row.tokens > 100_000


async def test_odd_values_are_the_rows_fault(
    renderer: RowRenderer, make_model: Callable[..., Path]
) -> None:
    folder = make_model("smollm2")
    nested: Any = "x"
    for _ in range(100_000):
        nested = [nested]
    for value in (nested, "half \ud83d", b"bytes", float("nan")):
        row = await renderer.render({"instruction": "a", "output": value}, ALPACA, folder, None)
        assert row.fault or value == b"bytes"
    odd_key = await renderer.render(ROW | {"\ud83d": 1}, ALPACA, folder, None)
    assert odd_key.fault or odd_key.trained
    assert (await renderer.render(ROW, ALPACA, folder, None)).trained
