"""Questions are answered in turn, can be left, and the model leaves when others need its memory."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from engine.errors import EngineUnavailableError, LoraDeckError
from engine.models.types import ModelInfo
from engine.plan.types import Memory, Plan
from engine.results.chat.holder import ChatHolder
from engine.results.chat.types import Answered, ChatMessage, ChatRequest, Failed, Loading, Piece
from engine.results.chat.wire import Refused, Voice
from engine.server.chat_service import Chats
from engine.server.chat_targets import Target
from engine.tasks.admission import Occupant
from tests.engine.chat.fake_process import CPU, Processes, use_fakes
from tests.engine.plan.make import DEMO

if TYPE_CHECKING:
    from pathlib import Path


class Clock:
    """Stands still until it is moved."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


class Ground:
    """Chats over fake processes."""

    def __init__(self, folder: Path, processes: Processes) -> None:
        self.processes = processes
        self.occupants: list[Occupant] = []
        self.freed = 0
        self.clock = Clock()
        self.holder = ChatHolder(folder / "chat.log", lambda: self.occupants, lambda: CPU)
        self.chats = Chats(self.holder, 5, self._count, self.clock)

    def _count(self) -> None:
        self.freed += 1

    def ask(self, text: str = "one two", adapter: str = "", base: str = "/m", **more: Any) -> Any:
        """Ask."""
        model = ModelInfo(
            name="m", source="home", state="ready", path=base, size_bytes=1, shape=DEMO
        )
        target = Target(model, base, Voice(adapter=adapter), **more)  # type: ignore[arg-type]
        messages = (ChatMessage(role="user", content=text),)
        return self.chats.answer(target, ChatRequest(target="m", messages=messages))

    async def hear(self, **given: Any) -> list[Any]:
        """Ask and wait for the end."""
        return [event async for event in self.ask(**given)]


@pytest.fixture
async def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ground:
    return Ground(tmp_path, use_fakes(monkeypatch))


