"""The base models in a table drawn by lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from engine.language import mark, tr
from engine.text import human_bytes, human_count
from screens.format import Sign, fitted, one_line, right_fitted
from screens.model_words import UNKNOWN, fit_sign, template_words
from screens.widgets.line_list import LineList

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.style import Style

    from engine.models.types import ModelInfo

_SOURCES = {
    "home": mark("home"),
    "folder": mark("folder"),
    "gguf": "gguf",
    "cache": mark("cache"),
    "hub": mark("hub"),
    "demo": mark("demo"),
}
_SIGNS = {
    "ready": Sign("●", mark("ready"), "good"),
    "absent": Sign("○", mark("to fetch"), "dim"),
    "downloading": Sign("↓", mark("fetching"), "run"),
    "converting": Sign("↻", mark("converting"), "run"),
}
_WIDTHS = {
    "source": 9,
    "size": 11,
    "context": 9,
    "disk": 10,
    "template": 10,
    "licence": 15,
    "fits": 13,
    "state": 19,
}
_LEFT = {"source", "template", "licence", "fits", "state"}
_NAME = 20  # cells that a name has at least
_DISPENSABLE = ("licence", "template", "context", "source")
"""What stands beneath the table as well, and leaves it first where there is little room."""


class ModelList(LineList["ModelInfo"]):
    """Models by name, with source, sizes, template, licence, state, and whether they fit."""

    ASKS = True

    def lines_of(self, item: ModelInfo, width: int) -> list[Text]:
        """Draw a model."""
        shape, dim = item.shape, self.tone("dim")
        cells: dict[str, tuple[str, Style | str]] = {
            "source": (source_words(item), dim),
            "size": (human_count(shape.parameters) if shape else UNKNOWN, dim),
            "context": (f"{shape.context:,}" if shape else UNKNOWN, dim),
            "disk": (human_bytes(item.size_bytes) if item.size_bytes else UNKNOWN, dim),
            "template": (template_words(item), dim),
            "licence": (one_line(item.licence) or UNKNOWN, dim),
            "fits": (UNKNOWN, dim),
        }
        if item.capacity is not None:
            fit = fit_sign(item.capacity)
            cells["fits"] = fit.shown, self.tone(fit.tone)
        sign = model_sign(item)
        cells["state"] = f"{sign.glyph} {sign.word}", self.tone(sign.tone)
        return [columns(one_line(item.name), cells, width)]


def model_sign(model: ModelInfo) -> Sign:
    """Give a model's state by glyph and word, with how far a fetch is."""
    if model.problem and model.state == "absent":
        return Sign("✗", tr("failed"), "bad")
    glyph, word, tone = _SIGNS[model.state]
    share = f" {model.progress:.0%}" if model.progress is not None else ""
    return Sign(glyph, tr(word) + share, tone)


def source_words(model: ModelInfo) -> str:
    """Say where a model lies, in a word."""
    return tr(_SOURCES[model.source])


def heading(width: int) -> Text:
    """Draw the head of the table."""
    words = {
        "source": tr("source"),
        "size": tr("parameters"),
        "context": tr("context"),
        "disk": tr("size"),
        "template": tr("template"),
        "licence": tr("licence"),
        "fits": tr("fits"),
        "state": tr("state"),
    }
    cells: dict[str, tuple[str, Style | str]] = {key: (word, "") for key, word in words.items()}
    return Text(" ").append_text(columns(tr("name"), cells, width - 2))


def columns(name: str, cells: Mapping[str, tuple[str, Style | str]], width: int) -> Text:
    """Draw the columns that there is room for; the name takes what the others leave."""
    shown = list(_WIDTHS)
    for key in _DISPENSABLE:
        if width - sum(_WIDTHS[one] for one in shown) >= _NAME:
            break
        shown.remove(key)
    line = Text(fitted(name, width - sum(_WIDTHS[key] for key in shown)))
    for key in shown:
        (words, style), room = cells[key], _WIDTHS[key]
        line.append(
            fitted(f"  {words}", room) if key in _LEFT else right_fitted(words, room), style
        )
    return line
