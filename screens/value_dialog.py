"""Setting one parameter: its value is checked while it is typed, and the sums follow."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Input, Static

from engine.errors import LoraDeckError
from engine.language import tr
from engine.plan.parameters import check_overrides
from engine.text import visible
from screens.base import ShowsFailures
from screens.format import refusal_words
from screens.layers import Dialog
from screens.parameters import meaning, options_of, range_words, value_words
from screens.sums import changed_words
from screens.widgets.field import Field
from screens.widgets.keys_line import KeysLine
from screens.widgets.line_list import LineList
from screens.widgets.option_list import Option, OptionList

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import ComposeResult

    from engine.plan.types import Plan

LIVE_SECONDS = 0.25  # that the typing rests before the engine is asked


@dataclass(frozen=True)
class Edited:
    """A value that was taken, with the plan that follows from it."""

    value: Any
    plan: Plan


class ValueDialog(ShowsFailures, Dialog[Edited | None]):
    """Answers with a value that the engine has planned with.

    Args:
        key: The parameter.
        value: As it is now; ``None`` where there is no plan.
        before: The plan as it is now.
        attempt: Plans with a value, or raises why it will not do.
    """

    CSS_PATH = "value_dialog.tcss"
    AUTO_FOCUS = "OptionList, Field"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "Take it", key_display="enter", id="value.take",
                tooltip="Set this value"),
        Binding("escape", "dismiss(None)", "Back", key_display="esc", id="value.back",
                tooltip="Leave the value as it is"),
    ]  # fmt: skip

    told = query_one("#told", Static)

    def __init__(
        self,
        key: str,
        value: Any,
        before: Plan | None,
        attempt: Callable[[Any], Awaitable[Plan]],
    ) -> None:
        super().__init__()
        self._key, self._value, self._before, self._attempt = key, value, before, attempt
        self._options = {value_words(option): option for option in options_of(key)}

    def compose(self) -> ComposeResult:
        """Lay out meaning, range, value, and what comes of it."""
        with Vertical(classes="dialog") as box:
            box.border_title = self._key
            yield Static(meaning(self._key), markup=False, classes="label")
            if self._options:
                yield OptionList(id="options")
            else:
                takes = tr("Takes {range}.", range=range_words(self._key))
                yield Static(takes, markup=False, classes="label")
                yield Field(id="value")
            yield Static(id="told", markup=False)
            yield KeysLine()

    def on_mount(self) -> None:
        """Show the value as it is."""
        now = "" if self._value is None else value_words(self._value)
        if self._options:
            table = self.query_one(OptionList)
            table.styles.height = len(self._options)
            table.show({name: Option(name, "", name == now) for name in self._options})
            table.cursor = now or table.cursor
        else:
            field = self.query_one(Field)
            field.value = now
            field.action_select_all()

    @on(Input.Changed)
    @on(LineList.Highlighted)
    def _changed(self) -> None:
        """Check the value, at once what is wrong with it alone, then by the engine."""
        value = self._checked()
        if value is not None:
            self._try(value, take=False)

    @on(Input.Submitted)
    @on(LineList.Chosen)
    def action_take(self) -> None:
        """Take the value, where the engine can plan with it."""
        value = self._checked()
        if value is not None:
            self._try(value, take=True)

    def _checked(self) -> Any:
        """Read the value; ``None`` where it is out of its range, which is said beneath."""
        self.workers.cancel_group(self, "try")
        try:
            return check_overrides({self._key: self._given()})[self._key]
        except LoraDeckError as error:
            self._refuse(error.message)
            return None

    def _given(self) -> Any:
        """Give what stands there.

        Raises:
            LoraDeckError: Nothing stands there.
        """
        if self._options:
            return self._options[self.query_one(OptionList).cursor or ""]
        text = self.query_one(Field).value.strip()
        if self._value is not None and text == value_words(self._value):
            return self._value  # what is shown may be rounded
        if not text:
            raise LoraDeckError(tr("No value"), tr("Type a value; esc leaves it as it is."))
        return text

    @work(group="try", exclusive=True, exit_on_error=False)
    async def _try(self, value: Any, *, take: bool) -> None:
        """Plan with the value; a refusal is said in words."""
        self.told.update(Content.styled(tr("Planning…"), "$muted"))
        if not take:
            await asyncio.sleep(LIVE_SECONDS)
        try:
            plan = await self._attempt(value)
        except LoraDeckError as error:
            self._refuse(refusal_words(error))
            return
        if take:
            self.dismiss(Edited(value, plan))
        else:
            self.told.update(Content("\n").join(changed_words(self._before, plan)))

    def _refuse(self, words: str) -> None:
        """Say why the value will not do."""
        self.told.update(Content.styled(f"✗ {visible(words)}", "$text-error"))
