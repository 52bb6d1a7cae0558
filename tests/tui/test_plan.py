"""The plan's own screen: what it shows, and how the user's own values go into the training."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from engine.data.types import Finding
from engine.errors import LoraDeckError
from engine.plan.parameters import TrainingParams
from engine.plan.types import Device, Holder
from screens.home import HomeScreen
from screens.next_plan import NextPlan, Wishes
from screens.parameters import GROUPS, range_words, value_words
from screens.plan import PlanScreen
from screens.preset_dialog import PresetDialog
from screens.sums import sums_lines
from screens.value_dialog import ValueDialog
from tests.tui.conftest import LARGE, SMALL, burst, opened, text_of, until
from tests.tui.fake_engine import BIG, DEMO, FakeEngine, inspection, plan
from tests.tui.test_home import choose_both, home_of

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from tui.app import LoraDeckApp


async def open_plan(app: LoraDeckApp, pilot: Pilot[None]) -> PlanScreen:
    """Choose dataset and model, and open the plan by its key."""
    await choose_both(app, pilot)
    await pilot.press("p")
    await until(pilot, lambda: isinstance(app.screen, PlanScreen) and app.screen.parameters.items)
    assert isinstance(app.screen, PlanScreen)
    return app.screen


async def change(app: LoraDeckApp, pilot: Pilot[None], key: str, *typed: str) -> None:
    """Open a parameter's dialog and type over its value."""
    screen = app.screen
    assert isinstance(screen, PlanScreen)
    screen.parameters.cursor = key
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, ValueDialog))
    await pilot.press(*typed)


async def set_value(app: LoraDeckApp, pilot: Pilot[None], key: str, *typed: str) -> None:
    """Set a parameter, until the plan with it stands there."""
    await change(app, pilot, key)
    burst(app, *typed, "enter")
    await until(pilot, lambda: isinstance(app.screen, PlanScreen))


def test_every_parameter_stands_in_one_group() -> None:
    shown = [key for keys in GROUPS.values() for key in keys]
    assert sorted(shown) == sorted(TrainingParams.model_fields)


