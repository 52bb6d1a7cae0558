"""The base models in a table drawn by lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from engine.text import human_bytes, human_count
from screens.format import Sign, fitted, one_line
from screens.widgets.line_list import LineList

if TYPE_CHECKING:
    from rich.style import Style

    from engine.models.types import ModelInfo

_WIDTHS = {"source": 8, "size": 11, "context": 9, "disk": 10, "state": 17}


class ModelList(LineList["ModelInfo"]):
    """Models by name, with source, parameters, context, size on disk and state."""

    def lines_of(self, item: ModelInfo, width: int) -> list[Text]:
        """Draw a model."""
        shape = item.shape
        words = {
            "source": item.source,
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
    share = f" {model.progress:.0%}" if model.progress is not None else ""
    if model.problem and model.state == "absent":
        return Sign("✗", "failed", "bad")
    return {
        "ready": Sign("●", "ready", "good"),
        "absent": Sign("○", "to fetch", "dim"),
        "downloading": Sign("↓", f"fetching{share}", "run"),
        "converting": Sign("↻", f"converting{share}", "run"),
    }[model.state]


def heading(width: int) -> Text:
    """Draw the head of the table."""
    words = {"source": "source", "size": "parameters", "context": "context", "disk": "size"}
    line = columns("name", words, width - 2, "")
    return Text(" ").append_text(line).append(fitted("  state", _WIDTHS["state"]))


def columns(name: str, words: dict[str, str], width: int, style: Style | str) -> Text:
    """Draw the columns up to the state; the name takes what the others leave."""
    room = width - sum(_WIDTHS.values())
    line = Text(fitted(name, room))
    line.append(fitted(f" {words['source']}", _WIDTHS["source"]), style)
    for key in ("size", "context", "disk"):
        line.append(words[key].rjust(_WIDTHS[key]), style)
    return line
