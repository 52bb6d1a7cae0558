"""The datasets at hand: samples and those in the home."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from engine.language import tr
from screens.format import one_line, two_sided
from screens.widgets.line_list import LineList

if TYPE_CHECKING:
    from engine.server.wire import DatasetInfo

_TYPE_WIDTH = 9
_WIDE = 46


class DatasetList(LineList["DatasetInfo"]):
    """Datasets by name, with type and rows, or with what is wrong with them."""

    ASKS = True

    def lines_of(self, item: DatasetInfo, width: int) -> list[Text]:
        """Draw a dataset."""
        if item.problem:
            right = Text(f"✗ {tr('problem')}", style=self.tone("bad"))
        else:
            kind = f"{item.dataset_type or '':<{_TYPE_WIDTH}}" if width >= _WIDE else ""
            rows = tr("{rows} rows", rows=f"{item.rows:>6}")
            right = Text(kind + rows, self.tone("dim"))
        return [two_sided(Text(one_line(item.name)), right, width)]
