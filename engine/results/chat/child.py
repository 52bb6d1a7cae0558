"""The process's own side: holds one base model, answers one question after the other.

``python -P -m engine.results.chat.child`` reads a ``Start``, then questions and cancellations, a
line each, and ends when its standard input does: with the engine.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING

from engine.errors import LoraDeckError
from engine.language import speak
from engine.results.chat.wire import REQUEST, Cancel, Question, Ready, Refused, Said, Start

if TYPE_CHECKING:
    from engine.results.chat.wire import Report

_NICE = 5
"""Before trainings, behind the screen."""
_KILLED_FIRST = Path("/proc/self/oom_score_adj")


class Line:
    """The engine at the other end."""

    def __init__(self, source: IO[str], target: IO[str]) -> None:
        self._source, self._target = source, target
        self._questions: queue.Queue[Question] = queue.Queue()
        self._cancelled = 0

    def listen(self) -> None:
        """Take what comes from now on; when nothing more can come, end this process at once."""
        threading.Thread(target=self._take, daemon=True).start()

    def question(self) -> Question:
        """Wait for the next question."""
        return self._questions.get()

    def is_cancelled(self, number: int) -> bool:
        """Tell whether nobody waits for the answer to a question."""
        return number <= self._cancelled

    def send(self, report: Report) -> None:
        """Pass a report on."""
        self._target.write(report.model_dump_json() + "\n")
        self._target.flush()

    def _take(self) -> None:
        """Read until the engine is gone."""
        for line in self._source:
            request = REQUEST.validate_json(line)
            if isinstance(request, Cancel):
                self._cancelled = request.number
            else:
                self._questions.put(request)
        os._exit(0)


def main() -> None:
    """Load the base, then answer."""
    line = Line(sys.stdin, _own_output())
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.nice(_NICE)
    with contextlib.suppress(OSError):  # where memory runs out, a training is worth more
        _KILLED_FIRST.write_text("500")
    start = Start.model_validate_json(sys.stdin.readline())
    speak(start.language)
    line.listen()
    try:
        _serve(start, line)
    except LoraDeckError as error:
        line.send(Refused.of(error))


def _serve(start: Start, line: Line) -> None:
    """Answer as long as the engine asks.

    Raises:
        LoraDeckError: The base model cannot be loaded.
    """
    from engine.results.chat.generation import Memory, answer
    from engine.results.chat.model import ChatModel

    model, memory = ChatModel(start), Memory()
    line.send(Ready())
    while True:
        question = line.question()
        speak(question.language)
        try:
            report: Report = answer(
                model,
                memory,
                question,
                say=lambda text: line.send(Said(text=text)),
                gone=lambda: line.is_cancelled(question.number),  # noqa: B023 - used at once
            )
        except LoraDeckError as error:
            report = Refused.of(error)
        line.send(report)


def _own_output() -> IO[str]:
    """Keep standard output for reports: what libraries print goes to the log."""
    kept = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return kept


if __name__ == "__main__":
    main()
