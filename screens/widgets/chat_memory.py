"""What a chat holds in memory, and the line that says when a training waits for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import work
from textual.message import Message
from textual.widgets import Static

from engine.errors import EngineUnavailableError
from engine.language import tr
from engine.results.chat.types import ChatStatus
from engine.text import human_bytes, visible
from screens.base import ShowsFailures
from screens.format import one_line

if TYPE_CHECKING:
    from screens.messages import TasksChanged
    from screens.session import Session

LOOK_SECONDS = 5.0


class ChatMemory(ShowsFailures, Static):
    """Hidden until there is something to be told."""

    DEFAULT_CSS = """
    ChatMemory { display: none; height: auto; padding: 0 2; color: $text-warning; }
    ChatMemory.-filled { display: block; }
    """

    @dataclass
    class Looked(Message):
        """The engine told what is held in memory; or that is free now."""

    def __init__(self, session: Session) -> None:
        super().__init__(markup=False)
        self.status = ChatStatus()
        self._session = session
        self._told = ""
        self._shown = ("", "", "")

    def on_mount(self) -> None:
        """Ask now, and from time to time while something is held: it goes when it is idle."""
        self.set_interval(LOOK_SECONDS, self._look_again)
        self.look()

    @property
    def words(self) -> str:
        """Say what is held; nothing where that is nothing."""
        status, size = self.status, human_bytes(self.status.memory)
        if not status.loaded:
            return ""
        if not status.device:
            return tr("in memory: {size}", size=size)
        return tr("in memory: {size} on {device}", size=size, device=one_line(status.device))

    def tell(self, notice: str) -> None:
        """Show what an answer came with, from now on."""
        self._told = notice

    def _look_again(self) -> None:
        """Follow what is held in memory."""
        if self.status.loaded and self.screen.is_active:
            self.look()

    @work(group="look", exclusive=True, exit_on_error=False)
    async def look(self) -> None:
        """Ask what is held in memory."""
        if self._session.status.state != "ready":
            return  # asked again once it is
        try:
            self.status = await self._session.client.chat_status()
        except EngineUnavailableError:
            return  # the header says so
        self._show()

    def look_if_waiting(self, message: TasksChanged | None) -> None:
        """Ask where a task that waits has changed: it may wait for this memory."""
        tasks = self._session.tasks
        keys = tasks.keys() if message is None else message.changed & tasks.keys()
        if any(tasks[key].task.status == "pending" for key in keys):
            self.look()

    @work(group="let_go", exclusive=True, exit_on_error=False)
    async def let_go(self) -> None:
        """Let the memory go."""
        self.status = await self._session.client.unload_chat()
        self._told = ""
        self._show()

    def _show(self) -> None:
        """Say who waits, or what an answer came with, and the key that helps, where it changed."""
        if self._shown == (now := (self.words, self.status.wanted_by, self._told)):
            return
        self._shown = now
        wanted = self.status.wanted_by
        words = self._told
        if wanted:
            words = tr("'{name}' waits for this chat's memory.", name=one_line(wanted))
        key = f" {tr('F9 lets it go.')}" if self.status.loaded else ""
        self.update(f"▲ {visible(words)}{key}" if words else "")
        self.set_class(bool(words), "-filled")
        self.post_message(self.Looked())
