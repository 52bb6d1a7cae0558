"""The keys of the screen or dialog that is shown, in its last line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from rich.cells import cell_len
from textual.content import Content
from textual.style import Style
from textual.widget import Widget

from engine.language import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.screen import Screen

_LAST = 2
"""Keys at the end of the line that stay: the way back, and help."""


class Key(NamedTuple):
    """One key and what it does."""

    name: str
    """As Textual names it."""
    shown: str
    words: str
    action: str
    tooltip: str
    enabled: bool


class KeysLine(Widget):
    """Shows the bindings that are to be shown; a click presses the key.

    One widget in all: Textual's own footer is a widget a key, made anew whenever the focus moves
    to other keys, and that took two fifths of the processor time of a screen full of them.
    """

    DEFAULT_CSS = """
    KeysLine {
        dock: bottom;
        height: 1;
        text-wrap: nowrap;
        color: $footer-foreground;
        background: $footer-background;

        & > .keys-line--key {
            color: $footer-key-foreground;
            background: $footer-key-background;
            text-style: bold;
        }
        & > .keys-line--words {
            color: $footer-description-foreground;
            background: $footer-description-background;
        }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"keys-line--key", "keys-line--words"}
    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self.auto_links = False
        self.keys: tuple[Key, ...] = ()

    def on_mount(self) -> None:
        """Follow what can be pressed."""
        self.screen.bindings_updated_signal.subscribe(self, self._follow)

    def _follow(self, screen: Screen[Any]) -> None:
        """Show other keys, where they are others, once the screen is drawn."""
        if self.app.app_focus and screen is self.screen:
            self.call_after_refresh(self._look)

    def _look(self) -> None:
        """Look which keys are to be shown now."""
        if self.is_attached and (keys := tuple(self._shown())) != self.keys:
            self.keys = keys
            self.refresh(layout=True)

    def _shown(self) -> list[Key]:
        """Give the keys to show, the first of each action; Enter, where it counts, before all."""
        found: dict[str, Key] = {}
        for _, binding, enabled, tooltip in self.screen.active_bindings.values():
            if binding.show and binding.action not in found:
                found[binding.action] = Key(
                    binding.key,
                    self.app.get_key_display(binding),
                    tr(binding.description),
                    binding.action,
                    tr(tooltip),
                    enabled,
                )
        return sorted(found.values(), key=lambda key: key.name != "enter")

    def render(self) -> Content:
        """Write key after key, as many as there is room for."""
        look = self.get_visual_style("keys-line--key"), self.get_visual_style("keys-line--words")
        return Content.assemble(
            *(part for key in _fitting(self.keys, self.size.width) for part in _parts(key, *look))
        )

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Tell more of the key under the pointer."""
        self.tooltip = event.style.meta.get("tooltip")

    def action_press(self, key: str) -> None:
        """Press a key for the user."""
        self.app.simulate_key(key)


def _fitting(keys: Sequence[Key], width: int) -> list[Key]:
    """Leave keys out where the line is too narrow for all, those before the way back and help."""
    fitting = list(keys)
    while len(fitting) > _LAST and sum(map(_width, fitting)) > width:
        del fitting[-_LAST - 1]
    return fitting


def _width(key: Key) -> int:
    """Count the cells of a key and its words."""
    return cell_len(f" {key.shown} {key.words} ")


def _parts(key: Key, key_look: Style, words_look: Style) -> tuple[tuple[str, Style], ...]:
    """Write one key and its words."""
    meta = {"@click": f"press({key.name!r})"} if key.enabled else {}
    extra = Style.from_meta({**meta, "tooltip": key.tooltip or key.words})
    if not key.enabled:
        extra += Style(dim=True)
    return (f" {key.shown} ", key_look + extra), (f"{key.words} ", words_look + extra)
