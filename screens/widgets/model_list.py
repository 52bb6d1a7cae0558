"""The base models in a table drawn by lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from engine.language import mark, tr
from engine.text import human_bytes, human_count
from screens.format import Sign, fitted, one_line, right_fitted
from screens.widgets.line_list import LineList

if TYPE_CHECKING:
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
_WIDTHS = {"source": 8, "size": 11, "context": 9, "disk": 10, "state": 17}


class ModelList(LineList["ModelInfo"]):
    """Models by name, with source, parameters, context, size on disk and state."""

    def lines_of(self, item: ModelInfo, width: int) -> list[Text]:
        """Draw a model."""
        shape = item.shape
        words = {
            "source": source_words(item),
            "size": human_count(shape.parameters) if shape else "–",
            "context": str(shape.context) if shape else "–",
            "disk": human_bytes(item.size_bytes) if item.size_bytes is not None else "–",
        }
        sign = model_sign(item)
        line = columns(one_line(item.name), words, width, self.tone("dim"))
        state = fitted(f"  {sign.glyph} {sign.word}", _WIDTHS["state"])
        return [line.append(state, self.tone(sign.tone))]


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
    }
    line = columns(tr("name"), words, width - 2, "")
    return Text(" ").append_text(line).append(fitted(f"  {tr('state')}", _WIDTHS["state"]))


def columns(name: str, words: dict[str, str], width: int, style: Style | str) -> Text:
    """Draw the columns up to the state; the name takes what the others leave."""
    room = width - sum(_WIDTHS.values())
    line = Text(fitted(name, room))
    line.append(fitted(f" {words['source']}", _WIDTHS["source"]), style)
    for key in ("size", "context", "disk"):
        line.append(right_fitted(words[key], _WIDTHS[key]), style)
    return line
