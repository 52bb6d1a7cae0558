"""Measuring: counts, samples, and a process that no template can stall or bloat."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from engine.data import measure as process_module
from engine.data.inspect import load_conversations
from engine.data.lengths import measure, sample
from engine.data.measure import measure_in_process
from engine.data.model_files import load_tokenizer
from engine.data.render import encode
from engine.data.template import ChatTemplate
from engine.errors import LoraDeckError

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Callable
    from pathlib import Path

    from engine.data.types import Conversation

ENDLESS = (
    "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}"
    "{% endfor %}{% endfor %}{% endfor %}"
)
GREEDY = (
    "{% set ns = namespace(text='x' * 1000000) %}"
    "{% for a in range(20) %}{% set ns.text = ns.text ~ ns.text %}{% endfor %}{{ ns.text }}"
)


def rows(count: int) -> list[dict[str, str]]:
    return [
        {"instruction": f"Question {number}?", "output": "word " * (number + 1)}
        for number in range(count)
    ]


def test_counts_are_those_of_the_encoded_rows(
    make_model: Callable[..., Path], write_rows: Callable[..., Path]
) -> None:
    folder, dataset = make_model("smollm2"), write_rows(*rows(20))
    template, tokenizer = ChatTemplate.load(folder), load_tokenizer(folder)
    encoded = [encode(one, template, tokenizer) for one in load_conversations(dataset)]
    counts = sorted(len(one.input_ids) for one in encoded)
    lengths = measure(dataset, folder)
    assert (lengths.rows, lengths.measured, lengths.counts) == (20, 20, tuple(counts))
    assert (lengths.p50, lengths.p95, lengths.p99) == (counts[9], counts[18], counts[19])
    assert lengths.longest == counts[-1]
    assert lengths.total == sum(counts)
    assert lengths.trained == sum(one.trained for one in encoded)
    assert lengths.findings == ()


def test_rows_are_sampled_evenly_and_the_longest_is_among_them(
    talk: Callable[..., Conversation],
) -> None:
    conversations = [talk("a", "b" * (500 if n == 37 else 1), row=n) for n in range(100)]
    taken = [one.row for one in sample(conversations, 10, 1_000_000)]
    assert taken == [0, 10, 20, 30, 37, 40, 50, 60, 70, 80, 90]
    by_size = sample(conversations, 1000, 70)
    assert len(by_size) == 11
    assert by_size == sample(conversations, 1000, 70)
    assert len(sample(conversations, 1000, 1)) == 2
    assert sample(conversations, 100, 10_000) == conversations


def test_a_sample_says_so(make_model: Callable[..., Path], write_rows: Callable[..., Path]) -> None:
    lengths = measure(write_rows(*rows(30)), make_model("smollm2"), limit_rows=5)
    assert (lengths.rows, lengths.measured, len(lengths.counts)) == (30, 6, 6)


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("{% for m in messages if m.role == 'user' %}{{ m.content }}{% endfor %}", "no-trained-"),
        ("{% for m in messages %}{{ m.role + m.content + '\n' }}{% endfor %}", "end-not-trained"),
    ],
)
def test_rows_that_teach_nothing_are_error_findings(
    make_model: Callable[..., Path], write_rows: Callable[..., Path], source: str, code: str
) -> None:
    (found,) = measure(write_rows(*rows(12)), make_model("odd", source)).findings
    assert found.level == "error"
    assert found.code.startswith(code)
    assert (found.count, found.rows) == (12, tuple(range(1, 11)))


async def test_the_process_answers_as_the_function_does(
    make_model: Callable[..., Path], write_rows: Callable[..., Path]
) -> None:
    folder, dataset = make_model("smollm2"), write_rows(*rows(3))
    assert await measure_in_process(dataset, folder) == measure(dataset, folder)


async def test_errors_come_back_with_their_words(
    make_model: Callable[..., Path], write_rows: Callable[..., Path]
) -> None:
    dataset = write_rows(*rows(1), {"instruction": "a"})
    folder = make_model("smollm2")
    with pytest.raises(LoraDeckError) as expected:
        measure(dataset, folder)
    with pytest.raises(LoraDeckError) as caught:
        await measure_in_process(dataset, folder)
    assert caught.value.__reduce__() == expected.value.__reduce__()


async def test_an_endless_template_is_killed(
    make_model: Callable[..., Path], write_rows: Callable[..., Path], started: list[Process]
) -> None:
    folder = make_model("endless", ENDLESS)
    with pytest.raises(LoraDeckError, match=r"did not end within 0\.8 s"):
        await measure_in_process(write_rows(*rows(1)), folder, timeout=0.8)
    assert started[0].returncode == -9


async def test_a_cancelled_measuring_leaves_no_process(
    make_model: Callable[..., Path], write_rows: Callable[..., Path], started: list[Process]
) -> None:
    folder = make_model("endless", ENDLESS)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await measure_in_process(write_rows(*rows(1)), folder)
    assert started[0].returncode == -9


async def test_a_greedy_template_meets_the_memory_limit(
    make_model: Callable[..., Path],
    write_rows: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = make_model("greedy", GREEDY)
    monkeypatch.setattr(process_module, "_MEMORY", 400_000_000)
    with pytest.raises(LoraDeckError, match=r"Row 1: .* too much memory"):
        await measure_in_process(write_rows(*rows(1)), folder)


async def test_a_process_that_dies_is_explained(
    make_model: Callable[..., Path],
    write_rows: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process_module.sys, "executable", "/bin/false")
    with pytest.raises(LoraDeckError, match=r"could not be measured.* failed"):
        await measure_in_process(write_rows(*rows(1)), make_model("smollm2"))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Process]:
    """Collect the processes that are started."""
    processes: list[Process] = []
    start = process_module._start

    async def remember() -> Process:
        processes.append(await start())
        return processes[-1]

    monkeypatch.setattr(process_module, "_start", remember)
    return processes
