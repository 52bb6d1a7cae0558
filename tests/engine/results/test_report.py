"""What the curves, the answers and the scores tell, and how it is written down."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt

from engine.errors import LoraDeckError, NotFoundError
from engine.language import speaking
from engine.results.prompts import Prompt
from engine.results.report.advice import advise
from engine.results.report.chart import draw_losses
from engine.results.report.curves import (
    SAMPLE,
    eval_curve,
    lowest,
    overfitting,
    samples,
    smoothed,
    train_curve,
)
from engine.results.report.files import load_report, report_of, save_report
from engine.results.report.likeness import chrf, is_same, is_short
from engine.results.report.markdown import report_text
from engine.results.report.types import FILE, JudgedAnswer, Point, Report, Scores
from engine.tasks.record import Status, TaskRecord
from engine.train.sampling import SHARE, Allowance
from tests.loud import let_chinese_be_loud

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engine.home import Home


def _points(*losses: float, every: int = 1) -> tuple[Point, ...]:
    """Make a curve."""
    return tuple(Point(step=every * n, loss=loss) for n, loss in enumerate(losses, 1))


def make_report(**changes: object) -> Report:
    """Make the report of a sound run."""
    made = {
        "task_id": "t1",
        "task_name": "bot",
        "base_model": "demo",
        "created_at": 0.0,
        "seconds": 61.0,
        "judged_on": "held-out",
        "judged_rows": 8,
        "base": Scores(loss=3.0, perplexity=20.1, token_accuracy=0.25),
        "adapter": Scores(loss=1.0, perplexity=2.7, token_accuracy=0.75),
        "answers": (),
        "base_chrf": None,
        "adapter_chrf": None,
        "exact_of": 0,
        "base_exact": 0,
        "adapter_exact": 0,
        "ended": 4,
        "asked": 4,
        "steps": 40,
        "best_step": 40,
        "train_curve": _points(3.0, 2.0, 1.0),
        "eval_curve": (),
        "overfitting": "none",
        "advice": "",
        "training_params": {"learning_rate": 2e-4, "seed": 42},
        "dataset_file": "/data/rows.jsonl",
        "dataset_type": "alpaca",
        "dataset_sha256": "ab" * 32,
        "dataset_rows": 40,
        "device": "CPU",
        "peak_memory": 10**9,
        "versions": {"torch": "2"},
    }
    return Report.model_validate({**made, **changes})


@pytest.mark.parametrize(
    ("train", "held_out", "found"),
    [
        ([3, 2, 1], [], "unknown"),
        ([3, 2, 1], [2.0], "unknown"),
        ([3.0, 2.5, 2.0, 1.8], [3.0, 2.5, 2.2, 2.0], "none"),
        ([3.0, 2.5, 2.0, 1.8], [3.0, 2.0, 2.02, 2.01], "none"),  # it stays where it was
        ([3.0, 2.5, 2.0, 1.8], [3.0, 2.0, 2.05, 2.1], "slight"),
        ([3.0, 2.0, 1.0, 0.9], [3.0, 2.0, 2.4, 2.6], "strong"),
        ([2.0, 2.5, 3.0, 3.5], [2.0, 2.5, 3.0, 3.6], "none"),  # both rise: the rate is too high
        ([0.1, 0.1, 0.1, 0.1], [3.0, 2.5, 2.2, 2.0], "slight"),  # known by heart
    ],
)
def test_overfitting_shows_in_the_curves(
    train: Sequence[float], held_out: Sequence[float], found: str
) -> None:
    assert overfitting(_points(*train), _points(*held_out)) == found


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Nothing in the curves"),
        ({"adapter": Scores(loss=2.99, perplexity=20, token_accuracy=0.2)},
         "It has hardly learned: raise the learning rate (now 0.0002)"),
        ({"adapter": Scores(loss=3.5, perplexity=33, token_accuracy=0.2)},
         "no better than its base: lower the learning rate"),
        ({"ended": 1}, "3 of 4 answers did not end by themselves"),
        ({"eval_curve": _points(3.0, 2.0, 2.6, every=10), "overfitting": "strong"},
         "The held-out loss rose from 2.000 at step 20, which was kept, to 2.600 at step 30: the"
         " rows were learned by heart."),
        ({"eval_curve": _points(3.0, 2.0, 2.6, every=10)}, "; a lower learning rate (now 0.0002)"),
        ({"eval_curve": _points(3.0, 2.0, 2.01), "overfitting": "slight"}, "smaller lora_rank"),
        ({"adapter": Scores(loss=3.5, perplexity=33, token_accuracy=0.2), "judged_on": "training"},
         "even its own rows no better than its base: lower the learning rate"),
        ({"eval_curve": _points(3.0, 2.0), "overfitting": "slight"}, "smaller lora_rank"),
        ({"eval_curve": _points(3.0, 2.0)}, "still fell at the end: more epochs"),
        ({"judged_on": "training"}, "No rows were held out"),
    ],
)  # fmt: skip
def test_advice_says_what_to_do_next(changes: dict[str, object], words: str) -> None:
    assert words in advise(make_report(**changes))


def test_advice_keeps_to_the_two_gravest() -> None:
    said = advise(
        make_report(
            adapter=Scores(loss=2.99, perplexity=20, token_accuracy=0.2),
            ended=0,
            judged_on="training",
        )
    )
    assert "hardly learned" in said
    assert "did not end" in said
    assert "held out" not in said


def test_curves_are_taken_from_the_history_and_thinned() -> None:
    history = [{"loss": float(n), "step": n, "epoch": n / 10} for n in range(1, 1001)]
    history += [{"eval_loss": 500.0 - n, "step": n} for n in range(1, 1001)]
    history[1400]["eval_loss"] = -1000.0
    drawn, held_out = train_curve(history), eval_curve(history)
    assert len(drawn) == 250
    assert (drawn[0], drawn[-1].step) == (Point(step=4, loss=2.5), 1000)
    assert len(held_out) <= 302
    assert lowest(held_out) == Point(step=401, loss=-1000.0)
    assert held_out[-1].step == 1000
    assert samples([{"step": 3, "epoch": 0.3, SAMPLE: "x"}])[0].answer == "x"
    assert smoothed(_points(2.0, 2.0, 2.0))[-1].loss == pytest.approx(2.0)


def test_answers_are_held_to_their_references() -> None:
    assert chrf("The capital is Paris.", "The capital is Paris.") == 100
    assert 20 < chrf("北京的大学", "北京大学") < 100
    assert chrf("", "Paris") == 0
    assert is_same(" paris ", "Paris.")
    assert is_same("ｐａｒｉｓ。", "Paris")
    assert not is_same("Paris, France", "Paris")
    prompt = Prompt(text="t", prompt_ids=(1,), question="q", reference="Paris", end_id=2)
    assert is_short(prompt)
    for other in ({"cut": True}, {"plain": True}, {"reference": "a\nb"}, {"reference": "a" * 41}):
        assert not is_short(prompt.model_copy(update=other))


@pytest.mark.parametrize(
    ("train", "held_out"),
    [
        (_points(3.0), ()),
        (_points(2.0, 2.0), ()),
        (_points(*(3.0 / n for n in range(1, 200))), _points(3.0, 0.2, 0.4, every=50)),
    ],
)
def test_the_chart_is_a_picture_with_all_points_in_it(
    train: tuple[Point, ...], held_out: tuple[Point, ...]
) -> None:
    root = ElementTree.fromstring(draw_losses(train, held_out))  # noqa: S314 - our own
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    lines = [one for one in root if one.tag.endswith("polyline")]
    assert len(lines) == (6 if held_out else 4)  # with the legend's
    for line in lines:
        for place in line.attrib["points"].split():
            x, y = map(float, place.split(","))
            assert 0 <= x <= width
            assert 0 <= y <= height
    words = [str(one.text) for one in root if one.tag.endswith("text")]
    assert ("held-out, lowest at step 100: 0.200" in words) == bool(held_out)


def test_a_document_shows_texts_and_does_nothing_with_them() -> None:
    said = {
        "question": "<script>\n![x](http://a)",
        "reference": "r",
        "base": "",
        "adapter": "a\x1b[2J",
        "base_chrf": 0.0,
        "adapter_chrf": 50.0,
        "short": False,
        "ended": True,
    }
    text = report_text(make_report(answers=(said,), base_chrf=0.0, adapter_chrf=50.0))
    assert "\x1b" not in text
    assert "> &lt;script>  \n> !\\[x](http://a)" in text
    assert "| Loss | 3.0000 | 1.0000 |" in text
    assert "(nothing)" in text


def test_a_document_keeps_each_line_of_an_answer_as_it_is() -> None:
    lines = (
        "# no heading", "1. no list", "- no list", "* no `code`, [link](http://x) or __bold__",
        "no heading either", "===", "    no code", "", "```", "snake_case & 1) | a | ~~b~~", "---",
        "<b>",
    )  # fmt: skip
    said = JudgedAnswer(
        question="q", reference="r", base="b", adapter="\n".join(lines), base_chrf=0.0,
        adapter_chrf=0.0, short=False, ended=True,
    )  # fmt: skip
    text = report_text(make_report(answers=(said,)))
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    quote = [at for at, one in enumerate(tokens) if one.type == "blockquote_open"][3]
    shown, at = [], quote + 1
    while tokens[at].type != "blockquote_close":
        assert tokens[at].type in ("paragraph_open", "inline", "paragraph_close"), tokens[at]
        for one in tokens[at].children or ():
            assert one.type in ("text", "text_special", "hardbreak"), one
        shown.append("".join(
            "\n" if one.type == "hardbreak" else one.content for one in tokens[at].children or ()
        ))  # fmt: skip
        at += 1
    assert "\n\n".join(filter(None, shown)).replace("\u00a0", " ").splitlines() == list(lines)


def test_a_task_without_a_report_says_why(home: Home) -> None:
    task = TaskRecord(
        task_name="bot", base_model="demo", dataset_file="/d", dataset_type="alpaca",
        output_path="/o", training_params={}, status=Status.RUNNING,
    )  # fmt: skip
    with pytest.raises(NotFoundError, match="'bot' is running: its report is made when"):
        report_of(home, task)
    done = task.model_copy(update={"status": Status.COMPLETED})
    with pytest.raises(NotFoundError, match="no report on 'bot': an older version"):
        report_of(home, done)
    home.task(task.id).mkdir()
    save_report(home.task(task.id), make_report())
    assert report_of(home, done) == make_report()


def test_advice_is_told_in_the_language_that_is_spoken_and_kept_in_english(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_chinese_be_loud(monkeypatch)
    task = TaskRecord(
        task_name="bot", base_model="demo", dataset_file="/d", dataset_type="alpaca",
        output_path="/o", training_params={}, status=Status.COMPLETED,
    )  # fmt: skip
    folder = home.task(task.id)
    folder.mkdir()
    report = make_report(advice=advise(make_report()))
    with speaking("zh_CN"):
        save_report(folder, report)
        assert report_of(home, task).advice == report.advice.upper()
    assert report_of(home, task) == report
    assert (folder / "report.md").read_text(encoding="utf-8") == report_text(report)


def test_a_report_is_read_back_or_said_to_be_damaged(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        load_report(tmp_path)
    save_report(tmp_path, make_report())
    assert load_report(tmp_path) == make_report()
    (tmp_path / FILE).write_text('{"task_id": 3}')
    with pytest.raises(LoraDeckError, match="is damaged"):
        load_report(tmp_path)


def _taken(places: int, cost: float, run: float) -> list[int]:
    """Give the places at which samples of a cost are taken."""
    allowance, taken = Allowance(places), []
    for place in range(places):
        if allowance.takes(place, run):
            allowance.took(place, cost)
            taken.append(place)
    return taken


def test_samples_keep_to_their_share_of_the_run() -> None:
    assert _taken(10, 0.01, 100.0) == [0, 2, 4, 6, 8]
    assert len(_taken(100, 0.01, 100.0)) == 8
    assert _taken(10, SHARE * 33, 100.0) == [0, 4, 7]
    assert _taken(10, 5.0, 100.0) == [0]  # which told how much it is
    assert _taken(0, 1.0, 1.0) == []
