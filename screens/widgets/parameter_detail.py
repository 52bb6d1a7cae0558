"""What is known of one parameter: its meaning, its range, its whole reason and source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from engine.language import mark, tr
from engine.text import visible
from screens.parameters import meaning, range_words

if TYPE_CHECKING:
    from screens.widgets.parameter_list import Parameter

_SIGNS = {
    "planned": ("", "$muted"), "set": (mark("✎ set by you"), "$text-warning"),
    "refused": (mark("✗ refused"), "$text-error"),
}  # fmt: skip


class ParameterDetail(Static):
    """Tells about the parameter under the cursor."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(markup=False, id=id)

    def put(self, item: Parameter) -> None:
        """Show a parameter."""
        self.border_title = item.key
        state, style = _SIGNS[item.state]
        how = f" {tr(state)}" if state else ""
        lines = [
            Content(meaning(item.key)),
            Content.assemble(
                (f"{tr('now')} ", "$muted"), (item.value, "bold"), (how, style),
                (f"  {tr('takes')} ", "$muted"), range_words(item.key),
            ),
            _why(item),
        ]  # fmt: skip
        self.update(Content("\n").join(lines))


def _why(item: Parameter) -> Content:
    """Give the whole reason, and where its rule comes from."""
    reason, source = visible(item.reason), visible(item.source)
    return Content.assemble(
        (f"{tr('why')} " if reason else "", "$muted"), reason,
        (f"  {tr('source')} " if source else "", "$muted"), source,
    )  # fmt: skip
