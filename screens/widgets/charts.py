"""A training's charts: one of them, or all where there is room, over the steps that are shown."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING

from textual import work
from textual.containers import Container
from textual.content import Content
from textual.widgets import Static

from engine.errors import EngineUnavailableError
from engine.language import tr
from screens.base import ShowsFailures
from screens.widgets.chart_kinds import TITLES
from screens.zoom import Zoom

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult
    from textual.timer import Timer

    from engine.tasks.curves import Curves
    from screens.session import Session
    from screens.widgets.curve_plot import CurvePlot

DRAW_SECONDS = 1.0
_ALL = 0
_WIDE, _HIGH = 76, 18
"""Cells from which on there is room for all charts."""
_EDGES = 6
"""Cells that a chart's border takes beside its title."""
_POINTS = 400
"""More than the dots that a chart has side by side on most screens."""


class Charts(ShowsFailures, Container):
    """Asks the engine for the curves when there are new ones, and draws what is in sight."""

    DEFAULT_CSS = """
    Charts {
        layout: grid;
        grid-size: 1;
        & > * {
            border: round $border-blurred;
            border-title-color: $muted;
            border-subtitle-color: $muted;
            background: $background;
        }
        & > Static { padding: 0 1; color: $muted; }
        & > CurvePlot { display: none; }
        &.-drawn > Static { display: none; }
        &.-drawn > CurvePlot.-shown { display: block; }
        &.-drawn.-all { grid-size: 2 2; }
    }
    """

    def __init__(self, session: Session, task_id: str, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.session, self.task_id = session, task_id
        self.zoom = Zoom()
        self.curves: Curves | None = None
        """As they are drawn."""
        self._chosen = _ALL
        self._plots: list[CurvePlot] = []
        self._drawing: Timer | None = None
        self._news = False
        self._asking = False

    def compose(self) -> ComposeResult:
        """Say what will be here."""
        empty = Static(tr("The curve appears with the first step."))
        empty.border_title = tr(TITLES["loss"])
        yield empty

    async def begin(self) -> None:
        """Bring the plots in, which take a third of a second to import, and ask meanwhile."""
        self._ask()
        module = await asyncio.to_thread(import_module, "screens.widgets.curve_plot")
        plots = [module.CurvePlot(kind, id=f"chart-{kind}") for kind in TITLES]
        await self.mount(*plots)
        self._plots = plots
        self._lay_out()

    # What is shown

    def news(self) -> None:
        """Draw what is new, one chart a second on average: nothing on the screen is dearer."""
        self._news = True
        if self._drawing is None and self._plots and not self._asking:
            shown = sum(plot.has_class("-shown") for plot in self._plots)
            seconds = max(DRAW_SECONDS, self.session.settings.refresh_seconds)
            self._drawing = self.set_timer(seconds * shown, self._due)
            self._ask()

    def choose(self, number: int) -> None:
        """Show the chart of a number, counted from 1, or all with 0."""
        self._chosen = number
        self._lay_out()
        if number == _ALL and not self._roomy:
            words = tr("All charts want {wide} × {high} cells here.", wide=_WIDE, high=_HIGH)
            self.notify(words, title=tr("Too little room"), severity="warning", markup=False)

    def nearer(self, by: int, at: float | None = None) -> None:
        """Show half of the steps, or twice as many."""
        self.zoom.by(by, self._newest(), at)
        self._ask()

    def pan(self, right: int) -> None:
        """Show earlier or later steps."""
        self.zoom.pan(right, self._newest())
        self._ask()

    def whole(self) -> None:
        """Show all steps."""
        self.zoom.reset()
        self._ask()

    def on_resize(self, _: events.Resize) -> None:
        """See whether there is room for all charts."""
        self._lay_out()

    def on_curve_plot_scrolled(self, message: CurvePlot.Scrolled) -> None:
        """Zoom around the place where the wheel was turned."""
        self.nearer(message.nearer, message.at)

    # How it comes there

    def _newest(self) -> int:
        """Give the newest step."""
        view = self.session.tasks.get(self.task_id)
        drawn = self.curves.steps[-1] if self.curves and self.curves.steps else 0
        return max(view.step if view else 0, drawn)

    def _due(self) -> None:
        """Draw what came since."""
        self._drawing = None
        if self._news:
            self.news()

    @work(group="curves", exclusive=True, exit_on_error=False)
    async def _ask(self) -> None:
        """Ask for the curves that are in sight, and draw them."""
        self._news, self._asking = False, True
        first, last = self.zoom.window(self._newest())
        try:
            curves = await self.session.client.curves(self.task_id, _POINTS, first, last)
        except EngineUnavailableError:
            return  # the app reconnects, and the screen says that there are news
        finally:
            self._asking = False
        self.curves = curves
        self.set_class(bool(curves.steps), "-drawn")
        self._draw()
        if self._news:
            self.news()

    def _draw(self) -> None:
        """Draw the charts in sight."""
        for plot in self._plots:
            if self.curves is not None and self.curves.steps and plot.has_class("-shown"):
                plot.draw(self.curves)
                plot.border_subtitle = self._part()

    def _part(self) -> str:
        """Say which steps are shown, where it is not all."""
        if not self.zoom.zoomed or self.curves is None:
            return ""
        first, last = self.curves.steps[0], self.curves.steps[-1]
        return tr("steps {first} to {last}", first=f"{first:,}", last=f"{last:,}")

    @property
    def _roomy(self) -> bool:
        """Tell whether there is room for all charts."""
        return self.size.width >= _WIDE and self.size.height >= _HIGH

    def _lay_out(self) -> None:
        """Choose which charts there is room for, and name them with their keys."""
        chosen = self._chosen or (_ALL if self._roomy else 1)
        self.set_class(chosen == _ALL, "-all")
        for number, plot in enumerate(self._plots, 1):
            plot.set_class(chosen in (_ALL, number), "-shown")
            plot.border_title = self._title(number, alone=chosen != _ALL)
        self._draw()

    def _title(self, number: int, *, alone: bool) -> Content:
        """Name a chart; where it is alone, the others too, with their keys."""
        titles = list(map(tr, TITLES.values()))
        if not alone:
            return Content(f"{number} {titles[number - 1]}")
        names = [
            Content.styled(f"{key} {title}", "bold $text-primary")
            if key == number
            else Content.assemble((f"{key}", "$text-accent"), f" {title}")
            for key, title in enumerate(titles, 1)
        ]
        named = Content("  ").join(names)
        fits = named.cell_length <= self.size.width - _EDGES
        return named if fits else Content(" ").join(names)
