"""A list that draws only the lines in sight, so that ten thousand items cost no more than ten."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from rich.segment import Segment
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from engine.language import tr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.style import Style
    from textual import events

Item = TypeVar("Item")

_MARGIN = 2  # the mark of the chosen item, and a blank at the end of a line


class LineList(ScrollView, Generic[Item], can_focus=True):
    """Items of one or more lines each, with a cursor; a key names an item through all updates."""

    ASKS: ClassVar[bool] = False
    """Whether its items are asked for: until they came, nobody knows that there is none."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Choose", key_display="enter", id="list.choose",
                tooltip="Take the item"),
        Binding("down,j", "move(1)", "Down", show=False, id="list.down", tooltip="Next item"),
        Binding("up,k", "move(-1)", "Up", show=False, id="list.up", tooltip="Item before"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="list.page_down",
                tooltip="A page down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="list.page_up",
                tooltip="A page up"),
        Binding("home,g", "end(0)", "First", show=False, id="list.first", tooltip="First item"),
        Binding("end,G", "end(-1)", "Last", show=False, id="list.last", tooltip="Last item"),
    ]  # fmt: skip

    TONES: ClassVar[tuple[str, ...]] = (
        "plain",
        "dim",
        "strong",
        "run",
        "good",
        "warn",
        "bad",
        "rest",
    )
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"line--{tone}" for tone in TONES), "line--cursor", "line--mark",
    }  # fmt: skip

    DEFAULT_CSS = """
    LineList {
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        & > .line--dim { color: $muted; }
        & > .line--strong { text-style: bold; }
        & > .line--run { color: $primary; }
        & > .line--good { color: $success; }
        & > .line--warn { color: $warning; }
        & > .line--bad { color: $error; }
        & > .line--rest { color: $faint; }
        & > .line--mark { color: $border-blurred; }
        & > .line--cursor { background: $foreground 4%; }
        &:focus > .line--mark { color: $accent; }
        &:focus > .line--cursor { background: $primary 18%; }
    }
    """

    @dataclass
    class Highlighted(Message):
        """The cursor stands on another item."""

        list: LineList[Any]
        key: str | None

        @property
        def control(self) -> LineList[Any]:
            """The list."""
            return self.list

    @dataclass
    class Chosen(Message):
        """An item was taken, by Enter or by a second click."""

        list: LineList[Any]
        key: str

        @property
        def control(self) -> LineList[Any]:
            """The list."""
            return self.list

    cursor: reactive[str | None] = reactive(None)
    """The key of the item that the cursor stands on."""

    def __init__(self, empty: str = "", *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.empty = empty
        """What stands where there is no item."""
        self.items: Mapping[str, Item] = {}
        self._waits = self.ASKS
        self._early = 0
        """Enters that were typed before there was anything to choose."""
        self._keys: Sequence[str] = []
        self._places: Mapping[str, int] = {}
        self._starts: Sequence[int] = [0]

    # What a kind of list says about its items

    def height_of(self, item: Item) -> int:  # noqa: ARG002
        """Tell how many lines an item takes."""
        return 1

    def head_of(self, item: Item) -> int:  # noqa: ARG002
        """Tell how many of its first lines the cursor leaves unmarked."""
        return 0

    def lines_of(self, item: Item, width: int) -> list[Text]:
        """Draw an item: ``height_of`` lines, none of them wider than ``width`` cells."""
        raise NotImplementedError

    # What others tell the list

    def show(self, items: Mapping[str, Item]) -> None:
        """Show these items in this order; the cursor stays on its item, or near its place."""
        place = self._places.get(self.cursor or "", 0)
        self._waits = False
        self.items = dict(items)
        self._keys = list(items)
        self._places = {key: index for index, key in enumerate(self._keys)}
        heights = map(self.height_of, self.items.values())
        self._starts = [0, *accumulate(heights)]
        self._resize_content()
        if self.cursor not in self.items:
            last = len(self._keys) - 1
            self.cursor = self._keys[min(place, last)] if self._keys else None
        for _ in range(self._early):
            self.action_choose()
        self._early = 0
        self.refresh()

    def update_item(self, key: str, item: Item) -> None:
        """Redraw one item that is of the same height as before."""
        assert isinstance(self.items, dict)  # noqa: S101 - ``show`` made it
        self.items[key] = item
        self.redraw(key)

    def redraw(self, key: str) -> None:
        """Draw one item anew."""
        index = self._places[key]
        top = self._starts[index] - self.scroll_offset.y
        height = self._starts[index + 1] - self._starts[index]
        if top < self.scrollable_content_region.height and top + height > 0:
            self.refresh(Region(0, top, self.size.width, height))

    def tone(self, name: str) -> Style:
        """Give a tone's style, without a background of its own."""
        return self.get_component_rich_style(f"line--{name}", partial=True)

    # Drawing

    def render_line(self, y: int) -> Strip:
        """Draw one line of the window."""
        width = self.scrollable_content_region.width
        line = y + self.scroll_offset.y
        if not self._keys:
            words = tr("Looking…") if self._waits else self.empty
            wrapped = _wrapped(words, max(width - 2 * _MARGIN, 1))
            if not 0 < y <= len(wrapped):
                return Strip.blank(width, self.rich_style)
            text = Text.assemble("  ", (wrapped[y - 1], self.tone("dim")))
            return self._strip(text, width, self.rich_style)
        if line >= self._starts[-1]:
            return Strip.blank(width, self.rich_style)
        index = bisect_right(self._starts, line) - 1
        return self._item_strip(index, line - self._starts[index], width)

    def _item_strip(self, index: int, line: int, width: int) -> Strip:
        """Draw one line of an item, with the cursor's mark where it stands there."""
        key = self._keys[index]
        here = key == self.cursor and line >= self.head_of(self.items[key])
        lines = self.lines_of(self.items[key], width - _MARGIN)
        text = Text.assemble(("▌" if here else " ", self.tone("mark")))
        if line < len(lines):
            text.append_text(lines[line])
        style = self.rich_style
        if here:
            style += self.get_component_rich_style("line--cursor")
        return self._strip(text, width, style)

    def _strip(self, text: Text, width: int, style: Style) -> Strip:
        """Make a strip of exactly this width."""
        text.end = ""
        segments = Segment.apply_style(text.render(self.app.console), style)
        return Strip(segments).adjust_cell_length(width, style)

    def on_resize(self) -> None:
        """Lay the content out anew, with the cursor in sight."""
        self._resize_content()
        self._reveal()

    def notify_style_update(self) -> None:
        """Draw anew in the theme's colours."""
        super().notify_style_update()
        self.refresh()

    def _resize_content(self) -> None:
        """Tell the scroll bar how much there is."""
        self.virtual_size = Size(self.scrollable_content_region.width, self._starts[-1])

    # Moving

    def watch_cursor(self, before: str | None, now: str | None) -> None:
        """Keep the cursor in sight and tell where it stands."""
        if before != now:
            self._reveal()
            for key in (before, now):
                if key is not None and key in self._places:
                    self.redraw(key)
            self.post_message(self.Highlighted(self, now))

    def _reveal(self) -> None:
        """Scroll the cursor's item into sight."""
        if (index := self._places.get(self.cursor or "")) is not None:
            top = self._starts[index]
            region = Region(0, top, 1, self._starts[index + 1] - top)
            self.scroll_to_region(region, animate=False, force=True)

    def action_move(self, by: int) -> None:
        """Move the cursor by some items."""
        if self._keys:
            place = self._places.get(self.cursor or "", 0) + by
            self.cursor = self._keys[max(0, min(place, len(self._keys) - 1))]

    def action_page(self, by: int) -> None:
        """Move the cursor by a window's height."""
        if self._keys:
            index = self._places.get(self.cursor or "", 0)
            line = self._starts[index] + by * max(self.scrollable_content_region.height - 1, 1)
            line = max(0, min(line, self._starts[-1] - 1))
            self.cursor = self._keys[bisect_right(self._starts, line) - 1]

    def action_end(self, place: int) -> None:
        """Move the cursor to the first or the last item."""
        if self._keys:
            self.cursor = self._keys[place]

    def action_choose(self) -> None:
        """Take the item that the cursor stands on; the items may still be on their way."""
        if self._waits:
            self._early += 1
        elif self.cursor is not None:
            self.post_message(self.Chosen(self, self.cursor))

    def on_click(self, event: events.Click) -> None:
        """Move the cursor by the mouse; a click where it stands takes the item."""
        offset = event.get_content_offset(self)
        line = offset.y + self.scroll_offset.y if offset else -1
        if not 0 <= line < self._starts[-1]:
            return
        key = self._keys[bisect_right(self._starts, line) - 1]
        if key == self.cursor:
            self.action_choose()
        self.cursor = key


@lru_cache(maxsize=8)
def _wrapped(words: str, width: int) -> list[str]:
    """Break words into lines, once for all the lines of a window."""
    return [line.plain for line in Content(words).wrap(width)]
