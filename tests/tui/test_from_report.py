"""The request that makes a run again, and what stands in its way; reports as they are printed."""

from __future__ import annotations

import shlex
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from rich.cells import cell_len

from engine.data.types import Inspection, Shape
from engine.errors import LoraDeckError
from engine.results.report.files import save_report
from engine.results.report.types import SampleThen
from tests.engine.results.test_report import make_report
from tests.tui.fake_engine import CPU
from tui.cli.from_report import request_again
from tui.cli.report_text import print_report
from tui.cli.train import train

if TYPE_CHECKING:
    from pathlib import Path

    from engine.plan.types import Device
    from engine.results.report.types import Report
    from engine.server.client import EngineClient

COLUMNS = {"instruction": "q", "output": "a"}


class Client:
    """An engine that finds rows of a hash, read with the columns that it is told.

    Args:
        found: The columns that it finds by itself; none where it needs to be told.
    """

    def __init__(self, sha256: str, found: dict[str, str] | None) -> None:
        self.sha256, self.found = sha256, found
        self.books = SimpleNamespace(find=self._find)

    async def _find(self, name: str) -> Any:
        """Give a dataset of the home."""
        return SimpleNamespace(path=f"/home/datasets/{name}")

    async def devices(self) -> list[Device]:
        """Give a machine without a card."""
        return [CPU]

    async def inspect(self, path: str, mapping: dict[str, str] | None = None) -> Inspection:
        """Look at a dataset."""
        columns = mapping or self.found
        if columns is None:
            raise LoraDeckError("Rows not understood", "Which column is which?")
        shape = Shape(dataset_type="alpaca", columns=columns)
        return Inspection(
            path=path, dataset_type="alpaca", rows=1, findings=(), sha256=self.sha256,
            size_bytes=1, shape=shape,
        )  # fmt: skip


def _client(sha256: str = "ab" * 32, found: dict[str, str] | None = COLUMNS) -> EngineClient:
    """Stand in for an engine."""
    return cast("EngineClient", Client(sha256, found))


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """A report in a folder, on a dataset that is still there."""
    (tmp_path / "rows.jsonl").touch()
    made = make_report(
        dataset_file=str(tmp_path / "rows.jsonl"), mapping=COLUMNS, leave_out=True,
        started_from="/home/models/lora/older",
    )  # fmt: skip
    save_report(tmp_path, made)
    return made


async def test_all_that_made_a_run_is_asked_for_again(report: Report, tmp_path: Path) -> None:
    wanted = await request_again(_client(), str(tmp_path), "", {"lora_rank": 4})
    assert (wanted.dataset_file, wanted.base_model) == (report.dataset_file, "demo")
    assert wanted.overrides == {"learning_rate": 2e-4, "seed": 42, "lora_rank": 4}
    assert (wanted.adapter, wanted.leave_out, wanted.mapping) == ("older", True, {})


@pytest.mark.parametrize("found", [None, {"instruction": "a", "output": "q"}])
@pytest.mark.usefixtures("report")
async def test_columns_are_told_where_they_would_not_be_found(
    found: dict[str, str] | None, tmp_path: Path
) -> None:
    wanted = await request_again(_client(found=found), str(tmp_path), "", {})
    assert wanted.mapping == COLUMNS


@pytest.mark.usefixtures("report")
async def test_rows_may_lie_elsewhere_but_not_be_others(tmp_path: Path) -> None:
    wanted = await request_again(_client(), str(tmp_path / "report.json"), "elsewhere", {})
    assert wanted.dataset_file == "/home/datasets/elsewhere"
    with pytest.raises(LoraDeckError, match="is not what 'bot' was trained on"):
        await request_again(_client("cd" * 32), str(tmp_path), "", {})
    (tmp_path / "rows.jsonl").unlink()
    with pytest.raises(LoraDeckError, match="is not there any more"):
        await request_again(_client(), str(tmp_path), "", {})
    with pytest.raises(LoraDeckError, match="is no report, and no folder"):
        await request_again(_client(), str(tmp_path / "none"), "", {})


async def test_a_chosen_device_is_chosen_again_where_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").touch()
    rows = {"dataset_file": str(tmp_path / "rows.jsonl"), "device": "A10, 24 GB of memory"}
    save_report(tmp_path, make_report(chosen_device="cpu", **rows))
    assert (await request_again(_client(), str(tmp_path), "", {})).device == "cpu"
    save_report(tmp_path, make_report(chosen_device="GPU-1f00", **rows))
    with pytest.raises(LoraDeckError, match="'bot' was trained on A10, 24 GB of memory") as caught:
        await request_again(_client(), str(tmp_path), "", {})
    assert "This machine has: AMD EPYC 7763 (cpu)." in caught.value.message
    assert (await request_again(_client(), str(tmp_path), "", {}, "auto")).device == "auto"


def test_what_a_report_says_is_not_said_again() -> None:
    with pytest.raises(LoraDeckError, match="says all that --model, --leave-out would"):
        train(name="again", from_report="bot", model="demo", leave_out=True)
    with pytest.raises(LoraDeckError, match="which file to train on"):
        train(name="again", model="demo")


def test_the_command_for_the_run_again_can_be_copied(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    name = "my run; $(id) " + "x" * 30
    print_report(make_report(task_name=name))
    command = capsys.readouterr().out.splitlines()[-1].removeprefix("Again: ")
    assert shlex.split(command) == [
        "loradeck", "train", "--from-report", name, "--name", f"{name}-again"
    ]  # fmt: skip


def test_a_report_fits_into_80_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    said = {
        "question": "什么是机器学习" * 12, "reference": "一种方法。", "base": "a\x1b[2J" * 30,
        "adapter": "", "base_chrf": 3.2, "adapter_chrf": 0.0, "short": True, "ended": False,
    }  # fmt: skip
    print_report(
        make_report(
            answers=(said,), base_chrf=3.2, adapter_chrf=0.0, exact_of=1, asked=1, ended=0,
            samples=(SampleThen(step=10, epoch=1.0, answer="学习" * 60),), sample_question="什么？",
        )
    )  # fmt: skip
    shown = capsys.readouterr().out
    assert max(map(cell_len, shown.splitlines())) <= 80
    assert "\x1b" not in shown
    for words in ("Perplexity", "20.10", "0 of 1", "(nothing)", "--from-report bot", "ab" * 20):
        assert words in shown
