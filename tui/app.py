"""The app shell: one connection to the engine, one pump of task updates, and the screens."""

from __future__ import annotations

import asyncio
import gc
from contextlib import aclosing
from dataclasses import replace
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.screen import ModalScreen
from textual.theme import ThemeProvider

from engine.errors import EngineUnavailableError, LoraDeckError
from engine.language import spoken, tr, trn
from engine.settings import Settings
from screens.base import DeckScreen, ShowsFailures, show_failure
from screens.home import HomeScreen
from screens.messages import (
    BaseWanted,
    EngineStatusChanged,
    FurtherWanted,
    SettingsChanged,
    TasksChanged,
)
from screens.pump import batches
from screens.session import READY, EngineStatus, Session, local_now
from tui.notices import Notices
from tui.palette import Palette
from tui.shell import Shell
from tui.terminal import encoding_of_terminal, language_for
from tui.title import TerminalTitle

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import PurePath

    from textual.command import Provider
    from textual.screen import Screen

    from engine.home import Home
    from engine.server.client import EngineClient
    from screens.hand_over import Draft
    from tui.ways import Ways

RETRY_SECONDS = (0.5, 1.0, 2.0, 5.0)


def _palette() -> type[Provider]:
    """Import the palette's commands when it is first opened."""
    from tui.commands import DeckCommands

    return DeckCommands


