"""Run the harness for long: ``python -m tests.chaos --faults 1000 --seed 1``.

The same seed draws the same faults, not at the same moments: processes run as they please. What
must hold holds at any moment. Where something does not, the home is kept.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from engine.home import Home
from tests.chaos.driver import Driver
from tests.chaos.faults import FAULTS, FILL_DISK
from tests.chaos.ground import Ground
from tests.chaos.small_disk import enter_namespace, mount_small
from tests.chaos.zygote import start_zygote
from tests.tiny_llama import make_tiny_llama


def main() -> int:
    """Run what the arguments say; the exit status is 1 where an invariant did not hold."""
    given = _arguments()
    enter_namespace()
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    kinds = _possible(given.kinds or list(FAULTS), folder / "disk")
    os.environ["LORADECK_DISK_RESERVE_MB"] = "5"
    os.environ["LORADECK_HOME"] = str(folder / "disk" / "home")
    start_zygote()
    random = Random(given.seed)  # noqa: S311 (repeatable on purpose)
    ground = Ground(folder, Home.locate().prepare(), random)
    driver = Driver(
        ground,
        model=make_tiny_llama(folder / "tiny"),
        faults=given.faults,
        tasks=given.tasks,
        seconds=given.seconds,
        kinds=kinds,
        epochs=given.epochs,
        gap=given.gap,
        quick=given.quick,
    )
    began = time.monotonic()
    try:
        driver.run()
    finally:
        _tell(driver, given.seed, time.monotonic() - began, verbose=given.verbose)
    if ground.violations:
        shutil.copytree(ground.home.root, folder / "home", ignore=_no_sockets)
        print(f"The home is kept: {folder / 'home'}")  # noqa: T201
        return 1
    subprocess.run(["umount", folder / "disk"], capture_output=True, check=False)
    shutil.rmtree(folder)
    return 0


def _possible(kinds: list[str], disk: Path) -> list[str]:
    """Mount a small file system for the home; say which fault cannot be injected without."""
    disk.mkdir()
    if FILL_DISK not in kinds or not (reason := mount_small(disk)):
        return kinds
    print(f"{FILL_DISK} cannot be injected: {reason}")  # noqa: T201
    return [kind for kind in kinds if kind != FILL_DISK]


def _no_sockets(folder: str, names: list[str]) -> list[str]:
    """Name what is no file that could be copied."""
    return [name for name in names if (Path(folder) / name).is_socket()]


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


def _tell(driver: Driver, seed: int, seconds: float, *, verbose: bool) -> None:
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


if __name__ == "__main__":
    sys.exit(main())
