"""Devices of this machine that the user names, and cards that are not here."""

from __future__ import annotations

import pytest

from engine.errors import LoraDeckError
from engine.plan.device_names import choice_of, device_name
from engine.plan.own_device import asked_device, own_device
from engine.plan.text import plan_lines
from tests.engine.plan.make import APPLE, CARD, CPU, GB, plan_for

FIRST = CARD.model_copy(update={"index": 1, "uuid": "GPU-1f00", "note": "The most free."})
SECOND = CARD.model_copy(update={"index": 0, "uuid": "GPU-2e00", "memory_free": 2 * GB})
OTHER = CARD.model_copy(update={"index": 2, "uuid": "GPU-2d00", "name": "NVIDIA GeForce RTX 3060"})
MACHINE = [FIRST, SECOND, OTHER, CPU]


@pytest.mark.parametrize(
    ("text", "device"),
    [
        ("0", SECOND),
        (" 1 ", FIRST),
        ("GPU-2e00", SECOND),
        ("gpu-1", FIRST),
        ("rtx 3060", OTHER),
        ("NVIDIA GeForce RTX 3060", OTHER),
        ("CPU", CPU),
        ("epyc 7", CPU),
    ],
)
def test_a_device_is_found_by_number_name_or_uuid(text: str, device: object) -> None:
    found = own_device(text, MACHINE)
    assert found.model_copy(update={"chosen": False}) == device.model_copy(update={"note": ""})  # type: ignore[attr-defined]
    assert own_device(choice_of(found), MACHINE) == found
    assert asked_device(text, MACHINE) == found


@pytest.mark.parametrize("text", ["", "auto", "AUTO"])
def test_without_a_choice_the_best_one_is_taken(text: str) -> None:
    assert own_device(text, MACHINE) == asked_device(text, MACHINE) == FIRST
    assert choice_of(FIRST) == ""


@pytest.mark.parametrize("text", ["3", "-1", "GPU-9", "H100", "RTX 3060 6GB", "\x1b]0;x", "x" * 99])
def test_what_is_not_here_is_refused_with_what_is(text: str) -> None:
    with pytest.raises(LoraDeckError) as caught:
        own_device(text, MACHINE)
    words = caught.value.message
    assert caught.value.title == "Device not here"
    assert "RTX 4090 (card 1), RTX 4090 (card 0), " in words
    assert "EPYC 7 (cpu)." in words
    assert "\x1b" not in words
    assert len(words) < 250


@pytest.mark.parametrize("text", ["RTX 4090", "GPU-"])
def test_a_name_of_several_cards_is_no_choice(text: str) -> None:
    with pytest.raises(LoraDeckError, match=r"may be any of: RTX 4090 \(card 1\), RTX 4090"):
        own_device(text, MACHINE)


def test_a_plan_may_be_asked_for_a_card_that_is_not_here() -> None:
    assert asked_device("RTX 3060 6GB", MACHINE).hypothetical
    assert not asked_device("RTX 3060", MACHINE).hypothetical
    with pytest.raises(LoraDeckError, match=r"no card 'RTX 3061' .* This machine has: RTX 4090"):
        asked_device("RTX 3061", MACHINE)


def test_a_plan_says_that_its_device_was_chosen() -> None:
    plan = plan_for(200, device=own_device("0", MACHINE))
    assert [one.message for one in plan.findings if one.code == "device"] == [
        "You chose RTX 4090 (card 0): the run starts on no other device."
    ]
    assert plan.memory.free == 2 * GB
    text = "\n".join(plan_lines(plan))
    assert "card 0, chosen by you" in text
    on_cpu = plan_lines(plan_for(200, device=own_device("cpu", MACHINE)))
    assert any("(chosen by you)" in line for line in on_cpu)
    assert device_name(APPLE) == "Apple GPU"
