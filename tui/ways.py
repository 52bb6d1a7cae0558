"""Ways through the dashboard from anywhere: above Home, once nothing unsaved is in the way."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from engine.language import tr
from screens.base import DeckScreen
from screens.home import HomeScreen

if TYPE_CHECKING:
    from collections.abc import Callable

    from screens.partner import Partner
    from screens.session import Session
    from screens.widgets.new_training import NewTraining
    from tui.shell import Shell


class Ways:
    """Goes to screens, for the palette and for what one screen asks of another.

    Args:
        app: The dashboard.
        session: Its session.
    """

    def __init__(self, app: Shell, session: Session) -> None:
        self._app, self._session = app, session

    @property
    def home(self) -> HomeScreen:
        """The first screen."""
        home = self._app.screen_stack[0]
        assert isinstance(home, HomeScreen)  # noqa: S101
        return home

    def hold_back(self) -> bool:
        """Tell, and say, whether a screen holds something that is not saved."""
        stack = self._app.screen_stack
        held = any(isinstance(one, DeckScreen) and one.unsaved for one in stack)
        if held:
            words = tr("Save what you changed, or leave it with esc, first.")
            self._app.notify(words, title=tr("Not saved"), severity="warning", markup=False)
        return held

    def at_home(self, action: str) -> Callable[[], object]:
        """Give a call that goes to Home and does something there."""
        return partial(self._at_home, action)

    def opening(self, task_id: str, action: str = "") -> Callable[[], object]:
        """Give a call that opens a task's screen, and does something there where that is said."""
        return partial(self._open, task_id, action)

    def chatting(self, partner: Partner) -> Callable[[], object]:
        """Give a call that opens a chat."""
        return partial(self._chat, partner)

    def taking_dataset(self, path: str) -> Callable[[], object]:
        """Give a call that takes a dataset to Home, for the next training."""
        return partial(self.prepare, lambda training: training.read(path))

    def taking_base(self, name: str) -> Callable[[], object]:
        """Give a call that takes a base model to Home, for the next training."""
        return partial(self.prepare, lambda training: training.take_base(name))

    def show_jobs(self) -> None:
        """Show all exports and deployments."""
        from screens.jobs import JobsScreen

        if not isinstance(self._app.screen, JobsScreen):
            self._app.push_screen(JobsScreen(self._session))

    def show_found(self) -> None:
        """Show all models and adapters of this machine."""
        from screens.found import FoundScreen

        if not isinstance(self._app.screen, FoundScreen):
            self._app.push_screen(FoundScreen(self._session))

    async def prepare(self, prepare: Callable[[NewTraining], object]) -> None:
        """Go to Home and make something ready there for the next training."""
        if await self._go_home():
            prepare(self.home.training)

    async def _at_home(self, action: str) -> None:
        """Go to Home and do something there."""
        if await self._go_home():
            await self._app.run_action(f"screen.{action}")

    async def _open(self, task_id: str, action: str) -> None:
        """Open a task's screen above Home, and do something there."""
        from screens.task import TaskScreen

        if await self._go_home():
            await self._app.push_screen(TaskScreen(self._session, task_id))
            if action:
                await self._app.run_action(f"screen.{action}")

    async def _chat(self, partner: Partner) -> None:
        """Open a chat above Home."""
        from screens.chat import ChatScreen

        if await self._go_home():
            await self._app.push_screen(ChatScreen(self._session, partner))

    async def _go_home(self) -> bool:
        """Close what lies above Home, unless something there is not saved."""
        if self.hold_back():
            return False
        while len(self._app.screen_stack) > 1:
            await self._app.pop_screen()
        return True
