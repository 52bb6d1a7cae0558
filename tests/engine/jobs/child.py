"""A job's process whose work is one of the tests' own."""

from __future__ import annotations

import sys
from pathlib import Path

from engine.jobs import worker

worker.WORK["export"] = "tests.engine.jobs.works"
worker.main(Path(sys.argv[1]))
