"""What is written and how, without an app."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.text import Text

from engine.data.checks.words import WORDS
from engine.data.faults import FAULTS
from engine.tasks.events import (
    BestKept,
    Event,
    MemoryProbed,
    MicroBatchHalved,
    ReportFailed,
    ReportMade,
    RolledBack,
    SampleAnswered,
    StoppedEarly,
    StopTested,
)
from engine.tasks.record import check_task_name
from engine.text import human_left
from screens import finding_codes
from screens.draft import pasted_path, suggested_name
from screens.event_lines import event_line
from screens.finding_codes import code_words
from screens.format import (
    bar,
    finish_words,
    fitted,
    moment_words,
    one_line,
    rate_words,
    sparkline,
    two_sided,
)
from tests.tui.fake_engine import NOW, training_events
from tui.cli.event_text import describe


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/data/a.json", "/data/a.json"),
        ("  '/data/my rows.json'\n", "/data/my rows.json"),
        ('"/data/my rows.json"', "/data/my rows.json"),
        ("file:///data/my%20rows.json", "/data/my rows.json"),
        ("file://host/data/a%231.json", "/data/a#1.json"),
        ("file://[::1/data/a.json", "/data/a.json"),
        (r"/data/my\ rows\(1\).json", "/data/my rows(1).json"),
        ("~/rows.jsonl", str(Path.home() / "rows.jsonl")),
        ("", None),
        ("What a nice day", None),
    ],
)
def test_a_pasted_path_is_made_plain(text: str, path: str | None) -> None:
    assert pasted_path(text) == path


def test_a_relative_path_is_taken_from_the_working_folder() -> None:
    assert pasted_path("mine.jsonl") == str(Path.cwd() / "mine.jsonl")


@pytest.mark.parametrize(
    ("dataset", "model", "taken", "name"),
    [
        ("/x/alpaca_example.json", "demo", (), "alpaca_example-demo"),
        ("/x/a.json", "org/Model-1B", (), "a-Model-1B"),
        ("/x/a.json", "demo", ("a-demo", "a-demo-2"), "a-demo-3"),
        ("/x/.json.json", "/models/x/", (), "json-x"),
        ("/x/客服.json", "demo", (), "客服-demo"),
    ],
)
def test_a_name_is_suggested(dataset: str, model: str, taken: tuple[str, ...], name: str) -> None:
    assert suggested_name(dataset, model, taken) == name


@pytest.mark.parametrize("stem", ["长" * 90, "a" * 300, "x\x1b[31my", "a:b\\c", "   "])
def test_a_suggested_name_can_be_used(stem: str) -> None:
    name = suggested_name(f"/x/{stem}.json", "demo", ())
    taken = suggested_name(f"/x/{stem}.json", "demo", (name,))
    assert check_task_name(name) == name
    assert check_task_name(taken) == taken != name


def test_lines_are_of_exact_width_with_wide_characters() -> None:
    for width in range(1, 40):
        assert cell_len(fitted("客服机器人 and more", width)) == width
        line = two_sided(Text("客服机器人-" * 3), Text("loss 1.0"), width + 9)
        assert line.cell_len == width + 9


def test_control_characters_cannot_reach_the_terminal() -> None:
    assert one_line("a\x1b]52;c;x\x07b\nc") == "a␛]52;c;x␇b c"


def test_figures_are_brief() -> None:
    assert [rate_words(rate) for rate in (2e-4, 1.3e-5, 0.1)] == ["2e-4", "1.3e-5", "1e-1"]
    assert moment_words(NOW - timedelta(hours=1), NOW) == "14:30"
    assert moment_words(NOW - timedelta(days=1), NOW) == "23 Nov"
    assert moment_words(NOW - timedelta(days=400), NOW) == "2025-10"


def test_bar_and_sparkline_fit() -> None:
    assert bar(0.5, 10, "", "").plain == "━━━━━─────"
    assert bar(1.7, 4, "", "").plain == "━━━━"
    assert sparkline([3, float("nan"), 2, 1], 10) == "█▅▁"
    assert len(sparkline(range(100), 8)) == 8
    assert sparkline([1.0], 10) == sparkline([1, 2], 0) == ""


def test_every_event_has_words() -> None:
    lines = [event_line(event, NOW.tzinfo) for event in training_events(6, completed=True)]
    assert lines[0] == "15:20:03  started on CPU, 2 cores"
    assert lines[3].endswith("longest batch: 1.2 GB, predicted 1.2 GB")
    assert "step  1/24  loss 2.638" in lines[5]
    assert lines[-1].endswith("completed in 2 min 28 s")


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (MemoryProbed(tokens=9, trained=4, predicted=2 * 10**9, measured=2_100_000_000, fixed=0,
                      free=0),
         "longest batch: 2.1 GB, predicted 2.0 GB"),
        (MicroBatchHalved(step=7, tokens=1024),
         "memory ran out at step 7: from now on at most 1,024 tokens at once, the same rows a"
         " step"),
        (RolledBack(step=12, to_step=10, row=7, learning_rate=1e-4),
         "the loss was no number at step 12 because of row 7: back to step 10, learning rate"
         " 1e-4"),
        (RolledBack(step=12, to_step=0, row=0, learning_rate=1e-4),
         "the loss was no number at step 12: back to step 0, learning rate 1e-4"),
        (StoppedEarly(step=40, asked=True), "finished early at step 40"),
        (StoppedEarly(step=40), "stopped at step 40: the held-out loss got no better"),
        (BestKept(step=30, eval_loss=0.8125),
         "kept the checkpoint of step 30, held-out loss 0.812, the lowest"),
        (StopTested(asked=24, ended=24, limit=256), "24 of 24 answers end by themselves"),
        (StopTested(asked=24, ended=19, limit=256),
         "warning: the adapter does not always end its answers: 19 of 24 ended within 256"
         " tokens"),
        (SampleAnswered(step=10, epoch=1.0, question="Who?", answer="Ada\nMorrow."),
         "answer at step 10: Ada Morrow"),
        (ReportMade(judged_on="held-out", base_loss=2.5, adapter_loss=1.25, advice="All is well."),
         "report: loss on held-out rows 2.500 → 1.250, base → adapter; All is well"),
        (ReportFailed(reason="No room."),
         "no report could be made: No room; the adapter is saved"),
    ],
)  # fmt: skip
def test_what_a_run_did_to_keep_to_its_plan_is_said(event: Event, words: str) -> None:
    assert event_line(event, NOW.tzinfo).endswith(f"  {words}")
    assert describe(event) == f"{words[0].upper()}{words[1:]}."


@pytest.mark.parametrize(
    ("seconds", "bounds", "words"),
    [
        (750, None, "12 min 30 s left"),
        (730, (660, 840), "12 min left (11–14)"),
        (41, (38.4, 44), "41 s left (38–44)"),
        (9000, (7600, 10_000), "2.5 h left (2.1–2.8)"),
        (600, (598, 603), "10 min left"),
        (0.2, (0.1, 0.4), "0 s left"),
    ],
)
def test_time_left_has_its_spread(
    seconds: float, bounds: tuple[float, float] | None, words: str
) -> None:
    assert human_left(seconds, bounds) == words


def test_a_finish_on_another_day_says_which() -> None:
    moments = [NOW + timedelta(hours=hours) for hours in (1, 12, 24 * 9)]
    assert [finish_words(moment, NOW) for moment in moments] == ["16:30", "Wed 03:30", "3 Dec"]


def test_every_kind_of_finding_that_a_row_can_bear_has_words() -> None:
    codes = {*FAULTS, *WORDS, "too-deep", "too-large"}
    assert {code_words(code) for code in codes} == finding_codes.WORDS