def test_ranges_and_values_are_in_words() -> None:
    assert range_words("lora_rank") == "a whole number, at least 1, at most 1,024"
    assert range_words("lora_dropout") == "a number, at least 0, below 1"
    assert range_words("use_4bit") == "on or off"
    values = (True, 5e-4, 1.25e-3, 0.05, 128, "a\x1bb")
    words = ["on", "5e-4", "1.25e-3", "0.05", "128", "a␛b"]
    assert [value_words(value) for value in values] == words


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_every_parameter_can_be_read(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(FakeEngine(), tmp_path, size) as (app, pilot):
        screen = await open_plan(app, pilot)
        seen = set()
        for _ in TrainingParams.model_fields:
            seen.add(screen.about.border_title)
            await pilot.press("j")
        assert seen == set(TrainingParams.model_fields)
        screen.parameters.cursor = "max_seq_length"
        await pilot.pause()
        for words in ("128", "the longest row has 96 tokens", "your data",
                      "Rows longer than this many tokens", "at least 16"):  # fmt: skip
            assert words in text_of(app)


async def test_the_sums_are_a_key_away_on_a_small_terminal(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        screen = await open_plan(app, pilot)
        assert "1.2 GB of 6.1 GB free" in text_of(app)
        assert "24 steps" in text_of(app)
        await pilot.press("m")
        await until(pilot, lambda: screen.sums.has_focus and "activations" in text_of(app))
        assert "checkpoints" in text_of(app)
        await pilot.press("m")
        await until(pilot, lambda: screen.parameters.has_focus)
        await pilot.press("l")
        await until(pilot, lambda: screen.sums.has_focus)
        await pilot.press("h")
        await until(pilot, lambda: screen.parameters.has_focus)


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_a_value_is_set_and_sent_with_the_start(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    engine = FakeEngine()
    async with opened(engine, tmp_path, size) as (app, pilot):
        screen = await open_plan(app, pilot)
        await change(app, pilot, "num_epochs", "1", "2")
        await until(pilot, lambda: "24 → 48 steps" in text_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is screen and "48 steps" in text_of(app))
        assert "✎ num_epochs" in text_of(app)
        assert "✎ set by you: 1" in text_of(app)
        await pilot.press("escape")
        home = home_of(app)
        await until(pilot, lambda: app.screen is home and "✎ set by you: 1" in text_of(app))
        await pilot.press("s")
        await until(pilot, lambda: engine.calls["train"])
        assert engine.calls["train"][0].overrides == {"num_epochs": 12}


async def test_the_start_can_be_given_from_the_plan(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with opened(engine, tmp_path) as (app, pilot):
        await open_plan(app, pilot)
        await pilot.press("s")
        await until(pilot, lambda: engine.calls["train"])
        assert isinstance(app.screen, HomeScreen)


@pytest.mark.parametrize(
    ("key", "typed", "words"),
    [
        ("lora_rank", "0", "greater than or equal to 1"),
        ("lora_rank", "x", "valid integer"),
        ("lora_dropout", "1", "less than 1"),
        ("max_seq_length", "9999", "over the model's context of 8192 tokens"),
        ("max_steps", "0", "would train nothing"),
    ],
)
async def test_a_value_that_will_not_do_is_refused_at_its_field(
    tmp_path: Path, key: str, typed: str, words: str
) -> None:
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        await open_plan(app, pilot)
        await change(app, pilot, key, *typed)
        await until(pilot, lambda: words in " ".join(text_of(app).split()))
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, ValueDialog)
        assert "✗" in text_of(app)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))
        assert home_of(app).training.wishes == Wishes()


async def test_nothing_typed_is_no_value(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        await open_plan(app, pilot)
        await change(app, pilot, "lora_rank")
        await pilot.press("backspace", "enter")
        await until(pilot, lambda: "Type a value" in text_of(app))


async def test_a_value_that_does_not_fit_says_so_and_may_be_taken(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with opened(engine, tmp_path) as (app, pilot):
        await open_plan(app, pilot)
        engine.plan_findings = (
            Finding(level="error", code="memory", message="It needs 9 GB.", hint="", count=0,
                    rows=()),
        )  # fmt: skip
        await change(app, pilot, "batch_size", "6", "4")
        await until(pilot, lambda: "✗ error It needs 9 GB." in text_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))
        assert "✗ 1 error" in text_of(app)
        assert not home_of(app).training.plan_panel.ready


async def test_switches_and_names_are_chosen_from_a_list(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        await open_plan(app, pilot)
        await change(app, pilot, "gradient_checkpointing")
        assert "○ on" in text_of(app)
        assert "● off" in text_of(app)
        await pilot.press("k", "enter")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))
        await change(app, pilot, "lr_scheduler_type")
        await pilot.press("g", "enter")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))
        overrides = home_of(app).training.wishes.overrides
        assert overrides == {"gradient_checkpointing": True, "lr_scheduler_type": "linear"}


async def test_a_value_kept_as_it_is_loses_no_digit(tmp_path: Path) -> None:
    exact = 1.23456789e-4
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        await open_plan(app, pilot)
        training = home_of(app).training
        training.take_wishes(Wishes("", {"learning_rate": exact}), None)
        await until(pilot, lambda: training.plan_panel.ready)
        await set_value(app, pilot, "learning_rate")
        assert training.wishes.overrides == {"learning_rate": exact}


async def test_values_are_taken_back(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await open_plan(app, pilot)
        training = home_of(app).training
        for key in ("num_epochs", "lora_rank", "seed"):
            await set_value(app, pilot, key, "8")
        screen.parameters.cursor = "weight_decay"
        await pilot.press("r")
        assert len(training.wishes.overrides) == 3
        screen.parameters.cursor = "lora_rank"
        await pilot.press("r")
        await until(pilot, lambda: "set by you: 2" in text_of(app))
        assert training.wishes.overrides == {"num_epochs": 8, "seed": 8}
        await pilot.press("R")
        await until(pilot, lambda: "set by you" not in text_of(app))
        assert engine.calls["plan"][-1].overrides == {}


async def test_planning_is_said_and_blocks_nothing(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with opened(engine, tmp_path, LARGE) as (app, pilot):
        screen = await open_plan(app, pilot)
        await set_value(app, pilot, "num_epochs", "8")
        engine.plan_gate.clear()
        await pilot.press("r")
        await until(pilot, lambda: "Planning…" in text_of(app))
        await pilot.press("G")
        assert screen.parameters.cursor == "save_total_limit"
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        engine.plan_gate.set()
        await until(pilot, lambda: home_of(app).training.plan_panel.ready)
        assert "set by you" not in text_of(app)


async def test_a_preset_is_taken_and_left_again(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with opened(engine, tmp_path) as (app, pilot):
        await open_plan(app, pilot)
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, PresetDialog))
        await pilot.press("j")
        await until(pilot, lambda: "whatever the data" in text_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: "preset classic" in text_of(app))
        assert engine.calls["plan"][-1].preset == "classic"
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, PresetDialog))
        burst(app, "k", "enter")
        await until(pilot, lambda: "preset classic" not in text_of(app))
        await until(pilot, lambda: "Planning…" not in text_of(app))
        assert engine.calls["plan"][-1].preset == ""


