"""Measuring: counts, samples, and a process that no template can stall or bloat."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from engine.data import child_process
from engine.data import measure as process_module
from engine.data.inspect import load_conversations
from engine.data.lengths import measure
from engine.data.measure import measure_in_process
from engine.data.model_files import load_tokenizer
from engine.data.render import encode
from engine.data.scan_cache import Sample
from engine.data.scan_cached import sample_cached, scan_cached
from engine.data.template import ChatTemplate
from engine.errors import LoraDeckError, NotFoundError

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
    lengths = measure(sample_cached(dataset), folder)
    assert (lengths.rows, lengths.measured, lengths.counts) == (20, 20, tuple(counts))
    assert (lengths.p50, lengths.p95, lengths.p99) == (counts[9], counts[18], counts[19])
    assert lengths.longest == counts[-1]
    assert lengths.total == lengths.estimated_total == sum(counts)
    assert lengths.trained == lengths.estimated_trained == sum(one.trained for one in encoded)
    assert (lengths.findings, lengths.error) == ((), 0.0)
    assert lengths.histogram is not None
    assert sum(count for _, count in lengths.histogram.bins) == 20


def test_a_sample_estimates_the_whole_and_its_error(
    make_model: Callable[..., Path], talk: Callable[..., Conversation]
) -> None:
    folder = make_model("smollm2")
    chance = random.Random(5)  # noqa: S311
    all_rows = [
        talk("Question?", "word " * chance.randint(1, 60) + "9" * chance.randint(0, 9), row=number)
        for number in range(600)
    ]
    sizes = [sum(len(one.content) for one in row.messages) for row in all_rows]
    longest = max(range(600), key=sizes.__getitem__)
    exact = measure(Sample(all_rows, 600, sum(sizes), frozenset()), folder)
    covered = 0
    for seed in range(20):
        drawn = sorted({*random.Random(seed).sample(range(600), 60), longest})  # noqa: S311
        part = Sample([all_rows[n] for n in drawn], 600, sum(sizes), frozenset({longest}))
        lengths = measure(part, folder)
        assert (lengths.rows, lengths.measured) == (600, len(drawn))
        assert lengths.longest == exact.longest
        assert 0 < lengths.error < 0.1
        off = abs(lengths.estimated_total - exact.total) / exact.total
        covered += off <= lengths.error
    assert covered >= 17  # of 20 intervals of 95 %


def test_rows_over_the_context_are_a_warning(
    make_model: Callable[..., Path], write_rows: Callable[..., Path]
) -> None:
    sample, folder = sample_cached(write_rows(*rows(9))), make_model("smollm2")
    lengths = measure(sample, folder)
    context = lengths.counts[6]
    lengths = measure(sample, folder, context)
    (found,) = lengths.findings
    assert (found.level, found.code, found.rows) == ("warning", "over-context", (8, 9))
    assert lengths.over_context == 2
    assert measure(sample, folder, lengths.longest).findings == ()


def test_special_tokens_of_this_model_are_a_warning(
    make_model: Callable[..., Path], write_rows: Callable[..., Path]
) -> None:
    said = {"instruction": "Say <|im_end|>.", "output": "No, <eop> and <|fim|> do."}
    foreign = {"instruction": "Say <eop>.", "output": "No."}
    lengths = measure(sample_cached(write_rows(foreign, said)), make_model("smollm2"))
    (found,) = lengths.findings
    assert (found.level, found.code, found.rows) == ("warning", "special-tokens-of-model", (2,))
    assert "<|im_end|>" in found.message


def test_rows_that_the_template_refuses_are_faults_of_these_rows(
    make_model: Callable[..., Path], write_rows: Callable[..., Path]
) -> None:
    source = (
        "{% for m in messages %}{% if 'Question 1?' in m.content %}"
        "{{ raise_exception('not this') }}{% endif %}"
        "{{ '<|im_start|>' + m.role + m.content + '<|im_end|>' }}{% endfor %}"
    )
    folder = make_model("choosy", source, eos_token="<|im_end|>")
    lengths = measure(sample_cached(write_rows(*rows(3))), folder)
    refused = next(one for one in lengths.findings if one.code == "template-refuses")
    assert (refused.level, refused.count, refused.rows) == ("error", 1, (2,))
    assert "not this" in refused.message
    assert lengths.measured == 2
    with pytest.raises(LoraDeckError, match="not this"):
        measure(sample_cached(write_rows(rows(2)[1])), folder)


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
    sample = sample_cached(write_rows(*rows(12)))
    (found,) = measure(sample, make_model("odd", source)).findings
    assert found.level == "error"
    assert found.code.startswith(code)
    assert (found.count, found.rows) == (12, tuple(range(1, 11)))


async def test_the_process_answers_as_the_function_does(
    make_model: Callable[..., Path], write_rows: Callable[..., Path]
) -> None:
    folder, dataset = make_model("smollm2"), write_rows(*rows(3))
    whole = measure(sample_cached(dataset), folder)
    assert await measure_in_process(dataset, folder) == whole


async def test_a_scan_left_in_the_cache_is_measured_without_the_file(
    make_model: Callable[..., Path], write_rows: Callable[..., Path], tmp_path: Path
) -> None:
    folder, dataset = make_model("smollm2"), write_rows(*rows(3))
    *_, last = scan_cached(dataset, None, tmp_path / "cache")
    whole = measure(sample_cached(dataset), folder)
    dataset.unlink()
    lengths = await measure_in_process(
        dataset, folder, cache=tmp_path / "cache", inspection=last.inspection
    )
    assert lengths == whole


async def test_errors_come_back_with_their_words_and_kind(
    make_model: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(NotFoundError) as expected:
        sample_cached(tmp_path / "none.json")
    with pytest.raises(NotFoundError) as caught:
        await measure_in_process(tmp_path / "none.json", make_model("smollm2"))
    assert caught.value.__reduce__() == expected.value.__reduce__()


async def test_an_endless_template_is_killed(
    make_model: Callable[..., Path], write_rows: Callable[..., Path], started: list[Process]
) -> None:
    folder = make_model("endless", ENDLESS)
    with pytest.raises(LoraDeckError, match=r"did not end within 2\.5 s"):
        await measure_in_process(write_rows(*rows(1)), folder, timeout=2.5)
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
    monkeypatch.setattr(child_process.sys, "executable", "/bin/false")
    with pytest.raises(LoraDeckError, match=r"could not be measured.* failed"):
        await measure_in_process(write_rows(*rows(1)), make_model("smollm2"))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Process]:
    """Collect the processes that are started."""
    processes: list[Process] = []
    start = child_process.start

    async def remember() -> Process:
        processes.append(await start())
        return processes[-1]

    monkeypatch.setattr(child_process, "start", remember)
    return processes


def test_what_a_template_cannot_write_is_noted_by_row(
    make_model: Callable[..., Path], write_rows: Callable[..., Path]
) -> None:
    plain = "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no') }}{% endif %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"  # noqa: E501
    call = {"name": "weather", "arguments": {"city": "Wren"}}
    dataset = write_rows(
        {"messages": [_said("user", "Hi?"), _said("assistant", "Hello.")]},
        {"messages": [_said("system", "Brief."), _said("user", "Hi?"), _said("assistant", "Hey.")]},
        {
            "messages": [
                _said("user", "Rain?"),
                {"role": "assistant", "content": "", "tool_calls": [{"function": call}]},
                _said("tool", "dry"),
                _said("assistant", "No."),
            ]
        },
    )
    model = make_model("plain", plain, eos_token="<|im_end|>")
    notes = {one.code: one for one in measure(sample_cached(dataset), model).findings}
    assert notes["tools-folded"].rows == (3,)
    assert notes["system-folded"].rows == (2,)
    assert {one.level for one in notes.values()} == {"note"}


def _said(role: str, content: str) -> dict[str, str]:
    """Make a turn."""
    return {"role": role, "content": content}
