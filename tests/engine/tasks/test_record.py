"""Task records: states follow one another as the design says; names are safe folders."""

from __future__ import annotations

import itertools

import pytest

from engine.errors import ConflictError, LoraDeckError
from engine.tasks.record import Status, TaskRecord, check_task_name
from tests.engine.tasks.make import record

_ALLOWED = {
    ("pending", "running"),
    ("pending", "paused"),
    ("pending", "cancelled"),
    ("pending", "failed"),
    ("running", "pending"),
    ("running", "paused"),
    ("running", "completed"),
    ("running", "failed"),
    ("running", "cancelled"),
    ("paused", "pending"),
    ("paused", "cancelled"),
    ("paused", "failed"),
    ("failed", "pending"),
    ("cancelled", "pending"),
}


@pytest.mark.parametrize(("before", "after"), itertools.product(Status, Status))
def test_transition(before: Status, after: Status) -> None:
    task = record(status=before)
    if (before, after) in _ALLOWED:
        assert task.moved(after).status is after
    else:
        with pytest.raises(ConflictError, match="Not possible now"):
            task.moved(after)


def test_times_follow_the_states() -> None:
    running = record().moved(Status.RUNNING)
    assert running.started_at is not None
    assert running.completed_at is None
    again = running.moved(Status.PENDING).moved(Status.RUNNING)
    assert again.started_at == running.started_at
    assert again.moved(Status.COMPLETED).completed_at is not None


def test_unknown_fields_survive() -> None:
    newer = {**record().model_dump(mode="json"), "from_the_future": 1}
    assert TaskRecord.model_validate(newer).model_dump()["from_the_future"] == 1


@pytest.mark.parametrize("name", ["a", "support bot-1", "客服机器人", "x" * 100, "v1.2", "a&b"])
def test_good_name(name: str) -> None:
    assert check_task_name(f" {name} ") == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "x" * 101,
        "字" * 100,
        "a/b",
        "..",
        ".hidden",
        "a\\b",
        "c:d",
        "a\x1b[31m",
        "a\nb",
        "a\tb",
        "\u202ea",
        "a\u200b",
    ],
)
def test_bad_name(name: str) -> None:
    with pytest.raises(LoraDeckError, match="Name"):
        check_task_name(name)
