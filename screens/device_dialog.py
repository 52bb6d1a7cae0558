"""Choosing what a training computes on; or any other card, to look at the plan for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Input, Static

from engine.errors import LoraDeckError
from engine.language import mark, tr
from engine.plan.device_names import handle_of
from engine.plan.hypothetical import known_cards, named_device
from screens.base import ShowsFailures
from screens.layers import Dialog
from screens.next_plan import Wishes
from screens.sums import device_lines, free_words, place_words
from screens.widgets.field import Field
from screens.widgets.keys_line import KeysLine
from screens.widgets.line_list import LineList
from screens.widgets.option_list import Option, OptionList

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import ComposeResult

    from engine.plan.types import Device
    from screens.session import Session

_LINES = 7
_AUTOMATIC = ""
_ABOUT = mark(
    "A training starts on the device that you choose and on no other. The name of any card shows"
    " what the plan would be there."
)
_BY_ITSELF = mark("The plan takes the card with the most memory free, or the processor.")


class DeviceDialog(ShowsFailures, Dialog[Wishes | None]):
    """Answers with the wishes that have the device in them.

    Args:
        session: The dashboard's session.
        wishes: What is wished by now.
    """

    CSS_PATH = "value_dialog.tcss"
    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "Take it", key_display="enter", id="device.take",
                tooltip="Plan for the device under the cursor"),
        Binding("slash", "other", "Other card", id="device.other",
                tooltip="Type the name of any card, to look at the plan for it"),
        Binding("escape,q", "dismiss(None)", "Back", key_display="esc", id="device.back",
                tooltip="Change nothing"),
    ]  # fmt: skip

    table = query_one(OptionList)
    field = query_one(Field)
    told = query_one("#told", Static)

    def __init__(self, session: Session, wishes: Wishes) -> None:
        super().__init__()
        self._session, self._wishes = session, wishes
        self._own: list[Device] = []
        self._shown: dict[str, Device] = {}

    def compose(self) -> ComposeResult:
        """Lay out the devices, a field for others, and what is known of one."""
        with Vertical(classes="dialog") as box:
            box.border_title = tr("Device")
            yield Static(tr(_ABOUT), markup=False, classes="label")
            yield Field(tr("/ any other card: RTX 4090, T4, A100 40GB"), id="other")
            yield OptionList(tr("Looking…"), id="devices")
            yield Static(id="told", markup=False)
            yield KeysLine()

    def on_mount(self) -> None:
        """Ask which devices there are."""
        self.table.styles.height = _LINES
        self._ask()

    @work(group="devices", exclusive=True, exit_on_error=False)
    async def _ask(self) -> None:
        """List this machine's devices, with the cursor on the present one."""
        self._own = await self._session.client.devices()
        self._show()
        self.table.cursor = self._wishes.device_handle

    # Listing

    @on(Input.Changed, "#other")
    def _show(self) -> None:
        """List this machine's devices; or what is called as it was typed."""
        typed = self.field.value.strip()
        self._shown = {handle_of(device): device for device in self._fitting(typed)}
        options = {} if typed else {_AUTOMATIC: self._automatic()}
        self.table.show(options | {key: self._option(key) for key in self._shown})

    def _fitting(self, typed: str) -> list[Device]:
        """Give the devices that are called so, those of this machine first."""
        if not typed:
            wished = self._wishes.device
            return [*self._own, *([wished] if wished and wished.hypothetical else [])]
        return [*_named(self._own, typed), *self._spelled(typed), *_named(known_cards(), typed)]

    def _spelled(self, typed: str) -> list[Device]:
        """Make a card of what was typed: its whole name, with a size of memory, or numbers."""
        try:
            return [named_device(typed)]
        except LoraDeckError as error:
            self.table.empty = error.message
            return []

    def _automatic(self) -> Option:
        """Say which device the plan takes by itself."""
        taken = place_words(self._own[0]) if self._own else ""
        words = tr("takes {name}", name=taken)
        return Option(tr("automatic"), words, self._wishes.device is None)

    def _option(self, key: str) -> Option:
        """Write a device with its memory."""
        device = self._shown[key]
        words = tr("not here") if device.hypothetical else free_words(device)
        return Option(place_words(device), words, key == self._wishes.device_handle)

    @on(LineList.Highlighted)
    def _describe(self) -> None:
        """Tell what is known of the device under the cursor."""
        device = self._shown.get(self.table.cursor or "")
        lines = device_lines(device) if device else [Content.styled(tr(_BY_ITSELF), "$muted")]
        self.told.update(Content("\n").join(lines))

    # Choosing

    @on(Input.Submitted, "#other")
    @on(LineList.Chosen)
    def action_take(self) -> None:
        """Answer with the device under the cursor."""
        key = self.table.cursor
        if key is not None:
            self.dismiss(replace(self._wishes, device=self._shown.get(key)))

    # Moving

    def action_other(self) -> None:
        """Go to the field."""
        self.set_focus(self.field)


def _named(devices: Iterable[Device], typed: str) -> list[Device]:
    """List the devices that have every word in their names."""
    words = typed.lower().split()
    return [one for one in devices if all(word in one.name.lower() for word in words)]
