"""The loss curve; imported when it is first shown, since it brings numpy along."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.color import Color
from textual.geometry import Offset
from textual_plot import HiResMode, LegendLocation, PlotWidget

from engine.language import tr
from screens.format import widest

if TYPE_CHECKING:
    from textual import events
    from textual.binding import BindingType

    from screens.curve import Curve

_RIGHT = 0.02
"""Of the width, what stays free at the right: a point on the very edge is not drawn."""


class LossPlot(PlotWidget, can_focus=False, inherit_bindings=False):  # type: ignore[misc, call-arg]
    """Raw, smoothed and held-out losses over the steps."""

    BINDINGS: ClassVar[list[BindingType]] = []

    DEFAULT_CSS = """
    LossPlot {
        color: $primary;
        & > .plot--axis { color: $border-blurred; }
        & > .plot--tick { color: $muted; text-style: none; }
        & > .plot--label { color: $muted; text-style: none; }
        #legend { border: none; background: transparent; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, allow_pan_and_zoom=False)
        self._curve: Curve | None = None

    def on_mount(self, event: events.Mount) -> None:
        """Set the margins; the panel around says what is shown."""
        if not self.children:  # the screen was left before the plot was whole
            event.prevent_default()
            return
        self.margin_top, self.margin_bottom, self.margin_left = 0, 1, 7
        self.show_legend(LegendLocation.TOPRIGHT)

    def _update_margin_sizes(self) -> None:
        """Set them where there is something around which they lie."""
        if self.children:
            super()._update_margin_sizes()

    def _get_legend_origin_coordinates(self, location: LegendLocation) -> Offset:
        """Leave the legend its room at the right, counted in cells, not in characters."""
        origin = Offset(*super()._get_legend_origin_coordinates(location))
        if location not in (LegendLocation.TOPRIGHT, LegendLocation.BOTTOMRIGHT):
            return origin
        labels = [label for label in self._labels if label]
        more = widest(labels) - max(map(len, labels), default=0)
        return origin - Offset(more, 0)

    def draw(self, curve: Curve) -> None:
        """Draw the curve as it is now."""
        self._curve = curve
        self.clear()
        if not curve.steps:
            return
        first, last = curve.steps[0], max(curve.steps[-1], curve.steps[0] + 1)
        self.set_xlimits(first, last + _RIGHT * (last - first))
        self.set_ylimits(*_limits(curve.raw + curve.smooth + curve.eval))
        mode = HiResMode.BRAILLE
        faint, full = self._colour("foreground", 0.35), self._colour("primary")
        self.plot(curve.steps, curve.raw, faint, mode, label=tr("raw"))
        self.plot(curve.steps, curve.smooth, full, mode, label=tr("smoothed"))
        if curve.eval:
            self.scatter(curve.eval_steps, curve.eval, "◆", self._colour("accent"),
                         label=tr("held out"))  # fmt: skip

    def notify_style_update(self) -> None:
        """Draw anew in the theme's colours."""
        super().notify_style_update()
        if self._curve is not None:
            self.draw(self._curve)

    def _colour(self, name: str, share: float = 1.0) -> str:
        """Give a theme's colour, mixed with the background."""
        variables = self.app.theme_variables
        colour = Color.parse(variables[name])
        return Color.parse(variables["background"]).blend(colour, share).rich_color.name


def _limits(values: list[float]) -> tuple[float, float]:
    """Give the losses' axis its ends: never without a span, which the ticks cannot divide."""
    low, high = min(values), max(values)
    span = max(1.1 * (high - low), 0.02 * max(abs(low), abs(high), 1.0))
    middle = (low + high) / 2
    return middle - span / 2, middle + span / 2
