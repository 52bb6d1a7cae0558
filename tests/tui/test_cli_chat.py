"""``loradeck chat`` over a fake engine: what is typed, what is shown, what is kept."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from engine.errors import LoraDeckError, NotFoundError
from engine.results.chat.types import (
    Answered,
    Assistant,
    ChatEvent,
    ChatRequest,
    Conversation,
    Failed,
    Loading,
    Piece,
    Sampling,
)
from tui.cli.chat_prompt import Prompt
from tui.cli.chat_talk import Talk
from tui.cli.commands import app

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class FakeEngine:
    """Answers with what it was told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[ChatRequest] = []
        self.kept: dict[str, Conversation] = {}
        self.bound: dict[str, Assistant] = {}
        self.pieces = ["Hel", "lo\x1b]0;x\x07"]
        self.failed = False
        self.interrupted = False

    async def chat(self, request: ChatRequest) -> AsyncIterator[ChatEvent]:
        """Answer."""
        self.asked.append(request)
        yield Loading(message="demo is being loaded.")
        for piece in self.pieces:
            yield Piece(text=piece)
        if self.interrupted:
            raise KeyboardInterrupt
        if self.failed:
            yield Failed(title="No", message="It is gone.", hint="Ask again.")
            return
        yield Answered(
            text="".join(self.pieces),
            finish="length",
            prompt_tokens=3,
            tokens=2,
            first_token_seconds=0.25,
            tokens_per_second=12.5,
            notice="'x' waits.",
        )

    async def save_conversation(self, conversation: Conversation) -> Conversation:
        """Keep."""
        self.kept[conversation.id] = conversation
        return conversation

    async def conversation(self, name: str) -> Conversation:
        """Give."""
        if name not in self.kept:
            raise NotFoundError("No such conversation", name)
        return self.kept[name]

    async def conversations(self) -> list[Conversation]:
        """List."""
        return list(self.kept.values())

    async def assistants(self) -> list[Assistant]:
        """List."""
        return list(self.bound.values())

    async def assistant(self, name: str) -> Assistant:
        """Give."""
        return self.bound[name]

    async def create_assistant(self, assistant: Assistant) -> Assistant:
        """Keep."""
        self.bound[assistant.name] = assistant
        return assistant

    put_assistant = create_assistant

    async def delete_assistant(self, name: str) -> None:
        """Forget."""
        del self.bound[name]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    fake = FakeEngine()

    def with_engine(talk: Any) -> Any:
        return asyncio.run(talk(fake))

    for module in ("chat", "chat_talk", "assistants"):
        monkeypatch.setattr(f"tui.cli.{module}.with_engine", with_engine)
    return fake


def run(*arguments: str, code: int = 0, typed: str = "") -> str:
    """Run a command and give what it printed."""
    done = CliRunner().invoke(app, list(arguments), input=typed)
    assert done.exit_code == code, (done.output, done.exception)
    return done.output


def type_in(monkeypatch: pytest.MonkeyPatch, *lines: Any) -> None:
    """Let a user type lines; an exception is a key that raises it."""
    left: Iterator[Any] = iter([*lines, EOFError()])

    def read(_: str) -> str:
        line = next(left)
        if isinstance(line, BaseException):
            raise line
        return str(line)

    monkeypatch.setattr("builtins.input", read)


def test_one_question_is_answered_and_no_control_character_passes(engine: FakeEngine) -> None:
    shown = run("chat", "demo", "--message", "Hi?", "--temperature", "0", "--system", "Be kind.")
    assert "Hello␛]0;x␇" in shown
    assert "\x1b" not in shown
    assert "2 tokens · first after 0.25 s · 12.5 tokens/s · cut" in shown
    assert "'x' waits." in shown
    (asked,) = engine.asked
    assert (asked.target, asked.system, asked.base) == ("demo", "Be kind.", False)
    assert asked.sampling == Sampling(temperature=0)
    assert not engine.kept


def test_a_pipe_asks_too_and_json_is_one_event_a_line(engine: FakeEngine) -> None:
    lines = run("chat", "demo", "--json", "--compare", "base", typed="Hi?\n").splitlines()
    events = [json.loads(line) for line in lines]
    assert [one["type"] for one in events] == ["loading", "piece", "piece", "answered"] * 2
    assert {one["who"] for one in events} == {"demo", "demo, base model"}
    assert [one.base for one in engine.asked] == [False, True]
    assert engine.asked[0].sampling is None
    assert engine.asked[0].messages[0].content == "Hi?"


