"""The template that Ollama gets makes the prompt that was trained, for every family's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.data.template import ChatTemplate
from engine.data.types import Message
from engine.results.ollama.template import learn
from tests.go_template import GoTemplateError, render

TEMPLATES = Path(__file__).parents[2] / "data" / "templates"
FILES = sorted(TEMPLATES.rglob("*.jinja"))
TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}
CONVERSATIONS = [
    [("user", "What is 2 {{ .Content }}?")],
    [("system", "Be brief."), ("user", "Hello\nthere")],
    [("user", "One"), ("assistant", "Two, {{ three }}"), ("user", "四")],
    [("system", "S"), ("user", "1"), ("assistant", "2"), ("user", "3")],
    [*[("user", "q"), ("assistant", "a")] * 3, ("user", "last")],
]


def _rendered(go: str, turns: list[tuple[str, str]]) -> str:
    messages = [{"Role": role, "Content": content} for role, content in turns]
    return render(go, {"Messages": messages})


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(TEMPLATES)))
def test_the_prompt_is_the_trained_one(file: Path) -> None:
    template = ChatTemplate(file.read_text(), TOKENS)
    learned = learn(template)
    if learned is None:
        pytest.skip("it does more than put text between turns; Ollama has to know it")
    for turns in CONVERSATIONS:
        messages = [Message(role=role, content=content) for role, content in turns]
        expected = template.render(messages, add_generation_prompt=True)
        assert learned.render(turns) == expected
        assert _rendered(learned.as_go(), turns) == expected


def test_nearly_all_families_are_learned() -> None:
    learned = [learn(ChatTemplate(file.read_text(), TOKENS)) for file in FILES]
    assert sum(one is not None for one in learned) >= 0.9 * len(FILES)


def test_the_beginning_of_text_is_left_to_ollama() -> None:
    template = ChatTemplate(
        "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}>", TOKENS
    )
    learned = learn(template)
    assert learned is not None
    assert learned.render([("user", "q")]) == "<s>[user]q>"
    plain = learned.without_start("<s>")
    assert plain.render([("user", "q")]) == "[user]q>"
    assert _rendered(plain.as_go(), [("user", "a"), ("assistant", "b"), ("user", "c")]) == (
        "[user]a[assistant]b[user]c>"
    )


@pytest.mark.parametrize(
    "source",
    [
        "{% for m in messages %}{{ m.content[::-1] }}{% endfor %}",
        "{{ messages[-1].content }}",
        "{% for m in messages %}{{ loop.index }}{{ m.content }}{% endfor %}",
        "{{ raise_exception('never') }}",
    ],
)
def test_what_does_more_is_not_learned(source: str) -> None:
    assert learn(ChatTemplate(source, TOKENS)) is None


def test_a_template_without_system_turns() -> None:
    source = (
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no') }}{% endif %}"
        "({{ m.role }}){{ m.content }}{% endfor %}!"
    )
    learned = learn(ChatTemplate(source, TOKENS))
    assert learned is not None
    assert learned.takes_system  # folded into the first question, as the training does


@pytest.mark.parametrize("source", ["{{ if .X }}", "{{ end }}", "{{ $x = 1 }}", "{{ .X | trim }}"])
def test_the_tests_own_go_refuses_what_go_refuses(source: str) -> None:
    with pytest.raises(GoTemplateError):
        render(source, {"X": "x"})
