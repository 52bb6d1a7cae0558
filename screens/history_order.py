"""Which tasks the history shows, and in which order: one task's change sorts no others anew."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

from screens.format import short_name
from screens.history_columns import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from engine.tasks.view import TaskView

    Rank = tuple[bool, float | str, float, str]

_MANY = 500
"""Changes at once from which on sorting all anew is cheaper."""


class HistoryOrder:
    """The tasks that pass the filter, kept sorted."""

    def __init__(self) -> None:
        self.sorted_by = "when"
        self.falls = COLUMNS["when"].falls
        """Whether the greatest value comes first."""
        self.state = ""
        """The only state to show; empty shows all."""
        self._words: tuple[str, ...] = ()
        self._ranked: list[Rank] = []  # always rising; what falls is read from its end
        self._ranks: dict[str, Rank] = {}
        self._texts: dict[str, str] = {}

    def in_order(self) -> list[str]:
        """Give the ids of the tasks to show, in their order."""
        ranked = reversed(self._ranked) if self.falls else self._ranked
        return [rank[-1] for rank in ranked]

    def search(self, text: str) -> None:
        """Let only those pass in which all words stand; ``fill`` has to follow."""
        self._words = tuple(text.casefold().split())

    def fill(self, tasks: Mapping[str, TaskView]) -> None:
        """Filter and sort all tasks."""
        self._texts = {key: text for key, text in self._texts.items() if key in tasks}
        self._ranks = {key: self._rank(view) for key, view in tasks.items() if self._passes(view)}
        self._ranked = sorted(self._ranks.values())

    def take(
        self, tasks: Mapping[str, TaskView], changed: Iterable[str], removed: Iterable[str]
    ) -> bool:
        """Take changes in; tell whether another task is shown now, or one at another place."""
        keys = {*changed, *removed}
        if len(keys) > _MANY:
            self.fill(tasks)
            return True
        moved = [self._take(key, tasks.get(key)) for key in keys]
        return any(moved)

    def _take(self, key: str, view: TaskView | None) -> bool:
        """Put one task where it belongs now."""
        before = self._ranks.pop(key, None)
        now = self._rank(view) if view is not None and self._passes(view) else None
        if now is not None:
            self._ranks[key] = now
        if before == now:
            return False
        if before is not None:
            del self._ranked[bisect_left(self._ranked, before)]
        if now is not None:
            insort(self._ranked, now)
        return True

    def _rank(self, view: TaskView) -> Rank:
        """Give what a task is sorted by: unknown values come last, among equals the newest first.

        All of it turns round where the order falls, so that it comes out right from the end.
        """
        value = COLUMNS[self.sorted_by].value(view)
        made = view.task.created_at.timestamp()
        unknown = (value is None) != self.falls
        return unknown, "" if value is None else value, made if self.falls else -made, view.task.id

    def _passes(self, view: TaskView) -> bool:
        """Tell whether a task is of the state and has the words that are looked for."""
        if self.state and view.task.status != self.state:
            return False
        return not self._words or self._has_words(view)

    def _has_words(self, view: TaskView) -> bool:
        """Look for the words in name, base model and dataset, which never change."""
        task = view.task
        if (text := self._texts.get(task.id)) is None:
            parts = task.task_name, short_name(task.base_model), short_name(task.dataset_file)
            text = self._texts[task.id] = "\n".join(parts).casefold()
        return all(word in text for word in self._words)
