"""The assistants: each with its base, its adapter and what it is for."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType

from engine.language import tr
from engine.results.chat.types import Assistant
from screens.format import fitted, one_line, two_sided
from screens.widgets.line_list import LineList


class AssistantList(LineList[Assistant]):
    """Two lines each."""

    ASKS = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Chat", key_display="enter", id="assistants.chat",
                tooltip="Talk to the assistant"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__(
            tr(
                "No assistant yet. Press n: a base model, an adapter, a system prompt and sampling"
                " settings under one name."
            )
        )

    def height_of(self, item: Assistant) -> int:
        """Those that are described take a second line."""
        return 2 if item.description else 1

    def lines_of(self, item: Assistant, width: int) -> list[Text]:
        """Draw an assistant."""
        adapter, base = one_line(item.adapter), one_line(item.base_model)
        words = tr("no adapter on {base}", base=base)
        if adapter:
            words = tr("{name} on {base}", name=adapter, base=base)
        right = fitted(words, width // 2).rstrip()
        name = Text.assemble((one_line(item.name), self.tone("strong")))
        first = two_sided(name, Text(right, self.tone("dim")), width)
        if not item.description:
            return [first]
        return [first, Text(fitted(f"  {one_line(item.description)}", width), self.tone("dim"))]
