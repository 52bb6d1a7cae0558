"""From a dataset file to tokenized, masked rows: the same encoding that the plan measured."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from datasets import Dataset

from engine.data.inspect import examine, refuse_errors
from engine.data.model_files import load_tokenizer
from engine.data.render import EncodedRow, cut, encode
from engine.data.template import ChatTemplate
from engine.errors import LoraDeckError
from engine.tasks.events import DatasetPrepared

if TYPE_CHECKING:
    from engine.data.types import Conversation
    from engine.train.spec import TaskSpec


@dataclass(frozen=True)
class Prepared:
    """Rows ready for the trainer, and one question to ask when it is done."""

    train: Dataset
    evaluation: Dataset | None
    summary: DatasetPrepared
    sample: Conversation
    """The row whose question the base and the adapter answer."""
    template: ChatTemplate


def prepare(spec: TaskSpec, model_folder: Path) -> Prepared:
    """Read, render, tokenize, mask and split a task's dataset.

    Raises:
        LoraDeckError: The file changed since the plan was made, or a row would train nothing.
    """
    params = spec.plan.training_params
    file = Path(spec.plan.dataset_file)
    dataset = examine(file)
    if dataset.inspection.sha256 != spec.plan.dataset.sha256:
        raise LoraDeckError(
            "Dataset changed",
            f"{file} is not what it was when the plan was made.",
            "Put the old file back, or start a new task.",
        )
    refuse_errors(dataset.inspection)
    template = ChatTemplate.load(model_folder)
    tokenizer = load_tokenizer(model_folder)
    encoded = [encode(conversation, template, tokenizer) for conversation in dataset.conversations]
    kept = [cut(row, params.max_seq_length) for row in encoded]
    _refuse_untrained(kept, params.max_seq_length)
    held_out = set(random.Random(params.seed).sample(range(len(kept)), params.eval_rows))  # noqa: S311
    train = [row for index, row in enumerate(kept) if index not in held_out]
    evaluation = [kept[index] for index in sorted(held_out)]
    return Prepared(
        train=_as_dataset(train),
        evaluation=_as_dataset(evaluation) if evaluation else None,
        summary=_summarize(encoded, kept, train, len(evaluation)),
        sample=dataset.conversations[0],
        template=template,
    )


def _as_dataset(rows: list[EncodedRow]) -> Dataset:
    """Keep the columns that the trainer reads."""
    return Dataset.from_dict(
        {
            "input_ids": [row.input_ids for row in rows],
            "labels": [row.labels for row in rows],
        }
    )


def _refuse_untrained(rows: list[EncodedRow], limit: int) -> None:
    """Refuse rows in which the length limit left no token of an answer."""
    empty = [row.row for row in rows if not row.trained]
    if empty:
        shown = ", ".join(map(str, empty[:10]))
        raise LoraDeckError(
            "Rows that would teach nothing",
            f"Cut to {limit} tokens, {len(empty)} rows keep no token of their answer: {shown}.",
            "Set a larger max_seq_length, or shorten these rows.",
        )


def _summarize(
    encoded: list[EncodedRow], kept: list[EncodedRow], train: list[EncodedRow], eval_rows: int
) -> DatasetPrepared:
    """Count rows and tokens, and what the length limit cut."""
    lost = [
        len(before.input_ids) - len(after.input_ids)
        for before, after in zip(encoded, kept, strict=True)
    ]
    return DatasetPrepared(
        train_rows=len(train),
        eval_rows=eval_rows,
        tokens=sum(len(row.input_ids) for row in train),
        trained_tokens=sum(row.trained for row in train),
        rows_cut=sum(count > 0 for count in lost),
        tokens_cut=sum(lost),
    )
