"""Every sample is prepared as the preview shows it, within the plan's split and limits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import sample_datasets
from engine.data.containers.source import open_source
from engine.data.inspect import conversations, inspect_dataset
from engine.data.model_files import load_tokenizer
from engine.data.render import NOT_TRAINED
from engine.data.rendering import render_row
from engine.data.template import ChatTemplate
from engine.errors import LoraDeckError
from engine.train.prepare import Prepared, prepare
from engine.train.spec import TaskSpec
from tests.engine.plan.make import plan_for

if TYPE_CHECKING:
    from engine.data.types import Inspection
    from engine.tasks.events import Event

SAMPLES = sorted(
    path
    for path in Path(sample_datasets.__file__).parent.iterdir()
    if path.is_file() and path.name not in ("README.md", "__init__.py") and path.suffix != ".py"
)


class Silent:
    """A reporter that keeps what it is told."""

    stop_requested = False

    def __init__(self) -> None:
        self.events: list[Event] = []

    def report(self, event: Event) -> None:
        """Keep an event."""
        self.events.append(event)


def _spec(dataset: Path, folder: Path, **overrides: object) -> TaskSpec:
    """Make a task of a dataset."""
    found: Inspection = inspect_dataset(dataset)
    plan = plan_for(found.rows - found.faulty, dataset_file=str(dataset), **overrides)
    plan = plan.model_copy(update={"dataset": found})
    return TaskSpec(
        task_id="a",
        task_name="a",
        plan=plan,
        folder=folder,
        output=folder,
        partial=folder,
        cache=folder / "cache",
    )


def _prepared(spec: TaskSpec, model: Path) -> Prepared:
    """Prepare a task's dataset."""
    return prepare(spec, model, Silent())


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_trainer_gets_what_the_preview_shows(sample: Path, model: Path, tmp_path: Path) -> None:
    spec = _spec(sample, tmp_path, max_seq_length=2048)
    prepared = _prepared(spec, model)
    shape = spec.plan.dataset.shape
    assert shape is not None
    assert len(prepared.train) == prepared.summary.train_rows == spec.plan.dataset.rows
    template, tokenizer = ChatTemplate.load(model), load_tokenizer(model)
    values = [row for row in open_source(sample).rows() if isinstance(row, dict)]
    for value, row in zip(values, prepared.train, strict=True):
        shown = render_row(value, shape, template, tokenizer, None)
        trained = [token for token in row["labels"] if token != NOT_TRAINED]
        assert (shown.tokens, shown.trained) == (len(row["input_ids"]), len(trained))
        marked = "".join(shown.text[start:end] for start, end in shown.trained_spans)
        assert tokenizer.decode(trained, skip_special_tokens=False) == marked


def test_held_out_rows_are_repeated_by_none_that_is_trained(model: Path, tmp_path: Path) -> None:
    lines = [f'{{"prompt": "Q{n % 30}", "completion": "A{n % 30}"}}' for n in range(50)]
    dataset = tmp_path / "rows.jsonl"
    dataset.write_text("\n".join(lines), encoding="utf-8")
    prepared = _prepared(_spec(dataset, tmp_path, eval_rows=5), model)
    assert prepared.evaluation is not None
    held = {tuple(row["input_ids"]) for row in prepared.evaluation}
    assert len(held) == prepared.summary.eval_rows == 5
    assert not held & {tuple(row["input_ids"]) for row in prepared.train}


def test_few_faulty_rows_are_left_out_and_counted(model: Path, tmp_path: Path) -> None:
    lines = [f'{{"prompt": "Q{n}", "completion": "A{n}"}}' for n in range(150)]
    lines[7] = '{"prompt": "Q7"}'
    dataset = tmp_path / "rows.jsonl"
    dataset.write_text("\n".join(lines), encoding="utf-8")
    summary = _prepared(_spec(dataset, tmp_path, eval_rows=0), model).summary
    assert (summary.train_rows, summary.rows_left_out) == (149, 1)


def test_file_that_changed_since_the_plan_is_refused(model: Path, tmp_path: Path) -> None:
    dataset = tmp_path / "rows.jsonl"
    dataset.write_text('{"prompt": "Q", "completion": "A"}\n' * 3, encoding="utf-8")
    spec = _spec(dataset, tmp_path)
    dataset.write_text('{"prompt": "Q", "completion": "B"}\n' * 3, encoding="utf-8")
    with pytest.raises(LoraDeckError, match="is not what it was"):
        _prepared(spec, model)


def test_every_sample_can_train() -> None:
    for sample in SAMPLES:
        found = inspect_dataset(sample)
        assert found.can_train, sample.name
        assert found.shape is not None
        assert len(list(conversations(sample, found.shape))) == found.rows
