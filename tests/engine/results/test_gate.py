"""The gate's judgement, over answers made up here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.results.gate.gate import Gate
from engine.results.gate.speech import Heard, Reference
from engine.results.prompts import Prompt

if TYPE_CHECKING:
    from engine.results.export.types import Agreement

PROMPT = Prompt(text="ask", prompt_ids=(1, 2), question="What?", reference="", end_id=9)
OTHER = -4.0
"""The log-probability that an untrained base gives the adapter's tokens."""


def reference(text: str = "abc", margin: float = 3.0) -> Reference:
    """An answer of a token a character."""
    count = len(text)
    return Reference(
        prompt=PROMPT,
        answer=tuple(range(count)),
        logprobs=(-0.1,) * count,
        margins=(margin,) * count,
        text=text,
        reaches=tuple(range(1, count + 1)),
        ended=False,
    )


def heard(likeliest: str, logprob: float | None, text: str = "abc", fault: str = "") -> Heard:
    """What a form makes of it: a plus where it agrees."""
    agree = tuple(one == "+" for one in likeliest)
    return Heard(agree, (logprob,) * len(agree), text, fault, "wanted" if fault else "")


def judged(form: Heard, *, lossless: bool = True, margin: float = 3.0) -> Agreement:
    """Judge a form whose base is far away."""
    gate = Gate([reference(margin=margin)], [heard("-+-", OTHER, "xbz")])
    gate.judge("form", [form], lossless=lossless)
    return gate.found[-1]


def test_faithful_form_passes_and_figures_are_told() -> None:
    found = judged(heard("+++", -0.13))
    assert (found.passed, found.judged, found.tokens, found.agreeing) == (True, True, 3, 3)
    assert found.logprob_mean == pytest.approx(0.03)
    assert (found.same_answers, found.problem, found.prompt) == (1, "", "")


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        (heard("+++", OTHER), "log-probabilities are 3.90 from the adapter's"),
        (heard("+++", float("nan")), "log-probabilities are nan"),
        (heard("+-+", -0.1, "axc"), "otherwise than the adapter at one token"),
        (heard("", None, fault="No template."), "No template."),
    ],
)
def test_unfaithful_form_is_refused_and_says_where(form: Heard, problem: str) -> None:
    found = judged(form)
    assert not found.passed
    assert problem in found.problem
    if form.text != "abc" or form.fault:
        assert (found.prompt, found.found) == ("What?", form.found or form.text * (not form.fault))


def test_a_token_that_the_adapter_hardly_prefers_may_fall_to_another() -> None:
    assert judged(heard("+-+", -0.1, "axc"), margin=0.1).passed


def test_lossy_form_shows_what_it_costs_unless_it_lost_what_was_trained() -> None:
    coarse = judged(heard("++-", -0.9, "abx"), lossless=False)
    assert (coarse.passed, coarse.judged, coarse.found) == (True, False, "abx")
    gone = judged(heard("---", OTHER - 1, "xyz"), lossless=False)
    assert not gone.passed
    assert "lost what was trained" in gone.problem
    assert not judged(heard("", None, fault="No template."), lossless=False).passed


def test_adapter_that_hardly_differs_from_its_base_is_said_to() -> None:
    gate = Gate([reference()], [heard("+++", -0.12)])
    gate.judge("merged", [heard("+++", -0.1)], lossless=True)
    assert gate.passed
    assert "hardly differs from its base" in gate.base.problem


def test_texts_alone_are_compared_as_far_as_they_agree() -> None:
    gate = Gate([reference(), reference("xy")], [heard("---", OTHER), heard("--", OTHER)])
    gate.judge_texts("ollama", ["abc\n", "xz"], lossless=False)
    found = gate.found[-1]
    assert (found.agreeing, found.tokens, found.same_answers) == (4, 5, 1)
    assert (found.logprob_mean, found.expected, found.found) == (None, "xy", "xz")
    gate.judge_texts("ollama", ["abc", "xz"], lossless=True)
    assert not gate.passed
