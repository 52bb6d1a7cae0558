"""What is said of a base model beyond its name: whether it fits this machine, template, licence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.language import mark, tr
from engine.text import human_bytes, human_count, human_left, human_width
from screens.format import Sign, one_line

if TYPE_CHECKING:
    from engine.models.types import Capacity, ModelInfo

_TOO_LARGE = Sign("✗", mark("too large"), "bad")
UNKNOWN = "–"


def fit_sign(capacity: Capacity) -> Sign:
    """Tell in which format a model can be trained here, by glyph and word."""
    if capacity.fits == "no":
        return _TOO_LARGE
    bits = human_width(capacity.dtype) if capacity.fits == "plain" else tr("4-bit")
    return Sign("✓" if capacity.fits == "plain" else "▲", bits,
                "good" if capacity.fits == "plain" else "warn")  # fmt: skip


def template_words(model: ModelInfo) -> str:
    """Say whether a model brings a chat template; the default one serves where it does not."""
    if model.template is None:
        return UNKNOWN
    return tr("own") if model.template else tr("default")


def fact_words(model: ModelInfo) -> str:
    """Say in a line what a model is; empty while its files are not at hand."""
    shape = model.shape
    if shape is None:
        return ""
    facts = [
        one_line(shape.architecture),
        tr("{count} parameters", count=human_count(shape.parameters)),
        tr("context {tokens}", tokens=f"{shape.context:,}"),
    ]
    if model.template is not None:
        facts.append(tr("own chat template") if model.template else tr("LoRADeck's chat template"))
    facts.append(one_line(model.licence) if model.licence else tr("licence not told"))
    return " · ".join(facts)


def fetch_words(model: ModelInfo) -> str:
    """Say how much of a download or conversion is done, and how long it still takes."""
    words = []
    if model.progress is not None and model.state == "downloading" and model.size_bytes:
        done = human_bytes(round(model.progress * model.size_bytes))
        words.append(tr("{done} of {size} fetched", done=done, size=human_bytes(model.size_bytes)))
    if model.seconds_left is not None:
        words.append(human_left(model.seconds_left))
    return " · ".join(words)


def capacity_words(capacity: Capacity) -> str:
    """Say what training takes at least, beside what is free."""
    needed = tr(
        "{bytes} in {bits}", bytes=human_bytes(capacity.needed), bits=human_width(capacity.dtype)
    )
    if capacity.needed_4bit is not None:
        small = tr("{bytes} in {bits}", bytes=human_bytes(capacity.needed_4bit), bits=tr("4-bit"))
        needed = tr("{one}, {other}", one=needed, other=small)
    free = human_bytes(capacity.free)
    return tr("Training takes at least {needed}; {free} are free.", needed=needed, free=free)
