"""What a plot of curves needs; imported when one is first shown, since it brings numpy along."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.color import Color
from textual_plot import PlotWidget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.binding import BindingType
    from textual_plot import LegendLocation

_RIGHT = 0.02
"""Of the width, what stays free at the right: a point on the very edge is not drawn."""


class ThemedPlot(PlotWidget, can_focus=False, inherit_bindings=False):  # type: ignore[misc, call-arg]
    """A plot without keys of its own, in the theme's colours."""

    BINDINGS: ClassVar[list[BindingType]] = []

    DEFAULT_CSS = """
    ThemedPlot {
        color: $primary;
        & > .plot--axis { color: $border-blurred; }
        & > .plot--tick { color: $muted; text-style: none; }
        & > .plot--label { color: $muted; text-style: none; }
    }
    """

    def __init__(
        self,
        legend: LegendLocation | None = None,
        *,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id, allow_pan_and_zoom=False)
        self._legend_at = legend

    def on_mount(self, event: events.Mount) -> None:
        """Set the margins, and the legend where one is wanted; the panel around says the rest."""
        if not self.children:  # the screen was left before the plot was whole
            event.prevent_default()
            return
        self.margin_top, self.margin_bottom, self.margin_left = 0, 1, 7
        if self._legend_at is None:
            self.show_legend(is_visible=False)
        else:
            self.show_legend(self._legend_at)

    def _update_margin_sizes(self) -> None:
        """Set them where there is something around which they lie."""
        if self.children:
            super()._update_margin_sizes()

    def redraw(self) -> None:
        """Draw what is shown anew."""
        raise NotImplementedError

    def notify_style_update(self) -> None:
        """Draw anew in the theme's colours."""
        super().notify_style_update()
        if self.children:
            self.redraw()

    def frame(self, xs: Sequence[float], ys: Sequence[float], least: float = 0.02) -> None:
        """Set the ends of both axes, so that all of these points lie within.

        Args:
            xs: Where the points lie along.
            ys: Where they lie upwards; without any, that axis stays.
            least: What the upward axis spans at least.
        """
        first, last = min(xs), max(*xs, min(xs) + 1)
        self.set_xlimits(first, last + _RIGHT * (last - first))
        if ys:
            self.set_ylimits(*_limits(ys, least))

    def colour(self, name: str, share: float = 1.0) -> str:
        """Give a theme's colour, mixed with the background."""
        variables = self.app.theme_variables
        colour = Color.parse(variables[name])
        return Color.parse(variables["background"]).blend(colour, share).rich_color.name


def _limits(values: Sequence[float], least: float) -> tuple[float, float]:
    """Give an axis its ends: never without a span, which the ticks cannot divide."""
    low, high = min(values), max(values)
    span = max(1.1 * (high - low), 0.02 * max(abs(low), abs(high)), least)
    middle = (low + high) / 2
    return middle - span / 2, middle + span / 2
