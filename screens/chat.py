"""Talking with a model: its answers as they come, and the base's beside them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.getters import query_one

from engine.language import mark, tr
from screens.base import DeckScreen, show_failure
from screens.format import one_line
from screens.layers import ask
from screens.partner import find_partner
from screens.sampling_words import sampling_words
from screens.saying import Exchange
from screens.talk import begin, go_on
from screens.widgets.chat_memory import ChatMemory
from screens.widgets.question_area import QuestionArea
from screens.widgets.transcript import Transcript, sides_for

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from engine.results.chat.types import Conversation
    from screens.messages import EngineStatusChanged, TasksChanged
    from screens.partner import Partner
    from screens.session import Session

_WRITING = mark("You · enter sends, ctrl+n begins a line")
_EDITING = mark("Your last question, to be asked anew · enter sends")
_NEED_A_TURN = ("again", "edit", "copy", "begin_new")


class ChatScreen(DeckScreen[None]):
    """A conversation; it is kept after each answer."""

    HEADING = mark("Chat")
    CSS_PATH = "chat.tcss"
    AUTO_FOCUS = "QuestionArea"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2,s", "settings", "Settings", id="chat.settings",
                tooltip="System prompt and sampling settings of the next answer"),
        Binding("f3,c", "compare", "Compare", id="chat.compare",
                tooltip="Let the base model answer beside the adapter, or no longer"),
        Binding("f4,h", "history", "History", id="chat.history",
                tooltip="The conversations that were kept: open or delete one"),
        Binding("f5,r", "again", "Again", id="chat.again",
                tooltip="Have the last question answered anew"),
        Binding("f6,e", "edit", "Edit", id="chat.edit",
                tooltip="Edit the last question and ask it anew"),
        Binding("f7,y", "copy", "Copy", show=False, id="chat.copy",
                tooltip="Copy the last answer"),
        Binding("f8,n", "begin_new", "New", show=False, id="chat.new",
                tooltip="Begin a new conversation; this one is kept"),
        Binding("f9,u", "let_go", "Free memory", show=False, id="chat.let_go",
                tooltip="Let the chat's memory go; the next question loads the model again"),
        Binding("escape", "stop", "Stop", key_display="esc", id="chat.stop",
                tooltip="Stop the answer; what was said stays"),
        Binding("escape", "leave_edit", "Leave", key_display="esc", id="chat.leave_edit",
                tooltip="Leave the last question as it is"),
        Binding("escape,q", "back", "Back", key_display="esc", id="chat.back",
                tooltip="Back to the screen before; the conversation is kept"),
    ]  # fmt: skip

    transcript = query_one(Transcript)
    area = query_one(QuestionArea)
    memory = query_one(ChatMemory)

    def __init__(
        self, session: Session, partner: Partner, conversation: Conversation | None = None
    ) -> None:
        super().__init__(session)
        self.talk = go_on(conversation, partner) if conversation else begin(partner)
        self._editing = False
        self._stream: asyncio.Task[None] | None = None
        self._keeping = asyncio.Lock()

    def compose_body(self) -> ComposeResult:
        """Lay out transcript, notice and question."""
        yield Transcript(id="transcript")
        yield ChatMemory(self.session)
        yield QuestionArea()

    async def on_mount(self) -> None:
        """Show what was said, and what is in memory."""
        await self._show_talk()

    @property
    def answering(self) -> bool:
        """Tell whether an answer is being given."""
        return self.is_mounted and self.area.waiting

    # What is shown

    async def _show_talk(self) -> None:
        """Show the whole conversation."""
        await self.transcript.show(self.talk.turns, self.talk.partner, self._invitation())
        self._show_settings()

    def _invitation(self) -> str:
        """Say what can be done where nothing was said yet."""
        name = one_line(self.talk.partner.target)
        if self.talk.partner.adapted:
            return tr(
                "Ask {name} something. F3 lets the base model answer beside it."
                " The conversation is kept.",
                name=name,
            )
        return tr("Ask {name} something. The conversation is kept.", name=name)

    def _show_settings(self) -> None:
        """Write who answers and how, around the conversation and the question."""
        talk = self.talk
        self.transcript.border_title = Content(one_line(talk.partner.words))
        parts = [tr("base beside")] if talk.compare else []
        parts += [tr("system prompt")] if talk.system else []
        self.area.border_subtitle = Content(" · ".join([*parts, sampling_words(talk.sampling)]))
        self.area.border_title = tr(_EDITING if self._editing else _WRITING)
        self.transcript.mark_last(replaced=self._editing)
        self.refresh_bindings()

    @on(ChatMemory.Looked)
    def _show_memory(self) -> None:
        """Say what the chat holds in memory; it can be let go while that is something."""
        self.transcript.border_subtitle = Content(self.memory.words)
        self.refresh_bindings()

    def show_tasks(self, message: TasksChanged | None) -> None:
        """A task that waits may wait for this chat's memory."""
        super().show_tasks(message)
        self.memory.look_if_waiting(message)

    def on_engine_status_changed(self, message: EngineStatusChanged) -> None:
        """Ask again once the engine is there."""
        super().on_engine_status_changed(message)
        self.memory.look()

    # Asking

    @on(QuestionArea.Asked)
    def _asked(self, event: QuestionArea.Asked) -> None:
        """Have what was written answered."""
        self._ask(event.text, anew=self._editing)

    def _ask(self, question: str, *, anew: bool) -> None:
        """Have a question answered; ``anew`` in the last one's place."""
        self.area.waiting, self._editing = True, False
        self._show_settings()
        self._answer(question, anew=anew)

    @work(group="answer", exclusive=True, exit_on_error=False)
    async def _answer(self, question: str, *, anew: bool) -> None:
        """Take the answer, and the base's too where they are compared."""
        sides = sides_for(self.talk.partner, compare=self.talk.compare)
        exchange = Exchange(question, sides, anew=anew)
        try:
            await self.transcript.begin(question, sides, anew=anew)
            self._stream = asyncio.create_task(exchange.follow(self.session.client, self.talk))
            await asyncio.wait([self._stream])
            if not self._stream.cancelled():
                self._stream.result()  # raises what nobody foresaw
            await self._settle(exchange)
        finally:
            self.action_stop()
            self.area.waiting = False
        self._show_settings()
        self.memory.look()

    async def _settle(self, exchange: Exchange) -> None:
        """Take the answer in; without one the question goes back to where it was written."""
        for error in exchange.settle():
            show_failure(self.app, error)
        if (turn := exchange.turn) is not None:
            self.memory.tell(exchange.notice)
            self.talk.take(turn, anew=exchange.anew)
            self._keep()
            return
        if not self.area.text:
            self.area.put(exchange.question)
        await self._show_talk()

    @work(group="keep", exit_on_error=False)
    async def _keep(self) -> None:
        """Keep the conversation as it stands; one after the other, so that the last one stays."""
        talk = self.talk
        async with self._keeping:
            moment = self.session.now().timestamp()
            await self.session.client.save_conversation(talk.kept(moment))

    # What the user does

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Offer what there is something for; what waits for a turn or an answer steps back."""
        match action:
            case "stop":
                return self.answering
            case "leave_edit":
                return self._editing and not self.answering
            case "back":
                return not self.answering and not self._editing
            case "compare":
                return self.talk.partner.adapted
            case "let_go":
                return self.memory.status.loaded if self.is_mounted else False
            case "history":
                return None if self.answering else True
            case _ if action in _NEED_A_TURN:
                return None if self.answering or not self.talk.turns else True
            case _:
                return True

    def action_stop(self) -> None:
        """Stop the answer; what was said stays."""
        if self._stream is not None:
            self._stream.cancel()

    def action_again(self) -> None:
        """Have the last question answered anew."""
        self._ask(self.talk.turns[-1].question, anew=True)

    def action_edit(self) -> None:
        """Put the last question back to where it is written."""
        self._editing = True
        self.area.put(self.talk.turns[-1].question)
        self.set_focus(self.area)
        self._show_settings()

    def action_leave_edit(self) -> None:
        """Leave the last question as it is."""
        self._editing = False
        self.area.put("")
        self._show_settings()

    def action_compare(self) -> None:
        """Ask the base beside the adapter from now on, or no longer."""
        self.talk.compare = not self.talk.compare
        self._show_settings()

    def action_let_go(self) -> None:
        """Let the chat's memory go."""
        self.memory.let_go()

    def action_copy(self) -> None:
        """Copy the last answer through the terminal."""
        self.app.copy_to_clipboard(self.talk.turns[-1].answer)
        self.notify(tr("The last answer."), title=tr("Copied"), markup=False)

    async def action_begin_new(self) -> None:
        """Begin a new conversation with the same partner and settings."""
        old = self.talk
        self.talk = begin(old.partner, old.compare)
        self.talk.system, self.talk.sampling = old.system, old.sampling
        self._editing = False
        self.set_focus(self.area)
        await self._show_talk()

    @work(group="settings", exclusive=True, exit_on_error=False)
    async def action_settings(self) -> None:
        """Change system prompt and sampling of the next answer."""
        from screens.chat_settings import SettingsDialog

        dialog = SettingsDialog(self.talk.system, self.talk.sampling)
        if (settings := await ask(self, dialog)) is not None:
            self.talk.system, self.talk.sampling = settings
            self._show_settings()

    @work(group="history", exclusive=True, exit_on_error=False)
    async def action_history(self) -> None:
        """Open another conversation in this one's place."""
        from screens.conversations import ConversationsScreen

        chosen = await ask(self, ConversationsScreen(self.session))
        if chosen is not None:
            self.talk = go_on(chosen, await find_partner(self.session, chosen.target))
            self._editing = False
            await self._show_talk()

    def action_turn_page(self, by: int) -> None:
        """Turn a page of the conversation."""
        height = max(self.transcript.size.height - 1, 1)
        self.transcript.scroll_relative(y=by * height, animate=False)

    @work(group="back", exclusive=True, exit_on_error=False)
    async def action_back(self) -> None:
        """Go back to the screen before, once the conversation is kept."""
        async with self._keeping:
            self.dismiss(None)
