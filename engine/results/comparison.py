"""Several tasks side by side: parameters, data, what they came to and what they cost."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from engine.language import mark
from engine.plan.parameters import TrainingParams, as_override
from engine.results.report.types import Report
from engine.tasks.record import Status, TaskRecord
from engine.text import human_bytes, human_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Group = Literal["parameters", "data", "results", "cost"]
Best = Literal["", "lowest", "highest"]

GROUPS: dict[Group, str] = {
    "parameters": mark("Parameters"),
    "data": mark("Model and data"),
    "results": mark("Results"),
    "cost": mark("Time and memory"),
}


class Compared(BaseModel):
    """A task, with what is known of it."""

    model_config = ConfigDict(frozen=True)

    task: TaskRecord
    report: Report | None = None
    """``None`` where it was not judged, or not yet."""
    rows: int | None = None
    """Of the dataset, by the plan."""


class Row(BaseModel):
    """One line of a comparison."""

    model_config = ConfigDict(frozen=True)

    group: Group
    key: str
    """For programs."""
    name: str
    """For people; to be translated, unless it is a parameter's."""
    values: tuple[Any, ...]
    """One a task; ``None`` where it is not known."""
    words: tuple[str, ...]
    """The values as they are written; a dash where it is not known."""
    best: tuple[int, ...] = ()
    """The places of the best values, where one is better than another."""

    @property
    def told(self) -> bool:
        """Tell whether it is worth a line: all is, but parameters in which the tasks are alike."""
        return self.group != "parameters" or len(set(self.words)) > 1


class _Measure(NamedTuple):
    """Something to compare: where it stands, how it is written, and what is the best of it."""

    group: Group
    key: str
    name: str
    read: Callable[[Compared], Any]
    write: Callable[[Any], str] = str
    best: Best = ""
    same: Literal["", "rows", "tokens"] = ""
    """What must be the same of all tasks, so that one can be better: the dataset, or the base model
    as well, which makes tokens of it."""


def alike(tasks: Sequence[Compared]) -> bool:
    """Tell whether losses can be compared: they are of the same rows in the same tokens."""
    return len({(one.task.dataset_file, one.task.base_model) for one in tasks}) == 1


def compare(tasks: Sequence[Compared]) -> list[Row]:
    """Set tasks side by side: all parameters, and whatever else is known of one of them."""
    rows = [_parameter(key, tasks) for key in _keys(tasks)]
    rows += [_row(measure, tasks) for measure in _MEASURES]
    return [row for row in rows if any(value is not None for value in row.values)]


def _keys(tasks: Sequence[Compared]) -> list[str]:
    """List the parameters: in the plan's order, then those of other versions."""
    given = {key for one in tasks for key in one.task.training_params}
    known = [key for key in TrainingParams.model_fields if key in given]
    return known + sorted(given.difference(known))


def _parameter(key: str, tasks: Sequence[Compared]) -> Row:
    """Set the values of a parameter side by side."""
    values = tuple(one.task.training_params.get(key) for one in tasks)
    words = tuple("–" if value is None else as_override(value) for value in values)
    return Row(group="parameters", key=key, name=key, values=values, words=words)


def _row(measure: _Measure, tasks: Sequence[Compared]) -> Row:
    """Set something measured side by side."""
    values = tuple(measure.read(one) for one in tasks)
    words = tuple("–" if value is None else measure.write(value) for value in values)
    # A run that was cancelled took little time, but is not the best for it
    weighed = tuple(
        value if one.task.status is Status.COMPLETED else None
        for one, value in zip(tasks, values, strict=True)
    )
    best = _best(measure, weighed, words) if _alike(measure, tasks) else ()
    return Row(
        group=measure.group, key=measure.key, name=measure.name, values=values, words=words,
        best=best,
    )  # fmt: skip


def _alike(measure: _Measure, tasks: Sequence[Compared]) -> bool:
    """Tell whether the tasks have in common what a figure can be compared by."""
    datasets = {one.task.dataset_file for one in tasks if measure.same}
    models = {one.task.base_model for one in tasks if measure.same == "tokens"}
    return len(datasets) <= 1 and len(models) <= 1


def _best(measure: _Measure, values: Sequence[Any], words: Sequence[str]) -> tuple[int, ...]:
    """Find the best values; what is written alike is equally good, and ``None`` is not weighed."""
    known = {
        word: value
        for value, word in zip(values, words, strict=True)
        if value is not None and measure.best and math.isfinite(value)
    }
    if len(known) < 2:
        return ()
    choose = min if measure.best == "lowest" else max
    best = choose(known, key=known.__getitem__)
    written = enumerate(zip(values, words, strict=True))
    return tuple(place for place, (value, word) in written if value is not None and word == best)


def _of_report(read: Callable[[Report], Any]) -> Callable[[Compared], Any]:
    """Read something of the report, where there is one."""
    return lambda one: None if one.report is None else read(one.report)


def _best_eval(one: Compared) -> float | None:
    """Give the lowest loss on held-out rows that is known."""
    curve = one.report.eval_curve if one.report else ()
    return min((point.loss for point in curve), default=one.task.eval_loss)


def _loss(value: float) -> str:
    return f"{value:.4f}"


def _score(value: float) -> str:
    return f"{value:.1f}"


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _part(of: float, count: float) -> float | None:
    return of / count if count else None


_MEASURES = (
    _Measure("data", "base_model", mark("base model"), lambda one: one.task.base_model),
    _Measure("data", "dataset_file", mark("dataset"), lambda one: one.task.dataset_file),
    _Measure("data", "dataset_rows", mark("rows"),
             lambda one: one.report.dataset_rows if one.report else one.rows, "{:,}".format),
    _Measure("results", "status", mark("state"), lambda one: str(one.task.status)),
    _Measure("results", "epochs", mark("epochs done"),
             lambda one: one.task.current_epoch or None, "{:.2f}".format),
    _Measure("results", "final_loss", mark("training loss"), lambda one: one.task.final_loss,
             _loss, "lowest", "tokens"),
    _Measure("results", "eval_loss", mark("best eval loss"), _best_eval, _loss, "lowest", "tokens"),
    _Measure("results", "base_chrf", mark("base's chrF"),
             _of_report(lambda report: report.base_chrf), _score),
    _Measure("results", "adapter_chrf", mark("adapter's chrF"),
             _of_report(lambda report: report.adapter_chrf), _score, "highest", "rows"),
    _Measure("results", "base_token_accuracy", mark("base's token accuracy"),
             _of_report(lambda report: report.base.token_accuracy), _share),
    _Measure("results", "adapter_token_accuracy", mark("adapter's token accuracy"),
             _of_report(lambda report: report.adapter.token_accuracy), _share, "highest", "tokens"),
    _Measure("results", "exact", mark("exact answers"),
             _of_report(lambda report: _part(report.adapter_exact, report.exact_of)), _share,
             "highest", "rows"),
    _Measure("results", "ended", mark("answers that end"),
             _of_report(lambda report: _part(report.ended, report.asked)), _share, "highest"),
    _Measure("cost", "seconds", mark("time"), lambda one: one.task.seconds, human_duration,
             "lowest"),
    _Measure("cost", "peak_memory", mark("peak memory"),
             _of_report(lambda report: report.peak_memory), human_bytes, "lowest"),
    _Measure("cost", "device", mark("device"), _of_report(lambda report: report.device)),
)  # fmt: skip
