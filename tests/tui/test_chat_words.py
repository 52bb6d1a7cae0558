"""Conversations and settings as they are read and written, without an app."""

from __future__ import annotations

import pytest

from engine.errors import LoraDeckError
from engine.results.chat.types import ChatMessage, Conversation, Sampling
from screens.partner import Partner, find_partner, of_assistant, of_model, of_task
from screens.sampling_words import read_sampling, sampling_words, setting_meaning, written
from screens.session import Session
from screens.talk import Turn, begin, go_on
from screens.widgets.flowing_text import blocks_of
from screens.widgets.turn_view import foot_words
from tests.tui.fake_chat import KEEPER, answered
from tests.tui.fake_engine import DEMO, FakeEngine
from tests.tui.test_chat import DONE, FERRY

ODD = Sampling(
    temperature=0, top_p=0.5, top_k=0, repetition_penalty=1.125, max_tokens=131_072, seed=0,
    stop=("\nUser:", "</s>"),
)  # fmt: skip


@pytest.mark.parametrize("sampling", [Sampling(), ODD])
def test_settings_are_read_as_they_were_written(sampling: Sampling) -> None:
    assert read_sampling(written(sampling)) == sampling


@pytest.mark.parametrize(
    ("key", "text", "words"),
    [
        ("temperature", "5.1", "temperature takes a number, at least 0, at most 5; not '5.1'."),
        ("temperature", "nan", "temperature takes a number, at least 0, at most 5; not 'nan'."),
        ("top_p", "0", "top_p takes a number, above 0, at most 1; not '0'."),
        ("top_k", "", "top_k takes a whole number, at least 0, at most 100,000; not nothing."),
        ("max_tokens", "1.5", "max_tokens takes a whole number, at least 1, at most 131,072;"
                              " not '1.5'."),
        ("seed", "x\x1b", "seed takes a whole number, at least 0, below 4,294,967,296, or nothing;"
                          " not 'x␛'."),
        ("stop", "|".join(map(str, range(17))), "stop takes at most 16 texts."),
    ],
)  # fmt: skip
def test_what_is_out_of_range_is_said(key: str, text: str, words: str) -> None:
    with pytest.raises(LoraDeckError) as refused:
        read_sampling({**written(Sampling()), key: text})
    assert refused.value.message == words


def test_settings_are_summed_up() -> None:
    assert sampling_words(Sampling()) == "temperature 0.7 · at most 512 tokens"
    assert sampling_words(ODD).endswith("top_p 0.5 · top_k 0 · repetition_penalty 1.125 · seed 0")
    assert {setting_meaning(key) for key in Sampling.model_fields}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tokens": 1}, "first token 0.31 s · 1 token"),
        ({"tokens": 0}, "no token"),
        ({"tokens": 900, "tokens_per_second": 1234.5, "first_token_seconds": 75.0},
         "first token 1 min 15 s · 1,234 tokens/s · 900 tokens"),
        ({"finish": "cancelled", "tokens_per_second": 4.26},
         "■ stopped\nfirst token 0.31 s · 4.3 tokens/s · 5 tokens"),
        (None, "■ stopped"),
    ],
)  # fmt: skip
def test_how_fast_an_answer_came(changes: dict[str, object] | None, words: str) -> None:
    assert foot_words(answered("x", **changes) if changes else None).plain == words


def test_a_conversation_is_kept_and_goes_on() -> None:
    talk = begin(FERRY, compare=True)
    talk.take(Turn("One\n  two?", "A", "B"), anew=False)
    talk.take(Turn("Three?", "C"), anew=False)
    talk.take(Turn("Four?", "D"), anew=True)
    kept = talk.kept(5.0)
    assert (kept.title, kept.changed_at, kept.id) == ("One two?", 5.0, talk.id)
    again = go_on(kept, FERRY)
    assert again.turns == [Turn("One\n  two?", "A", "B"), Turn("Four?", "D")]
    assert (again.id, again.compare) == (talk.id, False)
    assert begin(FERRY).id != talk.id


def test_a_conversation_of_another_program_is_read() -> None:
    roles = ("system", "assistant", "user", "user", "assistant")
    messages = tuple(ChatMessage(role=role, content=role) for role in roles)  # type: ignore[arg-type]
    found = go_on(Conversation(id="x", target="a", title="", messages=messages), FERRY)
    assert found.turns == [Turn("user", ""), Turn("user", "assistant")]


async def test_who_a_conversation_was_with_is_found() -> None:
    engine = FakeEngine([DONE])
    session = Session(home=None, connected_client=engine)  # type: ignore[arg-type]
    session.tasks = dict(engine.views)
    wanted = {
        "keeper": of_assistant(KEEPER), "ferry-times": of_task(DONE.task), "demo": of_model(DEMO),
        "/adapters/x": Partner("/adapters/x", adapted=True),
    }  # fmt: skip
    for target, partner in wanted.items():
        assert await find_partner(session, target) == partner
    assert [partner.words for partner in wanted.values()] == [
        "keeper on demo", "ferry-times on demo", "demo", "/adapters/x"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["", "a\n\nb", "x" * 9001, "ab " * 4000, "line\n" * 3000, "问\n" * 5]
)
def test_a_long_text_is_cut_into_blocks_that_growth_leaves_alone(text: str) -> None:
    blocks = blocks_of(text)
    assert max(map(len, blocks)) <= 4000
    assert blocks_of(text + "more\n")[: len(blocks) - 1] == blocks[:-1]
    if "\n" in text or len(text) < 4000:
        assert "\n".join(blocks) == text
    else:
        assert "".join(blocks) == text
