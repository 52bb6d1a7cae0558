"""How long large and hostile datasets take to inspect, and how much memory.

    .venv/bin/python benchmarks/datasets.py [--rows 1000000] [--runs 3]

Makes a JSONL of 1 GB (a million rows of varied text in six languages, some with faults, some
repeated), a Parquet that expands to gigabytes, a line of 200 MB, a JSON nested 100,000 deep and a
gzip bomb in a temporary folder; inspects each as the engine server does, in a process of its own;
prints seconds to the first findings and to the end, and the peak memory of both processes.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import aclosing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.data.scan_process import inspect_in_process
from engine.errors import LoraDeckError

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 1_000_000
RUNS = 3
ROW_BYTES = 1_000
WORDS = {
    "en": "the model reads a question and writes an answer that people find helpful and true",
    "de": "das Modell liest eine Frage und schreibt eine Antwort die für Menschen nützlich wäre",
    "fr": "le modèle lit une question et écrit une réponse utile aux gens à côté de la forêt",
    "es": "el modelo lee una pregunta y escribe una respuesta útil para la gente según año",
    "ru": "модель читает вопрос и пишет ответ который полезен людям и верен во всём",
    "zh": "模型 读取 一个 问题 然后 写出 对 人们 有用 而且 正确 的 回答 。 请 详细 说明",
}
SHARES = (70, 6, 6, 6, 6, 6)


@dataclass(frozen=True)
class Look:
    """One inspection."""

    first: float
    """Seconds until there were findings, or the file was refused."""
    seconds: float
    peak: float
    """Bytes of the scanning process."""
    cpu: float
    """Seconds of processor time of the scanning process, hashing included."""
    asking: float
    """Bytes of the process that asked."""
    words: str


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--only", default="", help="a file's name")
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--look", type=Path, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.look:
        print(json.dumps(asdict(asyncio.run(_look(*options.look)))))
        return
    if options.make:
        FILES[options.make.name](options.make, options.rows)
        return
    print(
        f"{'file':14} {'MB':>7} {'first s':>8} {'s':>14} {'cpu s':>6} {'again s':>8} "
        f"{'peak MB':>8} {'asking':>7}  result"
    )
    with tempfile.TemporaryDirectory(prefix="loradeck-") as folder:
        for name in FILES:
            if options.only in name:
                _measure(Path(folder) / name, options.rows, options.runs)


def _measure(path: Path, rows: int, runs: int) -> None:
    """Make a file, inspect it anew some times and once more from the cache, and remove it.

    Another process makes it: what that takes would count as its children's peak here.
    """
    command = [sys.executable, __file__, "--make", str(path), "--rows", str(rows)]
    subprocess.run(command, check=True)
    size = path.stat().st_size / 1e6
    looks = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory(dir=path.parent) as cache:
            # Times of a file that was just written are not relied on
            time.sleep(2.1)
            looks.append(_look_apart(path, cache))
            again = _look_apart(path, cache).seconds
    seconds = [look.seconds for look in looks]
    spread = f"{statistics.median(seconds):.1f} ({min(seconds):.1f}-{max(seconds):.1f})"
    first = statistics.median(look.first for look in looks)
    cpu = statistics.median(look.cpu for look in looks)
    peak, asking = (
        max(values) / 1e6 for values in zip(*((a.peak, a.asking) for a in looks), strict=True)
    )
    print(
        f"{path.name:14} {size:7.1f} {first:8.2f} {spread:>14} {cpu:6.1f} {again:8.2f} {peak:8.0f} "
        f"{asking:7.0f}  {looks[-1].words}",
        flush=True,
    )
    path.unlink()


def _look_apart(path: Path, cache: str) -> Look:
    """Inspect in a fresh process, so that peaks are of this look alone."""
    command = [sys.executable, __file__, "--look", str(path), cache]
    run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Look(**json.loads(run.stdout))


async def _look(path: Path, cache: Path) -> Look:
    """Inspect once."""
    began, first, words = time.monotonic(), 0.0, ""
    try:
        async with aclosing(inspect_in_process(cache, path)) as steps:
            async for step in steps:
                if step.findings and not first:
                    first = time.monotonic() - began
                if step.inspection is not None:
                    words = f"{step.rows:,} rows, {step.inspection.faulty:,} faulty: " + ", ".join(
                        f"{one.code} {one.count:,}" for one in step.findings
                    )
    except LoraDeckError as error:
        words = f"{error.title}: {error.message.rpartition('/')[2]}"
    seconds = time.monotonic() - began
    child, own = (
        resource.getrusage(whose).ru_maxrss * 1024.0
        for whose in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)
    )
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime
    return Look(first or seconds, seconds, child, cpu, own, words)


def _large(path: Path, rows: int) -> None:
    """Write rows of about a thousand bytes: a hundredth repeated, a few hundred with faults."""
    chance = random.Random(3)  # noqa: S311 - no secret
    languages = [one for one, share in zip(WORDS, SHARES, strict=True) for _ in range(share)]
    phrases = {one: _phrases(words.split(), chance) for one, words in WORDS.items()}
    earlier = ""
    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            if number % 100 == 50:
                file.write(earlier)
                continue
            earlier = _row(number, phrases[chance.choice(languages)], chance)
            file.write(earlier)


def _phrases(words: list[str], chance: random.Random) -> list[str]:
    """Make sentences to choose from."""
    return [" ".join(chance.choices(words, k=12)).capitalize() + "." for _ in range(500)]


def _row(number: int, phrases: list[str], chance: random.Random) -> str:
    """Write one row."""
    length = max(80, chance.gauss(ROW_BYTES - 130, 250))
    answer, size = [], 0
    while size < length:
        answer.append(chance.choice(phrases))
        size += len(answer[-1].encode()) + 1
    text = " ".join(answer)
    if number % 5000 == 7:
        text = ""
    elif number % 1000 == 3:
        text = text.replace(" ", " <|im_end|> ", 1)
    elif number % 1000 == 5:
        text += " \x1b[31m"
    question = f"{number}: {chance.choice(phrases)}"
    return json.dumps({"instruction": question, "output": text}, ensure_ascii=False) + "\n"


def _parquet_bomb(path: Path, _: int) -> None:
    """Write a Parquet of a few kilobytes that expands to gigabytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    count = 4000
    indices = pa.array([0] * count, pa.int32())
    texts = pa.DictionaryArray.from_arrays(indices, pa.array(["x" * 1_000_000]))
    pq.write_table(pa.table({"instruction": texts, "output": texts}), path, compression="zstd")


