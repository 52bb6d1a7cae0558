"""Adapters and models that lie on this machine, in a table drawn by lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType

from engine.language import mark, tr
from engine.text import human_bytes
from screens.format import Sign, fitted, one_line, right_fitted
from screens.widgets.line_list import LineList

if TYPE_CHECKING:
    from rich.style import Style

    from engine.models.found import FoundModel

_KINDS = {
    "adapter": mark("adapter"),
    "merged": mark("merged"),
    "base": mark("base"),
    "gguf": "gguf",
}
_KIND, _SIZE, _STATE = 9, 9, 16
_BASE_SHARE = 0.4
"""Of what the other columns leave, the part that the base's name gets."""


class FoundList(LineList["FoundModel"]):
    """What was found, by kind and name, with its base, its size and whether it can be used."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Actions", key_display="enter", id="found.actions",
                tooltip="What can be done with the model or adapter"),
    ]  # fmt: skip

    def lines_of(self, item: FoundModel, width: int) -> list[Text]:
        """Draw a find."""
        sign = found_sign(item)
        size = human_bytes(item.size_bytes) if item.size_bytes else "–"
        base = one_line(item.base) or "–"
        kind = tr(_KINDS[item.kind])
        line = columns(kind, one_line(item.name), base, size, width, self.tone("dim"))
        return [line.append(fitted(f"  {sign.glyph} {sign.word}", _STATE), self.tone(sign.tone))]


def found_sign(found: FoundModel) -> Sign:
    """Tell by glyph and word whether a find can be used, and whether its base is here."""
    if found.problem:
        return Sign("✗", tr("not usable"), "bad")
    if found.kind != "adapter":
        return Sign("●", tr("ready"), "good")
    if not found.base_here:
        return Sign("▲", tr("base missing"), "warn")
    return Sign("●", tr("base here"), "good")


def heading(width: int) -> Text:
    """Draw the head of the table."""
    words = tr("kind"), tr("name"), tr("base"), tr("size")
    line = columns(*words, width - 2, "")
    return Text(" ").append_text(line).append(fitted(f"  {tr('state')}", _STATE))


def columns(kind: str, name: str, base: str, size: str, width: int, style: Style | str) -> Text:
    """Draw the columns up to the state; name and base share what the others leave."""
    room = max(width - _KIND - _SIZE - _STATE, 0)
    of_base = round(room * _BASE_SHARE)
    line = Text.assemble((fitted(kind, _KIND), style), fitted(name, room - of_base - 1))
    line.append(" " + fitted(base, of_base), style)
    return line.append(right_fitted(size, _SIZE), style)