class LoraDeckApp(ShowsFailures, Shell):
    """The dashboard of one home.

    Args:
        home: The home whose engine is shown; it is started where it does not run.
        client: What to talk to in place of that home's own engine.
        now: The clock by which times are written.
        settings: The home's.
        draft: What was chosen in the dashboard that this one follows, in another language.
    """

    TITLE = "LoRADeck"
    # Textual loads a pushed screen's sheet, but not that of the first screen.
    CSS_PATH: ClassVar[list[str | PurePath]] = ["app.tcss", "../screens/home.tcss"]
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_palette}
    SUSPENDED_SCREEN_CLASS = "-beneath"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - the base declares the type
        (0, "-narrow"),
        (100, "-wide"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "Help", key_display="?", id="app.help",
                tooltip="Keys of this screen, and the words used"),
        Binding("f1", "help", "Help", id="app.help_anywhere",
                tooltip="Keys of this screen, and the words used"),
    ]  # fmt: skip

    def __init__(
        self,
        home: Home,
        client: EngineClient | None = None,
        now: Callable[[], datetime] = local_now,
        settings: Settings | None = None,
        draft: Draft | None = None,
    ) -> None:
        settings = settings or Settings()
        super().__init__(settings)
        self.session = Session(home, client, now, settings=settings)
        self._notices = Notices(self, self.session)
        self._terminal_title = TerminalTitle(self, self.session)
        self._attempt = 0
        self._told: set[str] = set()
        self._reached = False
        self.session.draft = draft
        self.reopens: Draft | None = None
        """Once it is left for another language: what the next dashboard is to begin with."""

    @cached_property
    def ways(self) -> Ways:
        """The ways to other screens; the first frame does without them."""
        from tui.ways import Ways

        return Ways(self, self.session)

    def get_default_screen(self) -> Screen[None]:
        """Begin at Home."""
        return HomeScreen(self.session)

    def on_mount(self) -> None:
        """Reach the engine, once the first frame is drawn."""
        self.call_after_refresh(self._first_frame_drawn)
        if self.session.settings.keymap:
            self.call_after_refresh(self._use_keys)
        if self.session.draft is not None:
            self.call_after_refresh(self.action_settings, "language")

    def _first_frame_drawn(self) -> None:
        """Begin with what the first frame was not to wait for."""
        gc.enable()
        self._follow_engine()
        self._welcome()

    async def on_unmount(self) -> None:
        """Close the connections; trainings go on."""
        self._terminal_title.give_back()
        if self.session.connected_client is not None:
            await self.session.connected_client.close()

    # The engine

    @work(group="engine", exclusive=True, exit_on_error=False)
    async def _follow_engine(self) -> None:
        """Stay connected: what breaks is said in the header and tried again."""
        while True:
            try:
                client = await self._client()
                await client.connect()
                self._say(READY)
                await self._watch(client)
            except LoraDeckError as error:
                self._lost(error)
            await asyncio.sleep(RETRY_SECONDS[min(self._attempt, len(RETRY_SECONDS) - 1)])
            self._attempt += 1

    async def _client(self) -> EngineClient:
        """Give the client; it is imported aside, since that takes a fifth of a second."""
        if self.session.connected_client is None:
            module = await asyncio.to_thread(import_module, "engine.server.client")
            self.session.connected_client = module.EngineClient(self.session.home)
        return self.session.client

    async def _watch(self, client: EngineClient) -> None:
        """Take task updates, until the stream ends or breaks."""
        self.session.begin()
        seconds = self.session.settings.refresh_seconds
        async with aclosing(batches(client.watch(), seconds)) as stream:
            async for updates in stream:
                self._attempt = 0
                listing = self.session.listing
                self._tell(self.session.apply(updates))
                if listing:
                    # Else each search for garbage goes through ten thousand tasks, and holds the
                    # screen up for a tenth of a second
                    gc.freeze()
        raise EngineUnavailableError(tr("Engine not reachable"), tr("The engine has ended."))

    def _lost(self, error: LoraDeckError) -> None:
        """Say quietly that the engine is away; what never worked is said once as a dialog."""
        self._say(EngineStatus("unreachable", tr("{title}, trying again", title=error.title)))
        if error.title not in self._told and not (
            self._reached and isinstance(error, EngineUnavailableError)
        ):
            self._told.add(error.title)
            show_failure(self, error)

    def _say(self, status: EngineStatus) -> None:
        """Show the engine's state."""
        self._reached = self._reached or status is READY
        if status != self.session.status:
            self.session.status = status
            self._tell(EngineStatusChanged())

    def _tell(self, message: TasksChanged | EngineStatusChanged) -> None:
        """Give a message to every screen, those beneath another one too."""
        if isinstance(message, TasksChanged):
            self._notices.take(message)
            self._terminal_title.follow()
        for screen in self.screen_stack:
            if isinstance(message, TasksChanged) and isinstance(screen, DeckScreen):
                screen.tell(replace(message))
            else:
                screen.post_message(replace(message))

    # What can be done everywhere

    def action_help(self) -> None:
        """Show the keys of the present screen."""
        from screens.help import HelpScreen

        if not isinstance(self.screen, ModalScreen):
            self.push_screen(HelpScreen(self.screen))

    def action_command_palette(self) -> None:
        """Open the palette, which asks in the language that is spoken."""
        if not isinstance(self.screen, CommandPalette):
            placeholder = tr("Search for commands…")
            self.push_screen(Palette(placeholder=placeholder, id="--command-palette"))

    def search_themes(self) -> None:
        """Let the user choose a theme, asked for in the language that is spoken."""
        self.push_screen(Palette([ThemeProvider], placeholder=tr("Search for themes…")))

    def action_tour(self) -> None:
        """Show the tour; that it was seen is kept in the home."""
        from screens.tour import TourScreen

        if not isinstance(self.screen, ModalScreen):
            self.push_screen(TourScreen(), self._tour_left)

    def _tour_left(self, _: None) -> None:
        """Keep that the tour was seen."""
        self._tour_seen()

    @work(group="tour", exit_on_error=False)
    async def _tour_seen(self) -> None:
        """Offer the tour no more."""
        await asyncio.to_thread(self.session.home.tour_mark.touch)

    @work(group="tour", exit_on_error=False)
    async def _welcome(self) -> None:
        """Offer the tour to whoever has not seen it."""
        seen = await asyncio.to_thread(self.session.home.tour_mark.exists)
        if not seen:
            self.ways.home.welcome()

    def action_settings(self, at: str = "") -> None:
        """Show the settings, with the cursor at one of them."""
        from screens.settings import SettingsScreen

        if not isinstance(self.screen, SettingsScreen | ModalScreen):
            self.push_screen(SettingsScreen(self.session, at))

    @on(SettingsChanged)
    def _follow_settings(self, event: SettingsChanged) -> None:
        """Follow what the user has set; another language is spoken by another app."""
        before, now = self.session.settings, event.settings
        self.session.settings = now
        self.look(now)
        self._terminal_title.follow()
        if now.refresh_seconds != before.refresh_seconds:
            self._follow_engine()
        if now.keymap != before.keymap:
            self._use_keys()
        other = language_for(now.language, encoding_of_terminal()) != spoken()
        if other and not self.ways.hold_back():
            self.reopens = self.ways.home.training.draft
            self.exit()

    @work(group="keys", exclusive=True, exit_on_error=False)
    async def _use_keys(self) -> None:
        """Take the user's own keys; what cannot be used of them is said once."""
        module = await asyncio.to_thread(import_module, "screens.keymap")
        registry = await asyncio.to_thread(module.registry_of, type(self))
        keymap, faults = registry.usable(self.session.settings.keymap)
        self.set_keymap(registry.applied(keymap))
        if new := [fault for fault in faults if fault not in self._told]:
            self._told.update(new)
            self.notify("\n".join(new), title=tr("Keys not usable"), severity="warning",
                        markup=False)  # fmt: skip

    async def action_quit(self) -> None:
        """Close the dashboard."""
        self.leave()

    def leave(self) -> None:
        """Close the dashboard; the terminal says that trainings go on."""
        if self.ways.hold_back():
            return
        count = self.session.count("running") + self.session.count("pending")
        words = trn(
            "{count} training goes on. Open loradeck again to see more.",
            "{count} trainings go on. Open loradeck again to see more.",
            count,
        )
        self.exit(message=words if count else None)

    @on(FurtherWanted)
    async def _train_further(self, event: FurtherWanted) -> None:
        """Take a finished adapter to Home, to be trained further."""
        await self.ways.prepare(lambda training: training.train_further(event.task))

    @on(BaseWanted)
    async def _train_on(self, event: BaseWanted) -> None:
        """Take a model that was found to Home, as the next training's base."""
        await self.ways.prepare(lambda training: training.take_base(event.path))
