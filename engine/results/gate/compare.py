"""Compares what a form of an adapter says with what the adapter says, and judges it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.language import tr, trn
from engine.results.export.types import Agreement
from engine.results.gate.tolerance import DISTINCT, GIBBERISH, LOSSLESS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.results.gate.speech import Heard, Reference

_LONGEST_SHOWN = 400


def agreement_of_base(references: Sequence[Reference], heard: Sequence[Heard]) -> Agreement:
    """Say how far the base is from its adapter: the measure for all other forms."""
    base = _measured("base", references, heard).model_copy(update={"judged": False})
    if base.logprob_mean is not None and base.logprob_mean < DISTINCT:
        words = tr("On these prompts the adapter hardly differs from its base.")
        return base.model_copy(update={"problem": words})
    return _pointed(base, references, heard)


def judge(
    name: str,
    references: Sequence[Reference],
    heard: Sequence[Heard],
    base: Agreement,
    *,
    lossless: bool,
) -> Agreement:
    """Compare a form of the adapter with it, and say whether it may be handed over.

    Args:
        name: Of the form, as ``gguf f16``.
        references: What the adapter says.
        heard: What the form says to each.
        base: How far the base is, by ``agreement_of_base``.
        lossless: Whether it has to keep to the tolerance; a lossy one is refused where it has
            lost what was trained, or where its prompts or its end are others.
    """
    found = _measured(name, references, heard).model_copy(update={"judged": lossless})
    fault = next((one for one in zip(references, heard, strict=True) if one[1].fault), None)
    if fault:
        reference, said = fault
        return _failed(found, said.fault, reference, said.expected, said.found)
    problem = _too_far(found, references, heard) if lossless else _lost(found, base)
    if not problem:
        return _pointed(found, references, heard)
    return _pointed(
        found.model_copy(update={"passed": False, "problem": problem}), references, heard
    )


def _measured(name: str, references: Sequence[Reference], heard: Sequence[Heard]) -> Agreement:
    """Count and average."""
    apart = [
        abs(ours - theirs)
        for one, said in zip(references, heard, strict=True)
        for ours, theirs in zip(one.logprobs, said.logprobs, strict=False)
        if theirs is not None
    ]
    return Agreement(
        name=name,
        prompts=len(references),
        tokens=sum(len(one.answer) for one in references),
        agreeing=sum(sum(said.likeliest) for said in heard),
        logprob_mean=sum(apart) / len(apart) if apart else None,
        logprob_max=max(apart, default=None),
        same_answers=sum(
            said.text == one.text for one, said in zip(references, heard, strict=True)
        ),
    )


def _too_far(found: Agreement, references: Sequence[Reference], heard: Sequence[Heard]) -> str:
    """Say why a lossless form does not keep to the tolerance; empty where it does."""
    if found.logprob_mean is not None and not found.logprob_mean <= LOSSLESS.mean:
        return tr(
            "Its log-probabilities are {apart:.2f} from the adapter's on average; "
            "{most} is what the number format explains.",
            apart=found.logprob_mean,
            most=LOSSLESS.mean,
        )
    clear = sum(
        not agrees and margin > LOSSLESS.margin
        for one, said in zip(references, heard, strict=True)
        for agrees, margin in zip(said.likeliest, one.margins, strict=False)
    )
    if clear:
        return trn(
            "It chooses otherwise than the adapter at one token where the adapter is clear.",
            "It chooses otherwise than the adapter at {count} tokens where the adapter is clear.",
            clear,
        )
    return ""


def _lost(found: Agreement, base: Agreement) -> str:
    """Say that a lossy form has lost what was trained; empty where it has not."""
    if found.agreement >= GIBBERISH:
        return ""
    no_nearer = found.agreement <= base.agreement
    if found.logprob_mean is not None and base.logprob_mean is not None:
        no_nearer = found.logprob_mean >= base.logprob_mean
    if not no_nearer:
        return ""
    return tr(
        "So coarse, it has lost what was trained: it agrees in {share:.0%} of the "
        "tokens, and is no nearer to the adapter than the base is.",
        share=found.agreement,
    )


def _pointed(
    found: Agreement, references: Sequence[Reference], heard: Sequence[Heard]
) -> Agreement:
    """Add the first answer that differs."""
    for one, said in zip(references, heard, strict=True):
        if said.text != one.text:
            return found.model_copy(update=_place(one, one.text, said.text))
    return found


def _failed(
    found: Agreement, problem: str, reference: Reference, expected: str, heard: str
) -> Agreement:
    """Refuse a form for a fault at one prompt."""
    place = _place(reference, expected, heard)
    return found.model_copy(update={"passed": False, "problem": problem, **place})


def _place(reference: Reference, expected: str, found: str) -> dict[str, str]:
    """Say where something differs, in bearable length."""
    return {
        "prompt": _brief(reference.prompt.question or reference.prompt.text),
        "expected": _brief(expected),
        "found": _brief(found),
    }


def _brief(text: str) -> str:
    """Cut a text that is too long to be shown."""
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
