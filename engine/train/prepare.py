"""From a dataset file to tokenized, masked rows: the same encoding that the plan measured."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from datasets import Dataset

from engine.data.containers.source import content_hash
from engine.data.held_out import held_out
from engine.data.inspect import conversations
from engine.data.model_files import load_tokenizer
from engine.data.template import ChatTemplate
from engine.errors import LoraDeckError
from engine.language import tr
from engine.plan.checks import refuse_impossible_split
from engine.results.choose_prompts import candidates, choose, read_prompts
from engine.results.prompts import load_prompts, save_prompts
from engine.tasks.events import DatasetPrepared, RowsEncoded
from engine.train.encoded_cache import EncodedCache
from engine.train.encoding import ROWS, RowEncoder, Summary
from engine.train.room import Room
from engine.train.spec import StoppedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from engine.data.types import Shape
    from engine.plan.types import Plan
    from engine.results.prompts import Prompt
    from engine.train.spec import Reporter, TaskSpec

_TELL_SECONDS = 2.0
_TRAINER_COLUMNS = ["input_ids", "labels", "row"]


@dataclass(frozen=True)
class Prepared:
    """Rows ready for the trainer, and the questions to ask when it is done."""

    train: Dataset
    evaluation: Dataset | None
    lengths: NDArray[np.int32]
    """Tokens of each training row."""
    eval_tokens: int
    """Of all held-out rows."""
    summary: DatasetPrepared
    prompts: tuple[Prompt, ...]
    """Of held-out rows, where there are any; none where no row has a question."""
    template: ChatTemplate


def prepare(spec: TaskSpec, model_folder: Path, reporter: Reporter) -> Prepared:
    """Read, render, tokenize, mask and split a task's dataset, within bounded memory.

    Raises:
        LoraDeckError: The file changed since the plan was made, or rows would train nothing.
        StoppedError: The worker was asked to stop meanwhile, or the disk is full.
    """
    source = _unchanged(spec.plan)
    template, params = ChatTemplate.load(model_folder), spec.plan.training_params
    tokenizer = load_tokenizer(model_folder)
    encoder = RowEncoder(
        template,
        tokenizer,
        params.max_seq_length,
        _Telling(reporter, spec.plan.dataset.rows - spec.plan.dataset.faulty, Room(spec)),
    )
    cache = EncodedCache(spec.cache)
    key = cache.key(spec.plan.dataset, template.source, model_folder, params.max_seq_length)
    folder, summary = cache.get(key, partial(encoder.write, conversations(*source)))
    _refuse_loss(summary, spec.plan)
    rows = Dataset.from_file(str(folder / ROWS))
    refuse_impossible_split(len(rows), params.eval_rows)
    evaluation = held_out(_column(rows, "key").tolist(), params.eval_rows, params.seed)
    train = np.setdiff1d(np.arange(len(rows)), evaluation)
    judged = rows.select(candidates(_column(rows, "row"), evaluation or train, params.seed))
    chosen = choose(judged, plain=source[1].dataset_type == "text")
    asking = read_prompts(source, chosen, template, tokenizer)
    tokens = _column(rows, "tokens")
    return Prepared(
        train=rows.select(train).select_columns(_TRAINER_COLUMNS),
        evaluation=rows.select(evaluation).select_columns(_TRAINER_COLUMNS) if evaluation else None,
        lengths=tokens[train],
        eval_tokens=int(tokens[evaluation].sum()) if evaluation else 0,
        summary=DatasetPrepared(
            train_rows=len(train),
            eval_rows=len(evaluation),
            tokens=int(tokens[train].sum()),
            trained_tokens=int(_column(rows, "trained")[train].sum()),
            rows_cut=summary.rows_cut,
            tokens_cut=summary.tokens_cut,
            rows_left_out=spec.plan.dataset.faulty + summary.rows_left_out,
        ),
        prompts=_prompts(spec.folder, asking, reporter),
        template=template,
    )


def _prompts(
    folder: Path, asking: Iterable[Prompt | None], reporter: Reporter
) -> tuple[Prompt, ...]:
    """Give the prompts that will judge the adapter; kept in the task's folder for a resumed run.

    Raises:
        StoppedError: The worker was asked to stop meanwhile.
    """
    with suppress(LoraDeckError):
        return load_prompts(folder)
    prompts = []
    for prompt in asking:
        if reporter.stop_requested:
            raise StoppedError
        if prompt:
            prompts.append(prompt)
    save_prompts(folder, prompts)
    return tuple(prompts)


class _Telling:
    """Reports every few seconds how many rows are encoded, and passes a request to stop on."""

    def __init__(self, reporter: Reporter, rows: int, room: Room) -> None:
        self._reporter, self._rows, self._room = reporter, rows, room
        self._told = time.monotonic()

    def __call__(self, rows: int) -> bool:
        """Take the number of rows so far; tell whether to go on.

        Raises:
            StoppedError: They have taken what is to stay free on the disk.
        """
        if self._room.is_used_up:
            raise StoppedError(disk_full=True)
        if (now := time.monotonic()) - self._told > _TELL_SECONDS:
            self._told = now
            self._reporter.report(RowsEncoded(rows=rows, of=self._rows))
        return not self._reporter.stop_requested


def _unchanged(plan: Plan) -> tuple[Path, Shape]:
    """Give the file and how it is read, if it still is what the plan was made for."""
    file, shape = Path(plan.dataset_file), plan.dataset.shape
    if shape is None or content_hash(file) != plan.dataset.sha256:
        raise LoraDeckError(
            tr("Dataset changed"),
            tr("{file} is not what it was when the plan was made.", file=file),
            tr("Put the old file back, or start a new task."),
        )
    return file, shape


def _refuse_loss(summary: Summary, plan: Plan) -> None:
    """Refuse where more rows proved of no use than the plan, from a sample, could know."""
    if summary.rows_left_out and not plan.tolerates(summary.rows_left_out):
        raise LoraDeckError(
            tr("Rows that would teach nothing"),
            tr(
                "{count:,} rows cannot be trained: {reasons}",
                count=summary.rows_left_out,
                reasons=" ".join(summary.left_out[:3]),
            ),
            tr("Set a larger max_seq_length, mend these rows, or leave them out (--leave-out)."),
        )


def _column(rows: Dataset, name: str) -> Any:
    """Give a column of numbers as an array, without copying the rows."""
    return rows.data.column(name).to_numpy()