def _long_line(path: Path, _: int) -> None:
    """Write one row of 200 MB."""
    with path.open("w") as file:
        file.write('{"instruction": "a", "output": "')
        for _ in range(200):
            file.write("y" * 1_000_000)
        file.write('"}\n')


def _gzip_bomb(path: Path, _: int) -> None:
    """Write 4 GB of one endless line, packed to 4 MB."""
    with gzip.open(path, "wb", compresslevel=6) as file:
        file.write(b'{"instruction": "a", "output": "')
        for _ in range(4000):
            file.write(b"z" * 1_000_000)


def _gzip_rows(path: Path, _: int) -> None:
    """Write a JSON array of two million equal rows, packed."""
    row = b'{"instruction": "What is it?", "output": "It is the same answer again and again."},\n'
    with gzip.open(path, "wb", compresslevel=6) as file:
        file.write(b"[")
        for _ in range(2000):
            file.write(row * 1000)
        file.write(row.rstrip(b",\n") + b"]")


def _deep_json(path: Path, _: int) -> None:
    """Write lists within lists."""
    path.write_text("[" * 100_000 + "]" * 100_000)


def _deep_jsonl(path: Path, _: int) -> None:
    """Write a line of objects within objects."""
    path.write_text('{"a":' * 100_000 + "1" + "}" * 100_000)


FILES: dict[str, Callable[[Path, int], None]] = {
    "large.jsonl": _large,
    "bomb.parquet": _parquet_bomb,
    "line.jsonl": _long_line,
    "deep.json": _deep_json,
    "deep.jsonl": _deep_jsonl,
    "bomb.jsonl.gz": _gzip_bomb,
    "rows.json.gz": _gzip_rows,
}


if __name__ == "__main__":
    main()