def test_no_answer_is_exit_status_1_and_nothing_to_ask_is_told(engine: FakeEngine) -> None:
    engine.failed = True
    assert "No: It is gone." in run("chat", "demo", "--message", "Hi?", code=1)
    for arguments in (["chat", "demo", "--json"], ["chat"]):
        done = CliRunner().invoke(app, arguments, input="")
        assert isinstance(done.exception, LoraDeckError)


def test_a_chat_goes_on_under_its_id(engine: FakeEngine) -> None:
    talk = Talk("demo", system="Be kind.", sampling=Sampling(seed=1))
    talk.ask("first")
    kept = talk.save()
    assert kept.id in run("chat", "--list")
    run("chat", "--continue", kept.id, "--message", "second")
    asked = engine.asked[-1]
    said = [one.content for one in asked.messages]
    assert said == ["first", "Hello\x1b]0;x\x07", "second"]
    assert (asked.system, asked.sampling) == ("Be kind.", Sampling(seed=1))
    assert len(engine.kept[kept.id].messages) == 4


def test_commands_of_the_prompt(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("EDITOR", raising=False)
    monkeypatch.delenv("VISUAL", raising=False)
    talk = Talk("demo")
    type_in(
        monkeypatch,
        "one\\", "two", "/set temperature 0", "/system Be kind.", "/regenerate", "/edit", "three",
        "/copy", "/undo", "/undo", "/set warmth 1", "/nonsense", "/save", "/help", "/quit",
    )  # fmt: skip
    Prompt(talk).run()
    asked = [one.messages[-1].content for one in engine.asked]
    assert asked == ["one\ntwo", "one\ntwo", "three"]
    assert engine.asked[0].sampling is None
    assert engine.asked[1].sampling == Sampling(temperature=0)
    assert engine.asked[1].system == "Be kind."
    assert all(len(one.messages) == 1 for one in engine.asked)
    shown = capsys.readouterr()
    assert base64.b64encode(b"Hello\x1b]0;x\x07").decode() in shown.out
    for words in ("Taken back: three", "Nothing was asked", "warmth", "no /nonsense", talk.id):
        assert words in shown.err
    assert "/regenerate" in shown.out
    assert talk.messages == []


def test_ctrl_c_stops_the_answer_and_twice_ends(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.interrupted = True
    talk = Talk("demo")
    type_in(monkeypatch, "one", KeyboardInterrupt(), "", KeyboardInterrupt(), KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        Prompt(talk).run()
    shown = capsys.readouterr().err
    assert "Stopped." in shown
    assert shown.count("Once more ends the chat.") == 2
    assert [one.role for one in talk.messages] == ["user", "assistant"]
    engine.pieces = []
    type_in(monkeypatch, "two")
    Prompt(talk).run()
    assert len(talk.messages) == 2


def test_what_fails_leaves_the_chat_as_it_was(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = Talk("demo")
    talk.ask("one")
    before = list(talk.messages)
    engine.failed = True
    type_in(monkeypatch, "two", "/regenerate")
    Prompt(talk).run()
    assert talk.messages == before


def test_assistants_are_created_changed_shown_and_deleted(engine: FakeEngine) -> None:
    run(
        "assistants", "create", "poet", "--adapter", "verses", "--system", "Rhyme.",
        "--temperature", "0", "--max-tokens", "9",
    )  # fmt: skip
    drawn = Sampling(temperature=0, max_tokens=9)
    assert engine.bound["poet"] == Assistant(
        name="poet", base_model="", adapter="verses", system="Rhyme.", sampling=drawn
    )
    run("assistants", "edit", "poet", "--seed", "3", "--description", "Verses", "--model", "demo")
    poet = engine.bound["poet"]
    assert (poet.system, poet.description, poet.base_model) == ("Rhyme.", "Verses", "demo")
    assert poet.sampling == Sampling(temperature=0, max_tokens=9, seed=3)
    assert "Verses" in run("assistants")
    assert json.loads(run("assistants", "list", "--json"))[0]["name"] == "poet"
    assert "system: Rhyme." in run("assistants", "show", "poet")
    run("chat", "poet", "--message", "Hi?", "--top-k", "4")
    assert engine.asked[-1].sampling == Sampling(temperature=0, max_tokens=9, seed=3, top_k=4)
    run("assistants", "delete", "poet")
    assert not engine.bound
    done = CliRunner().invoke(app, ["assistants", "create", "x"])
    assert isinstance(done.exception, LoraDeckError)
