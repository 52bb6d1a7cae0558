"""The whole plan of the next training: every parameter, why it is so, and the user's own values."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.getters import query_one

from engine.language import mark, tr
from screens.base import DeckScreen, back_binding
from screens.layers import ask
from screens.widgets.findings import error_text
from screens.widgets.line_list import LineList
from screens.widgets.parameter_detail import ParameterDetail
from screens.widgets.parameter_list import ParameterList
from screens.widgets.sums import Strip, Sums

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import ComposeResult

    from engine.plan.types import Plan
    from screens.messages import PlanChanged
    from screens.next_plan import NextPlan, Wishes
    from screens.session import Session

_UNDO = mark("r takes back the value under the cursor, R all of them.")


class PlanScreen(DeckScreen[bool]):
    """Shows the plan that Home keeps, and asks it for another; answers whether to start.

    Args:
        session: The dashboard's session.
        made: The plan as it is now.
        attempt: Plans with other wishes, or raises why they will not do.
        wish: Is told of other wishes, with the plan that follows from them where it is known.
    """

    HEADING = mark("Plan")
    CSS_PATH = "plan.tcss"
    AUTO_FOCUS = "ParameterList"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - the base declares the type
        (0, "-narrow"),
        (120, "-wide"),  # both columns need room for whole sentences
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "start", "Start", id="plan.start",
                tooltip="Start the training with this plan"),
        Binding("p", "preset", "Preset", id="plan.preset",
                tooltip="Start from a named preset, or from none"),
        Binding("d", "device", "Device", id="plan.device",
                tooltip="Choose the card or processor; or look at the plan for any other card"),
        Binding("r", "reset", "Reset", show=False, id="plan.reset",
                tooltip="Take your value back: the plan's own comes again"),
        Binding("R", "reset_all", "Reset all", show=False, id="plan.reset_all",
                tooltip="Take all your values back"),
        Binding("m", "sums", "Sums", id="plan.sums",
                tooltip="Memory, disk, device and findings; or the parameters again"),
        Binding("right,l", "focus_sums", "Sums", show=False, id="plan.right",
                tooltip="Go to the sums, to scroll them"),
        Binding("left,h", "focus_parameters", "Parameters", show=False, id="plan.left",
                tooltip="Go to the parameters"),
        Binding("j", "scroll(1)", "Down", show=False, id="plan.down", tooltip="Scroll down"),
        Binding("k", "scroll(-1)", "Up", show=False, id="plan.up", tooltip="Scroll up"),
        back_binding(),
    ]  # fmt: skip

    parameters = query_one(ParameterList)
    about = query_one(ParameterDetail)
    strip = query_one(Strip)
    sums = query_one(Sums)

    def __init__(
        self,
        session: Session,
        made: NextPlan,
        attempt: Callable[[Wishes], Awaitable[Plan]],
        wish: Callable[[Wishes, Plan | None], object],
    ) -> None:
        super().__init__(session)
        self._made, self._attempt, self._wish = made, attempt, wish
        self._known: Plan | None = None
        """The last plan that was made, whose values stay in sight while another one is."""

    def compose_body(self) -> ComposeResult:
        """Lay out the sums in brief, the parameters, what is known of one, and all sums."""
        yield Strip(id="strip")
        with Container(id="panes"):
            with Vertical(id="left"):
                yield ParameterList(id="parameters")
                yield ParameterDetail(id="about")
            yield Sums(id="sums")

    def on_mount(self) -> None:
        """Show the plan."""
        self.parameters.border_title = tr("Parameters")
        self._show()

    # Showing

    def on_plan_changed(self, message: PlanChanged) -> None:
        """Show another plan."""
        self._made = message.plan
        self._show()

    def _show(self) -> None:
        """Show the plan, that one is being made, or why there is none."""
        made = self._made
        self._known = made.plan or self._known
        reset = f"r {tr('Reset')}" if made.wishes.overrides else ""
        words = " · ".join(filter(None, (made.wishes.words, reset)))
        self.parameters.border_subtitle = Content(words if made.outcome else tr("Planning…"))
        self.parameters.put(made, self._known)
        if made.refused and self.parameters.cursor not in made.refused:
            self.parameters.cursor = min(made.refused)
        if made.plan is not None:
            self.strip.put(made.plan)
            self.sums.put(made.plan)
        else:
            self.strip.update(self._state())
            self.sums.say(self._state())
        self._describe()

    def _state(self) -> Content:
        """Say why there is no plan, and how to undo what refused it."""
        if self._made.refusal is None:
            return Content.styled(tr("Planning…"), "$muted")
        wishes = self._made.wishes
        undo = [tr(_UNDO)] if wishes.overrides else []
        undo += [tr("R trains a new adapter.")] if wishes.adapter else []
        undo += [tr("p leaves the preset {name}.", name=wishes.preset)] if wishes.preset else []
        if wishes.device:
            undo.append(tr("d leaves the device {name}.", name=wishes.device_words))
        lines = [error_text(self._made.refusal), Content.styled(" ".join(undo), "$muted")]
        return Content("\n").join(line for line in lines if line)

    @on(LineList.Highlighted, "#parameters")
    def _describe(self) -> None:
        """Tell about the parameter under the cursor."""
        if (item := self.parameters.items.get(self.parameters.cursor or "")) is not None:
            self.about.put(item)

    # Changing

    @on(LineList.Chosen, "#parameters")
    def _chosen(self, event: LineList.Chosen) -> None:
        """Set a value."""
        self._edit(event.key)

    @work(group="edit", exclusive=True, exit_on_error=False)
    async def _edit(self, key: str) -> None:
        """Ask for a value; the dialog lets none go that the engine refuses."""
        from screens.value_dialog import ValueDialog

        wishes = self._made.wishes
        dialog = ValueDialog(key, self._value(key), self._made.plan,
                             lambda value: self._attempt(wishes.having(key, value)))  # fmt: skip
        edited = await ask(self, dialog)
        if edited is not None:
            self._wish(wishes.having(key, edited.value), edited.plan)

    def _value(self, key: str) -> Any:
        """Give a parameter's present value."""
        if key in self._made.wishes.overrides:
            return self._made.wishes.overrides[key]
        return self._known.choices[key].value if self._known else None

    @work(group="edit", exclusive=True, exit_on_error=False)
    async def action_preset(self) -> None:
        """Ask for a preset; the plan follows."""
        from screens.preset_dialog import PresetDialog

        wishes = self._made.wishes
        name = await ask(self, PresetDialog(wishes.preset))
        if name is not None and name != wishes.preset:
            self._wish(replace(wishes, preset=name), None)

    @work(group="edit", exclusive=True, exit_on_error=False)
    async def action_device(self) -> None:
        """Ask for a device; the plan follows."""
        from screens.device_dialog import DeviceDialog

        wishes = await ask(self, DeviceDialog(self.session, self._made.wishes))
        if wishes is not None and wishes != self._made.wishes:
            self._wish(wishes, None)

    def action_reset(self) -> None:
        """Take the value under the cursor back."""
        if self.parameters.cursor is not None:
            self._wish(self._made.wishes.without(self.parameters.cursor), None)

    def action_reset_all(self) -> None:
        """Take all values back, and train a new adapter; a preset and a device stay."""
        self._wish(replace(self._made.wishes, overrides={}, adapter=""), None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Offer to take back only what was set."""
        overrides = self._made.wishes.overrides
        if action == "reset":
            return self.is_mounted and self.parameters.cursor in overrides
        return action != "reset_all" or bool(overrides)

    # Moving

    def action_sums(self) -> None:
        """Show the sums in place of the parameters where there is no room for both."""
        shown = self.focused is not self.sums
        self.set_class(shown, "-sums")
        self.set_focus(self.sums if shown else self.parameters)

    def action_focus_sums(self) -> None:
        """Go to the sums."""
        self.add_class("-sums")
        self.set_focus(self.sums)

    def action_focus_parameters(self) -> None:
        """Go to the parameters."""
        self.remove_class("-sums")
        self.set_focus(self.parameters)

    def action_scroll(self, by: int) -> None:
        """Scroll the sums."""
        self.sums.scroll_relative(y=by, animate=False)

    def action_start(self) -> None:
        """Start the training; one for a card that is not here is refused with words."""
        if words := self._made.only_to_look:
            self.notify(words, severity="warning", markup=False)
        else:
            self.dismiss(True)

    def action_back(self) -> None:
        """Go back to Home, which has kept all that was set."""
        self.dismiss(False)
