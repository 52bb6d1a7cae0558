"""Assistants and conversations are kept, and damage to their files loses nothing."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from engine.errors import ConflictError, LoraDeckError, NotFoundError
from engine.results.chat.assistants import Assistants
from engine.results.chat.conversations import Conversations
from engine.results.chat.types import Assistant, ChatMessage, Conversation, Sampling

if TYPE_CHECKING:
    from pathlib import Path

POET = Assistant(name="poet", base_model="demo", adapter="verses", system="Rhyme.")


def test_assistants_are_there_again(tmp_path: Path) -> None:
    file = tmp_path / "assistants.json"
    kept = Assistants(file)
    kept.create(POET)
    kept.put(POET.model_copy(update={"name": "Ärztin 1", "sampling": Sampling(temperature=0)}))
    again = Assistants(file)
    assert [one.name for one in again.all()] == ["poet", "Ärztin 1"]
    assert again.get("poet") == POET
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again.delete("poet")
    assert Assistants(file).named("poet") is None


def test_a_taken_name_and_a_missing_one_are_told(tmp_path: Path) -> None:
    kept = Assistants(tmp_path / "assistants.json")
    kept.create(POET)
    with pytest.raises(ConflictError, match="already"):
        kept.create(POET)
    for ask in (kept.get, kept.delete):
        with pytest.raises(NotFoundError, match="No such assistant"):
            ask("nobody")


@pytest.mark.parametrize("name", ["", " x", "a/b", "..", "a\nb", "\x1b[31m", "x" * 101, "a\\b"])
def test_names_that_paths_and_terminals_act_on_are_refused(tmp_path: Path, name: str) -> None:
    kept = Assistants(tmp_path / "assistants.json")
    with pytest.raises(LoraDeckError, match="Name not usable"):
        kept.create(POET.model_copy(update={"name": name}))
    assert not (tmp_path / "assistants.json").exists()


@pytest.mark.parametrize(
    "content", [b"", b"[{}]", b"\xff\xfe", b'[{"name": "\\ud800"}]', b"{" * 9000]
)
def test_a_damaged_file_is_set_aside(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "assistants.json"
    file.write_bytes(content)
    kept = Assistants(file)
    assert kept.all() == []
    assert (tmp_path / "assistants.json.unreadable").read_bytes() == content
    kept.create(POET)
    assert Assistants(file).all() == [POET]


def test_a_file_that_may_not_be_read_is_no_damage(tmp_path: Path) -> None:
    folder = tmp_path / "assistants.json"
    folder.symlink_to(folder)
    with pytest.raises(LoraDeckError, match="Assistants not readable"):
        Assistants(folder)


def _conversation(name: str, *said: str) -> Conversation:
    """A conversation of questions."""
    messages = tuple(ChatMessage(role="user", content=one) for one in said)
    return Conversation(id=name, target="poet", title="", messages=messages)


def test_conversations_are_kept_newest_first(tmp_path: Path) -> None:
    kept = Conversations(tmp_path / "chats")
    assert kept.all() == []
    first = kept.put("a", _conversation("other", "What\n is  it?"))
    assert (first.id, first.title) == ("a", "What is it?")
    assert first.changed_at > 1e9
    kept.put("b", _conversation("b", "word " * 40))
    assert [one.id for one in kept.all()] == ["b", "a"]
    assert len(kept.get("b").title) <= 60
    assert stat.S_IMODE((tmp_path / "chats").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "chats" / "a.json").stat().st_mode) == 0o600
    kept.delete("a")
    for ask in (kept.get, kept.delete):
        with pytest.raises(NotFoundError, match="No such conversation"):
            ask("a")


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "a.json", "x" * 65, "é", "a\0"])
def test_ids_stay_within_their_folder(tmp_path: Path, name: str) -> None:
    kept = Conversations(tmp_path / "chats")
    for ask in (kept.get, kept.delete, lambda one: kept.put(one, _conversation("a", "x"))):
        with pytest.raises(LoraDeckError, match="No id"):
            ask(name)
    assert not (tmp_path / "chats").exists()


def test_a_damaged_conversation_hides_no_other(tmp_path: Path) -> None:
    kept = Conversations(tmp_path / "chats")
    kept.put("a", _conversation("a", "x"))
    (tmp_path / "chats" / "b.json").write_bytes(b"{torn")
    assert [one.id for one in kept.all()] == ["a"]
    with pytest.raises(LoraDeckError, match=r"b\.json is damaged"):
        kept.get("b")