async def settled() -> None:
    """Let all that can go on go on."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_an_answer_comes_in_pieces_and_the_model_stays(ground: Ground) -> None:
    events = await ground.hear()
    assert [type(one) for one in events] == [Loading, Piece, Piece, Answered]
    assert (events[-1].text, events[-1].finish, events[-1].notice) == ("one two ", "stop", "")
    assert [type(one) for one in await ground.hear(adapter="/a")] == [Piece, Piece, Answered]
    status = ground.chats.status()
    assert (status.loaded, status.base, status.adapters, status.device) == (
        True,
        "m",
        ("a",),
        "CPU",
    )
    assert len(ground.processes.all) == 1
    await ground.hear(base="/other")
    assert [one.alive for one in ground.processes.all] == [False, True]
    assert ground.chats.status().adapters == ()


async def test_adapters_that_share_with_nobody_get_a_process_of_their_own(ground: Ground) -> None:
    for alone in ("", "/a", "/a", ""):
        await ground.hear(alone=alone)
    assert len(ground.processes.all) == 3


async def test_questions_wait_in_the_order_in_which_they_came(ground: Ground) -> None:
    ground.processes.endless = True
    first, second, third = (ground.ask(text) for text in ("first", "second", "third"))
    assert isinstance(await anext(first), Loading)
    for one in (second, third):
        assert isinstance(await anext(one), Loading)
    await settled()
    (process,) = ground.processes.all
    assert [one.messages[0].content for one in process.asked] == ["first"]
    process.endless = False
    process.end_answer("stop")
    async for _ in second:
        pass
    async for _ in third:
        pass
    assert [one.messages[0].content for one in process.asked] == ["first", "second", "third"]
    await first.aclose()


async def test_closing_ends_the_answer_and_the_next_follows(ground: Ground) -> None:
    ground.processes.endless = True
    stream = ground.ask()
    while not isinstance(await anext(stream), Piece):
        pass
    gone_while_waiting = ground.ask("nobody hears this")
    await anext(gone_while_waiting)
    await gone_while_waiting.aclose()
    await stream.aclose()
    ground.processes.all[0].endless = False
    assert isinstance((await ground.hear(text="next"))[-1], Answered)
    (process,) = ground.processes.all
    assert process.cancelled == [1]
    assert [one.messages[0].content for one in process.asked] == ["one two", "next"]


async def test_a_process_that_does_not_hear_is_killed(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.server.chat_service._CANCEL_SECONDS", 0.01)
    ground.processes.endless = True
    stream = ground.ask()
    while not isinstance(await anext(stream), Piece):
        pass
    ground.processes.all[0].deaf = True
    ground.processes.endless = False
    await stream.aclose()
    assert isinstance((await ground.hear())[-1], Answered)
    assert [one.alive for one in ground.processes.all] == [False, True]


async def test_too_many_questions_are_refused(ground: Ground, monkeypatch: Any) -> None:
    monkeypatch.setattr("engine.server.chat_service._MOST_WAITING", 1)
    ground.processes.endless = True
    stream = ground.ask()
    await anext(stream)
    with pytest.raises(EngineUnavailableError, match="Too many questions"):
        await ground.hear()
    await stream.aclose()


async def test_what_goes_wrong_is_told_and_the_next_question_works(ground: Ground) -> None:
    ground.processes.refusal = Refused(title="Model not loadable", message="bad\x1b", hint="x")
    events = await ground.hear()
    assert events[-1] == Failed(title="Model not loadable", message="bad␛", hint="x")
    assert not ground.chats.status().loaded
    ground.processes.refusal = None
    assert isinstance((await ground.hear())[-1], Answered)
    ground.processes.all[-1].kill()
    assert isinstance((await ground.hear())[-1], Answered)


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (ValueError("x"), "The engine failed (ValueError)"),
    ],
)
async def test_a_process_that_cannot_be_started_is_told_and_takes_no_memory(
    ground: Ground, failure: Exception, words: str
) -> None:
    ground.processes.failure = failure
    failed = (await ground.hear())[-1]
    assert isinstance(failed, Failed)
    assert words in failed.message
    assert not ground.chats.to_come(CPU)
    ground.processes.failure = None
    assert isinstance((await ground.hear())[-1], Answered)


async def test_a_process_that_died_is_to_take_nothing_more(ground: Ground) -> None:
    await ground.hear()
    assert ground.chats.to_come(CPU)
    ground.processes.all[0].kill()
    assert not ground.chats.to_come(CPU)


async def test_what_does_not_fit_beside_trainings_is_refused(ground: Ground) -> None:
    memory = Memory(parts={}, total=int(3.5e9), free=10**10)
    ground.occupants = [Occupant(Plan.model_construct(device=CPU, memory=memory), None)]
    events = await ground.hear()
    assert isinstance(events[-1], Failed)
    assert "beside what trainings take" in events[-1].message
    assert not ground.processes.all


async def test_the_last_turn_must_be_a_question(ground: Ground) -> None:
    model = ModelInfo(name="m", source="home", state="ready", path="/m", size_bytes=1, shape=DEMO)
    said = (ChatMessage(role="assistant", content="x"),)
    with pytest.raises(LoraDeckError, match="No question"):
        await anext(
            ground.chats.answer(Target(model, "/m"), ChatRequest(target="m", messages=said))
        )  # type: ignore[arg-type]


async def test_an_idle_model_leaves(ground: Ground) -> None:
    await ground.hear()
    ground.clock.now += 299
    ground.chats.trim()
    await settled()
    assert ground.chats.status().loaded
    assert ground.chats.status().idle_seconds == 299
    ground.clock.now += 2
    ground.chats.trim()
    await settled()
    assert not ground.chats.status().loaded
    assert ground.freed == 1


async def test_a_model_in_use_is_not_idle_and_says_who_wants_its_memory(ground: Ground) -> None:
    ground.processes.endless = True
    stream = ground.ask()
    while not isinstance(await anext(stream), Piece):
        pass
    ground.clock.now += 1000
    ground.chats.give_way("night run")
    ground.chats.trim()
    await settled()
    assert ground.chats.status().wanted_by == "night run"
    ground.processes.all[0].end_answer("stop")
    events = [event async for event in stream]
    assert "'night run' waits for this memory" in events[-1].notice
    ground.clock.now += 59
    ground.chats.give_way("night run")
    await settled()
    assert ground.chats.status().loaded
    ground.clock.now += 2
    ground.chats.give_way("night run")
    await settled()
    assert not ground.chats.status().loaded
    assert ground.chats.status().wanted_by == ""
    assert ground.freed == 1


async def test_unloading_frees_the_memory_at_once(ground: Ground) -> None:
    ground.processes.endless = True
    stream = ground.ask()
    while not isinstance(await anext(stream), Piece):
        pass
    assert not (await ground.chats.unload()).loaded
    assert isinstance([event async for event in stream][-1], Failed)


async def test_what_it_is_still_to_take_is_told(ground: Ground) -> None:
    assert ground.chats.to_come(CPU) == 0
    await ground.hear()
    assert ground.chats.to_come(CPU) > 10**9
    assert ground.chats.to_come(CPU.model_copy(update={"kind": "cuda", "uuid": "x"})) == 0