async def test_another_model_checks_the_values_again(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with opened(engine, tmp_path) as (app, pilot):
        home = await choose_both(app, pilot)
        home._model_picked(BIG)
        await until(pilot, lambda: home.training.plan_panel.ready)
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))
        await set_value(app, pilot, "max_seq_length", *"16384")
        await pilot.press("escape")
        home._model_picked(DEMO)
        await until(pilot, lambda: "Longer than the model reads" in text_of(app))
        assert "✎ set by you: 1: p shows it and takes it back." in text_of(app)
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))
        shown = text_of(app)
        assert "max_seq_length=16384 is over the model's context" in shown
        assert "✗ max_seq_length" in shown
        assert "r takes back the value under the cursor" in shown
        assert app.screen.parameters.cursor == "max_seq_length"
        await pilot.press("r")
        await until(pilot, lambda: home.training.plan_panel.ready)
        await until(pilot, lambda: "24 steps" in text_of(app))


async def test_the_plan_needs_both_choices(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        await pilot.press("p")
        await until(pilot, lambda: "Choose dataset and model first." in text_of(app))
        assert isinstance(app.screen, HomeScreen)


async def test_the_palette_opens_the_plan(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        await choose_both(app, pilot)
        await pilot.press("ctrl+p")
        await pilot.press(*"whole plan")
        await until(pilot, lambda: "Show the whole plan" in text_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))


@pytest.mark.parametrize("size", [(40, 12), (80, 8), (300, 90)])
async def test_odd_sizes_do_not_break_the_plan(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(FakeEngine(), tmp_path, size) as (app, pilot):
        await open_plan(app, pilot)
        for key in ("G", "m", "m", "enter", "escape", "p", "escape"):
            await pilot.press(key)
        assert isinstance(app.screen, PlanScreen)


def test_what_is_known_of_a_card_is_told() -> None:
    card = Device(
        kind="cuda", name="RTX [b]3060[/b]", index=1, memory_total=12 * 10**9, memory_free=10**9,
        bf16=True, capability=(8, 6), hypothetical=True,
        holders=(Holder(pid=7, name="py\x1bthon", memory=11 * 10**9),
                 Holder(pid=8, name="x", memory=0)),
    )  # fmt: skip
    made = plan(inspection(), DEMO)
    memory = made.memory.model_copy(update={"free": 10**9, "measured": True})
    changed = {"device": card, "memory": memory, "seconds": None, "rows_cut": 3, "tokens_cut": 90}
    words = "\n".join(line.plain for line in sums_lines(made.model_copy(update=changed), 60))
    for known in ("RTX [b]3060[/b]", "capability 8.6, bfloat16", "py␛thon (7), 11.0 GB",
                  "x (8), memory not told", "Not in this machine", "✗ too little",
                  "corrected by a step measured here", "known once a run was measured",
                  "3 rows lose 90 tokens"):  # fmt: skip
        assert known in words


def test_the_bars_of_the_parts_add_up_to_one() -> None:
    lines = [line.plain for line in sums_lines(plan(inspection(), DEMO), 60)]
    parts = lines[1:6]
    assert parts[0].startswith("weights         538 MB  ━")
    assert sum(line.count("━") for line in parts) >= 60 - 13 - 9 - 2
    assert all(len(line) <= 60 for line in parts)


def test_a_refusal_names_the_value_it_refuses() -> None:
    wishes = Wishes("", {"lora_rank": 8, "max_seq_length": 99999})
    made = NextPlan(wishes, LoraDeckError("Too long", "max_seq_length=99999 is too long."))
    assert made.refused == {"max_seq_length"}
    assert made.plan is None
    assert replace(made, outcome=None).refused == frozenset()
