"""Run the harness for long: ``python -m tests.chaos --faults 1000 --seed 1``.

The same seed draws the same faults, not at the same moments: processes run as they please. What
must hold holds at any moment. Where something does not, the home is kept.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from engine.home import Home
from tests.chaos.driver import Driver
from tests.chaos.faults import FAULTS
from tests.chaos.ground import Ground
from tests.chaos.zygote import start_zygote
from tests.tiny_llama import make_tiny_llama


def main() -> int:
    """Run what the arguments say; the exit status is 1 where an invariant did not hold."""
    given = _arguments()
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    os.environ["LORADECK_HOME"] = str(folder / "home")
    start_zygote()
    random = Random(given.seed)  # noqa: S311 (repeatable on purpose)
    ground = Ground(Home.locate().prepare(), random)
    driver = Driver(
        ground,
        model=make_tiny_llama(folder / "tiny"),
        faults=given.faults,
        tasks=given.tasks,
        seconds=given.seconds,
        kinds=given.kinds or list(FAULTS),
        epochs=given.epochs,
        gap=given.gap,
        quick=given.quick,
    )
    began = time.monotonic()
    try:
        driver.run()
    finally:
        _tell(driver, given.seed, folder, time.monotonic() - began, verbose=given.verbose)
    if not ground.violations:
        shutil.rmtree(folder)
    return bool(ground.violations)


def _arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tasks", type=int, help="at most so many; else as many as it takes")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="of faults, at most")
    parser.add_argument("--kinds", nargs="+", choices=list(FAULTS), metavar="KIND")
    parser.add_argument("--epochs", type=int, help="of every task, in place of its own")
    parser.add_argument("--gap", type=float, default=0.5, help="mean seconds between faults")
    parser.add_argument(
        "--quick",
        type=float,
        default=0.8,
        help="share of servers whose workers come from the zygote",
    )
    parser.add_argument("--verbose", action="store_true", help="print every fault")
    return parser.parse_args()


def _tell(driver: Driver, seed: int, folder: Path, seconds: float, *, verbose: bool) -> None:
    """Print what was done and what came of it."""
    ground = driver.ground
    if verbose or ground.violations:
        print("\n".join(ground.log))  # noqa: T201
    for kind in driver.kinds:
        print(f"{driver.injected[kind]:6}  {kind}")  # noqa: T201
    print(  # noqa: T201
        f"seed {seed}: {driver.injected.total()} faults, {len(ground.tasks)} tasks, "
        f"{len(ground.violations)} violations, {seconds:.0f} s"
    )
    for violation in ground.violations:
        print("VIOLATED:", violation)  # noqa: T201
    if ground.violations:
        print(f"The home is kept: {folder}")  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
