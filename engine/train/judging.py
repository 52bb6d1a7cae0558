"""Has a finished adapter judged; whatever goes wrong there, the adapter is there all the same."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from engine.errors import LoraDeckError
from engine.files import is_disk_full
from engine.language import tr
from engine.results.report.files import save_report
from engine.results.report.make import make_report
from engine.tasks.events import ReportFailed
from engine.text import reason_of
from engine.train.adjustments import Adjustments
from engine.train.spec import StoppedError

if TYPE_CHECKING:
    from pathlib import Path

    from engine.results.report.make import Trained
    from engine.results.report.types import Report
    from engine.train.spec import Reporter

_KILLED_TWICE = 2


def judge(trained: Trained, reporter: Reporter) -> Report | None:
    """Make the report and keep it in the task's folder; ``None`` where it cannot be made.

    Raises:
        StoppedError: The worker was asked to stop meanwhile.
    """
    folder = trained.spec.folder
    begun = Adjustments.load(folder).judging
    if begun >= _KILLED_TWICE:  # as the kernel does where memory ends
        words = tr("its process was killed twice while base and adapter were asked")
        reporter.report(ReportFailed(reason=words))
        return None
    _note(folder, begun + 1)
    report = None
    try:
        report = make_report(trained, reporter)
        save_report(folder, report)
    except StoppedError:
        raise
    except Exception as error:
        if is_disk_full(error):
            raise
        traceback.print_exc()
        reporter.report(ReportFailed(reason=_words(error)))
    finally:
        _note(folder, begun)  # what a kill does not come to
    return report


def _note(folder: Path, begun: int) -> None:
    """Remember how often the judging has begun without coming to its end."""
    Adjustments.load(folder).model_copy(update={"judging": begun}).save(folder)


def _words(error: Exception) -> str:
    """Put what went wrong into words."""
    if isinstance(error, LoraDeckError):
        return error.message
    return reason_of(error)
