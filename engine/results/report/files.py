"""A report in a folder: for programs, for people, and its picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from engine.errors import LoraDeckError, NotFoundError
from engine.files import read_plain, write_atomic
from engine.language import tr
from engine.results.report.advice import told
from engine.results.report.chart import CHART, draw_losses
from engine.results.report.markdown import report_text
from engine.results.report.types import FILE, Report
from engine.tasks.record import Status
from engine.text import visible

if TYPE_CHECKING:
    from pathlib import Path

    from engine.home import Home
    from engine.tasks.record import TaskRecord

DOCUMENT = "report.md"


def save_report(folder: Path, report: Report) -> None:
    """Write a report with its document and its picture into a task's folder."""
    save_picture(folder, report)
    write_atomic(folder / DOCUMENT, report_text(report))
    # Last: where it is, all of it is
    write_atomic(folder / FILE, report.model_dump_json(indent=1))


def save_picture(folder: Path, report: Report) -> None:
    """Draw the curves into a folder, where there are any."""
    if report.train_curve:
        write_atomic(folder / CHART, draw_losses(report.train_curve, report.eval_curve))


def load_report(folder: Path) -> Report:
    """Read the report of a task or an adapter from its folder.

    Raises:
        NotFoundError: There is none.
        LoraDeckError: It is damaged.
    """
    name = visible(str(folder / FILE))
    try:
        return Report.model_validate_json(read_plain(folder / FILE))
    except FileNotFoundError as error:
        raise NotFoundError(
            tr("No report"),
            tr("There is no {name}.", name=name),
            tr("Reports are made when a training ends: loradeck tasks"),
        ) from error
    except (OSError, ValueError, ValidationError) as error:
        raise LoraDeckError(
            tr("Report not readable"),
            tr(
                "{name} is damaged: {reason}", name=name, reason=visible(str(error)).splitlines()[0]
            ),
            tr("Train it again; its parameters are in the task's record."),
        ) from error


def report_of(home: Home, task: TaskRecord) -> Report:
    """Read a task's report, with its advice in the language that is spoken.

    Raises:
        NotFoundError: The task has not completed, or none was made.
        LoraDeckError: It is damaged.
    """
    name = visible(task.task_name)
    if task.status is not Status.COMPLETED:
        raise NotFoundError(
            tr("No report yet"),
            tr(
                "'{name}' is {state}: its report is made when its training ends.",
                name=name,
                state=tr(task.status),
            ),
            tr("Look how far it is: loradeck tasks show {id}", id=task.id),
        )
    try:
        return told(load_report(home.task(task.id)))
    except NotFoundError:
        raise NotFoundError(
            tr("No report"),
            tr(
                "There is no report on '{name}': an older version trained it, or judging it "
                "failed.",
                name=name,
            ),
            tr("What its worker said: loradeck tasks logs {id}", id=task.id),
        ) from None
