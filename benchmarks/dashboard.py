"""How quick and how quiet the dashboard is, beside what was promised.

    .venv/bin/python -m benchmarks.dashboard [--part first_frame …] [--json FILE]

``first_frame``: processor time to the first frame of ``loradeck``, over that of an empty Textual
app with header, table and footer, in turn in the same run. ``idle``: processor time of Home with
nothing going on, as a share of one core. ``keys``: from the key to what it paints, while a training
uses both cores. ``task``: share of a core with a task of twenty steps a second on the screen; and a
journal of 200,000 events from the key to its curve. ``history``: ten thousand tasks from the key to
their list, and moving in it. ``day``: memory at noon and at the end of a day of
86,400 steps. The
first three run the installed command on a terminal of its own, the others the app without one.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import dashboard_day, dashboard_history, dashboard_task, dashboard_terminal
from benchmarks.tables import print_table, write_json

if TYPE_CHECKING:
    from collections.abc import Callable


class Goal(NamedTuple):
    """What a figure must not exceed."""

    words: str
    most: float
    unit: str


GOALS = {
    "first_frame_ratio": Goal("first frame over an empty app's, processor time", 1.3, ""),
    "idle_share": Goal("idle, of a core", 0.5, "%"),
    "key_p99": Goal("key to paint beside a training, 99th percentile", 50, "ms"),
    "task_share": Goal("a task of 20 steps a second, of a core", 0.05, ""),
    "open_seconds": Goal("a journal of 200,000 events, opened", 1.5, "s"),
    "open": Goal("10,000 tasks in the history, opened", 1500, "ms"),
    "cursor_p99": Goal("a move among 10,000 tasks, 99th percentile", 50, "ms"),
    "day_growth": Goal("a day of running, growth of its second half", 1, "MB"),
}
PARTS: dict[str, Callable[[], dict[str, float]]] = {
    "first_frame": dashboard_terminal.first_frame,
    "idle": dashboard_terminal.idle,
    "keys": dashboard_terminal.keys,
    "task": dashboard_task.measure,
    "history": dashboard_history.measure,
    "day": dashboard_day.measure,
}


def main() -> None:
    """Measure and print; ends with 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", action="append", choices=PARTS, help="this one alone")
    parser.add_argument("--json", type=Path, help="write all figures there")
    given = parser.parse_args()
    figures: dict[str, float] = {}
    for name in given.part or PARTS:
        figures |= PARTS[name]()
        print(f"{name} measured", file=sys.stderr)
    rows = [
        (goal.words, f"{figures[key]:.4g} {goal.unit}", f"{goal.most:g} {goal.unit}",
         "reached" if figures[key] <= goal.most else "MISSED")
        for key, goal in GOALS.items() if key in figures
    ]  # fmt: skip
    print_table(("", "measured", "at most", ""), rows)
    others = {key: value for key, value in figures.items() if key not in GOALS}
    print_table(("also", "measured"), [(key, f"{value:.4g}") for key, value in others.items()])
    write_json(given.json, figures)
    sys.exit(any(row[-1] == "MISSED" for row in rows))


if __name__ == "__main__":
    main()
