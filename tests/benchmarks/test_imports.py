"""Every benchmark can be imported: they reach into the engine, and are run by hand alone."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from pathlib import Path

import benchmarks

# Heavy: they import torch and the trainers that they compare with
_IN_CHILD = {"contestants", "held_out", "random_models"}


def test_they_can_be_imported() -> None:
    """What they take from the engine is there under that name."""
    names = {module.name for module in pkgutil.iter_modules(benchmarks.__path__)} - _IN_CHILD
    source = "\n".join(f"import benchmarks.{name}" for name in sorted(names))
    root = Path(__file__).parents[2]
    ran = subprocess.run([sys.executable, "-c", source], cwd=root, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "child" in names
