"""Run the fuzzer for long: ``python -m tests.fuzz --files 20000 --seed 1``.

Two processes share the files, or with ``--homes`` the homes with damaged stores and journals. One
that goes wrong is named by its number: run it alone with ``--only NUMBER``, which also keeps it.
"""

from __future__ import annotations

import argparse
import faulthandler
import logging
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

from engine.home import Home
from tests.fuzz.attempt import LONGEST, WAITED, attempt
from tests.fuzz.files import make_file
from tests.fuzz.home_attempt import attempt_home
from tests.fuzz.homes import make_home

_PROCESSES = 2


def main() -> int:
    """Run what the arguments say; the exit status is 1 where anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--homes", action="store_true")
    parser.add_argument("--only", type=int)
    parser.add_argument("--range", type=int, nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only is not None:
        return _only(given.seed, given.only, homes=given.homes)
    if given.range:
        return _run_range(given.seed, *given.range, homes=given.homes)
    return _run_all(given.seed, given.files, homes=given.homes)


def _only(seed: int, index: int, *, homes: bool) -> int:
    """Run one, and keep it as it was made."""
    kept, random = Path(tempfile.mkdtemp(prefix="fuzz-")), Random(f"{seed}/{index}")  # noqa: S311
    if homes:
        make_home(Home(kept).prepare(), random)
    else:
        name, data = make_file(random)
        (kept / name).write_bytes(data)
    print(kept)  # noqa: T201
    with tempfile.TemporaryDirectory() as folder:
        print(*(attempt_home if homes else attempt)(Path(folder), seed, index))  # noqa: T201
    return 0


def _run_range(seed: int, first: int, last: int, *, homes: bool) -> int:
    """Run some in this process, a line for each."""
    logging.disable()
    try_one = attempt_home if homes else attempt
    with tempfile.TemporaryDirectory() as folder:
        for index in range(first, last):
            print("begin", index, flush=True)  # noqa: T201
            faulthandler.dump_traceback_later(2 * WAITED * LONGEST, exit=True)
            try:
                outcome, _ = try_one(Path(folder), seed, index)
            except Exception:  # noqa: BLE001 (what comes here is what is looked for)
                print("wrong", index, repr(traceback.format_exc(limit=-6)), flush=True)  # noqa: T201
            else:
                print(outcome, flush=True)  # noqa: T201
        faulthandler.cancel_dump_traceback_later()
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="ignore").splitlines()
    print(*(line for line in lines if line.startswith("VmHWM")))  # noqa: T201
    return 0


def _run_all(seed: int, files: int, *, homes: bool) -> int:
    """Share them among processes; a process that dies goes on behind the one it died of."""
    began, counts, wrong = time.monotonic(), Counter[str](), list[str]()

    def share(part: int) -> None:
        index, last = files * part // _PROCESSES, files * (part + 1) // _PROCESSES
        while index < last:
            words = [sys.executable, "-m", "tests.fuzz", "--seed", str(seed)]
            words += ["--range", str(index), str(last), *["--homes"] * homes]
            with subprocess.Popen(
                words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            ) as process:
                for line in process.stdout or ():
                    word, _, rest = line.strip().partition(" ")
                    counts[word] += 1
                    if word == "begin":
                        index = int(rest) + 1
                    elif word == "wrong":
                        wrong.append(rest)
                    elif word.startswith("VmHWM"):
                        print("peak memory", rest.strip())  # noqa: T201
                ending = (process.stderr.read() if process.stderr else "")[-1500:]
            if process.returncode:
                wrong.append(f"{index - 1} ended the process ({process.returncode}): {ending}")

    with ThreadPoolExecutor(_PROCESSES) as pool:
        list(pool.map(share, range(_PROCESSES)))
    for line in wrong[:40]:
        print(line)  # noqa: T201
    print(  # noqa: T201
        f"{counts['begin']} {'homes' if homes else 'files'}: {counts['read']} read, "
        f"{counts['refused']} refused, {len(wrong)} went wrong, {time.monotonic() - began:.0f} s"
    )
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
