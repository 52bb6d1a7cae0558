"""One chart of a training; imported when it is first shown, since it brings numpy along."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual.geometry import Offset
from textual.message import Message
from textual_plot import HiResMode, LegendLocation, NumericAxisFormatter

from engine.language import tr
from engine.text import human_count
from screens.format import rate_words, widest
from screens.widgets.themed_plot import ThemedPlot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

    from engine.tasks.curves import Curves
    from screens.widgets.chart_kinds import ChartKind

_LEAST = 1e-9
"""That a chart spans: learning rates are small."""
_TINY, _LARGE = 0.002, 10_000
"""Ticks closer than that, or above that, are written briefly: there is room for six signs."""


class Line(NamedTuple):
    """One line of a chart, or its marks."""

    label: str
    steps: Sequence[float]
    values: Sequence[float]
    colour: str
    marks: bool = False


class CurvePlot(ThemedPlot):
    """Figures over the steps: of the loss raw, smoothed and held out, or one of the others."""

    DEFAULT_CSS = "CurvePlot #legend { border: none; background: transparent; }"

    class Scrolled(Message):
        """The wheel was turned over the plot."""

        def __init__(self, nearer: int, at: float) -> None:
            super().__init__()
            self.nearer = nearer
            """1 to see more of less, -1 to see less of more."""
            self.at = at
            """Where, from 0 at the left to 1 at the right."""

    def __init__(self, kind: ChartKind, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(LegendLocation.TOPRIGHT if kind == "loss" else None, id=id)
        self.kind = kind
        self.set_y_formatter(_Figures())
        self._curves: Curves | None = None
        self._named: list[tuple[str, str]] = []
        """What the legend says, in which colours."""

    def _update_legend(self) -> None:
        """Leave the legend as it is while lines come and go: each change lays out the screen."""

    def _get_legend_origin_coordinates(self, location: LegendLocation) -> Offset:
        """Leave the legend its room at the right, counted in cells, not in characters."""
        origin = Offset(*super()._get_legend_origin_coordinates(location))
        if location not in (LegendLocation.TOPRIGHT, LegendLocation.BOTTOMRIGHT):
            return origin
        labels = [label for label in self._labels if label]
        more = widest(labels) - max(map(len, labels), default=0)
        return origin - Offset(more, 0)

    def draw(self, curves: Curves) -> None:
        """Draw the curves as they are now."""
        self._curves = curves
        self.clear()
        if not curves.steps:
            return
        lines = [line for line in self._lines(curves) if line.values]
        self.frame(curves.steps, [value for line in lines for value in line.values], _LEAST)
        self._draw_lines(lines)
        if (named := [(line.label, line.colour) for line in lines]) != self._named:
            self._named = named
            super()._update_legend()

    def _draw_lines(self, lines: list[Line]) -> None:
        """Draw lines and marks."""
        for line in lines:
            if line.marks:
                self.scatter(line.steps, line.values, "◆", line.colour, label=line.label)
            else:
                mode = HiResMode.BRAILLE
                self.plot(line.steps, line.values, line.colour, mode, label=line.label)

    def _lines(self, curves: Curves) -> list[Line]:
        """Give the chart's lines."""
        full = self.colour("primary")
        match self.kind:
            case "loss":
                faint, marks = self.colour("foreground", 0.35), self.colour("accent")
                return [
                    Line(tr("raw"), curves.steps, curves.loss, faint),
                    Line(tr("smoothed"), curves.steps, curves.smooth, full),
                    Line(tr("held out"), curves.eval_steps, curves.eval_loss, marks, marks=True),
                ]
            case "rate":
                return [Line("", curves.steps, curves.learning_rate, full)]
            case "norm":
                pairs = zip(curves.steps, curves.grad_norm, strict=True)
                there = [(step, norm) for step, norm in pairs if norm is not None]
                steps, norms = [step for step, _ in there], [norm for _, norm in there]
                return [Line("", steps, norms, full)]
            case "speed":
                return [Line("", curves.steps, curves.tokens_per_second, full)]

    def redraw(self) -> None:
        """Draw the curves anew."""
        if self._curves is not None:
            self.draw(self._curves)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Look nearer, as maps do."""
        self._scrolled(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Look from farther away."""
        self._scrolled(event, -1)

    def _scrolled(self, event: events.MouseEvent, nearer: int) -> None:
        """Say where the wheel was turned."""
        event.stop()
        event.prevent_default()
        room = max(self.size.width - self.margin_left - 2, 1)
        at = (event.x - self.margin_left - 1) / room
        self.post_message(self.Scrolled(nearer, max(0.0, min(at, 1.0))))


class _Figures(NumericAxisFormatter):  # type: ignore[misc]
    """Writes figures of any size in six signs."""

    def get_labels_for_ticks(self, ticks: Sequence[float]) -> list[str]:
        """Label the ticks."""
        largest = max(map(abs, ticks), default=0.0)
        if largest >= _LARGE:
            return [human_count(tick) for tick in ticks]
        if len(ticks) > 1 and ticks[1] - ticks[0] < _TINY and largest < 1:
            return [rate_words(tick) if tick else "0" for tick in ticks]
        labels: list[str] = super().get_labels_for_ticks(ticks)
        return labels
