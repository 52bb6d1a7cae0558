"""The mask seen, against what others make of the same rows: transformers, and TRL's trainer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from engine.data.model_files import load_tokenizer
from engine.data.normalize import normalize
from engine.data.render import NOT_TRAINED, encode
from engine.data.rendering import render_row, trained_spans
from engine.data.template import ChatTemplate
from engine.data.types import Shape
from engine.train.encoding import ROWS, RowEncoder
from tests.engine.data.mask_cases import (
    CONVERSATIONS,
    FAMILIES,
    SPECIAL_TEXTS,
    Family,
    as_openai,
    make_tokenizer,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Tokenizer

    from engine.data.types import Conversation

families = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
MESSAGES = Shape(dataset_type="messages", columns={"messages": "messages", "tools": "tools"})


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """A tokenizer that knows the special tokens of all families."""
    return make_tokenizer()


@pytest.fixture(scope="module")
def theirs(tokenizer: Tokenizer) -> Any:
    """The same tokenizer as transformers has it."""
    transformers = pytest.importorskip("transformers")
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>"
    )


@families
def test_tokens_equal_those_of_transformers(
    family: Family, tokenizer: Tokenizer, theirs: Any
) -> None:
    theirs.eos_token = family.eos
    compared = 0
    for case, conversation in (CONVERSATIONS | SPECIAL_TEXTS).items():
        row = encode(conversation, family.template, tokenizer)
        if row.tools_folded or row.system_folded:
            continue
        expected = _apply(theirs, conversation, family)
        assert row.input_ids == expected["input_ids"], case
        compared += 1
        if "generation" in family.template.source and any(expected["assistant_masks"]):
            trained = [int(label != NOT_TRAINED) for label in row.labels]
            assert trained == expected["assistant_masks"], case
    assert compared >= 10


def _apply(theirs: Any, conversation: Conversation, family: Family) -> Any:
    """Let transformers render and tokenize."""
    return theirs.apply_chat_template(
        as_openai(conversation),
        tools=list(conversation.tools) or None,
        chat_template=family.template.source,
        tokenize=True,
        return_dict=True,
        return_assistant_tokens_mask=True,
    )


@families
def test_the_preview_shows_the_tokens_that_the_trainer_gets(
    family: Family, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    template = family.template
    values = [_value(one) for one in CONVERSATIONS.values()]
    rows = [normalize(value, 1, MESSAGES) for value in values]
    # Half of the rows are cut
    limit = sorted(len(encode(row, template, tokenizer).input_ids) for row in rows)[len(rows) // 2]
    RowEncoder(template, tokenizer, limit, lambda _: True).write(iter(rows), tmp_path)
    with pa.OSFile(str(tmp_path / ROWS)) as file:
        written = pa.ipc.open_stream(file).read_all().to_pylist()
    previews = [render_row(one, MESSAGES, template, tokenizer, limit) for one in values]
    # The trainer leaves out rows that the limit leaves nothing to train of
    shown = [(row, one) for row, one in zip(rows, previews, strict=True) if one.trained]
    assert len(shown) == len(written) > 5
    for trainer, (row, preview) in zip(written, shown, strict=True):
        assert not preview.fault
        encoded = encode(row, template, tokenizer)
        assert encoded.text == preview.text
        assert encoded.input_ids[:limit] == trainer["input_ids"]
        assert preview.tokens == len(encoded.input_ids)
        assert preview.trained == sum(label != NOT_TRAINED for label in trainer["labels"])
        for label, (start, end) in zip(trainer["labels"], encoded.offsets, strict=False):
            inside = any(a <= start and end <= b for a, b in preview.trained_spans)
            assert inside == (label != NOT_TRAINED)
        if preview.cut_at is not None:
            assert preview.cut_at == encoded.offsets[limit][0]


def _value(row: Conversation) -> dict[str, Any]:
    """Write a conversation as a row of a file."""
    return {"messages": as_openai(row), "tools": list(row.tools)}


@pytest.mark.filterwarnings("ignore")
def test_labels_in_the_batch_of_trls_trainer_equal_the_mask(
    tiny_llama: Path, tmp_path: Path
) -> None:
    trl = pytest.importorskip("trl")
    datasets = pytest.importorskip("datasets")
    transformers = pytest.importorskip("transformers")
    template, tokenizer = ChatTemplate.load(tiny_llama), load_tokenizer(tiny_llama)
    cases = [CONVERSATIONS[name] for name in ("single", "several", "foreign", "tool", "thinking")]
    rows = [encode(one, template, tokenizer) for one in cases]
    columns = [{"input_ids": row.input_ids, "labels": row.labels} for row in rows]
    trainer = trl.SFTTrainer(
        model=transformers.AutoModelForCausalLM.from_pretrained(tiny_llama),
        args=trl.SFTConfig(
            output_dir=str(tmp_path),
            per_device_train_batch_size=len(rows),
            dataset_kwargs={"skip_prepare_dataset": True},
            use_cpu=True,
            bf16=False,
            report_to="none",
            max_length=4096,
        ),
        train_dataset=datasets.Dataset.from_list(columns),
        processing_class=transformers.AutoTokenizer.from_pretrained(tiny_llama),
    )
    batch = next(iter(trainer.get_train_dataloader()))
    got = {
        tuple(ids[: len(ids)])[: sum(mask)]: labels
        for ids, mask, labels in zip(
            batch["input_ids"].tolist(),
            batch["attention_mask"].tolist(),
            batch["labels"].tolist(),
            strict=True,
        )
    }
    assert len(got) == len(rows)
    for row in rows:
        labels = got[tuple(row.input_ids)]
        assert labels[: len(row.labels)] == row.labels
        assert set(labels[len(row.labels) :]) <= {NOT_TRAINED}
        shown = "".join(row.text[a:b] for a, b in trained_spans(row))
        kept = [label for label in labels if label != NOT_TRAINED]
        assert tokenizer.decode(kept, skip_special_tokens=False) == shown
