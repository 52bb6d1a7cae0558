"""Tasks side by side: which values are told, and which of them are the best."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from engine.plan.parameters import TrainingParams
from engine.results.comparison import Compared, Row, alike, compare
from engine.tasks.record import Status
from tests.engine.tasks.make import record
from tests.tui.fake_results import report

PARAMS = TrainingParams().model_dump()


def compared(name: str, **changes: object) -> Compared:
    """Make a completed task; ``judged`` are changes of its report."""
    judged = changes.pop("judged", None)
    params = PARAMS | changes.pop("params", {})  # type: ignore[operator]
    task = record(task_name=name, status=Status.COMPLETED, training_params=params, **changes)
    made = None if judged is None else report(task.id, name, **judged)  # type: ignore[arg-type]
    return Compared(task=task, report=made, rows=16)


def rows_of(*tasks: Compared) -> dict[str, Row]:
    """Compare tasks, and give the rows that are told by their keys."""
    return {row.key: row for row in compare(tasks) if row.told}


def test_of_the_parameters_those_that_differ_are_told_in_the_plans_order() -> None:
    first = compared("a", params={"learning_rate": 5e-4, "zebra": 1})
    second = compared("b", params={"lora_rank": 32, "learning_rate": 2e-4})
    rows = rows_of(first, second)
    told = [row.key for row in rows.values() if row.group == "parameters"]
    assert told == ["lora_rank", "learning_rate", "zebra"]
    assert rows["lora_rank"].words == ("16", "32")
    assert rows["zebra"].values == (1, None)
    assert rows["zebra"].words == ("1", "–")
    assert "seed" in {row.key for row in compare([first, second])}


def test_the_best_is_the_lowest_or_the_highest_of_what_is_known() -> None:
    rows = rows_of(
        compared("a", final_loss=0.51234, judged={"adapter_chrf": 80.0, "peak_memory": 10**9}),
        compared("b", final_loss=0.51231, judged={"adapter_chrf": 81.0, "peak_memory": 2 * 10**9}),
        compared("c", final_loss=math.nan),
        compared("d", final_loss=0.9),
    )
    assert rows["final_loss"].best == (0, 1)  # they are written alike
    assert rows["adapter_chrf"].best == (1,)
    assert rows["adapter_chrf"].words == ("80.0", "81.0", "–", "–")
    assert rows["peak_memory"].best == (0,)
    assert rows["base_chrf"].best == ()
    assert rows["dataset_rows"].words == ("120", "120", "16", "16")
    assert "eval_loss" in rows
    assert "eval_loss" not in rows_of(compared("a"), compared("b"))


def test_where_all_are_alike_or_one_alone_is_known_none_is_best() -> None:
    rows = rows_of(compared("a", final_loss=0.5, eval_loss=0.7), compared("b", final_loss=0.5))
    assert rows["final_loss"].best == rows["eval_loss"].best == ()


def test_losses_of_other_rows_or_other_tokens_are_not_weighed() -> None:
    first = compared("a", final_loss=0.5, judged={"adapter_chrf": 80.0})
    other_base = compared("b", final_loss=0.4, base_model="other", judged={"adapter_chrf": 70.0})
    other_rows = compared("c", final_loss=0.3, dataset_file="/other", judged={"adapter_chrf": 60.0})
    assert not alike([first, other_base])
    assert rows_of(first, other_base)["final_loss"].best == ()
    assert rows_of(first, other_base)["adapter_chrf"].best == (0,)
    assert rows_of(first, other_rows)["adapter_chrf"].best == ()
    assert alike([first, first])


def test_what_a_task_had_so_far_when_it_was_cancelled_is_told_and_not_the_best() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    first, second, third = (
        compared("a", started_at=start, completed_at=start + timedelta(seconds=seconds))
        for seconds in (60, 90, 5)
    )
    cancelled = third.task.model_copy(update={"status": Status.CANCELLED})
    rows = rows_of(first, second, third.model_copy(update={"task": cancelled}))
    assert (rows["seconds"].words[2], rows["seconds"].best) == ("5 s", (0,))
