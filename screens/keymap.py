"""Which keys do what, on which screen: read off the bindings, for the user's own to be checked."""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, TypeGuard

from textual.keys import format_key
from textual.screen import Screen
from textual.widget import Widget

from engine.language import tr
from screens.format import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from textual.app import App
    from textual.dom import DOMNode

STAYING = frozenset({"enter", "escape", "tab", "shift+tab", "up", "down", "left", "right", "pageup",
                     "pagedown", "home", "end"})  # fmt: skip
"""Keys that keep what they do, beside those that the user adds."""
_OF_OTHERS = frozenset(f"ctrl+{letter}" for letter in "abjoscqzpimh")


@dataclass(frozen=True)
class Action:
    """What a key does."""

    id: str
    words: str
    """The binding's tooltip."""
    keys: tuple[str, ...]
    """Those that it has by itself."""

    def having(self, own: str) -> tuple[str, ...]:
        """Give its keys with the user's own, which take the place of its letters."""
        kept = (key for key in self.keys if key in STAYING)
        return tuple(dict.fromkeys([*split(own), *kept]))


class Registry:
    """All actions, by id, and the places in which several of them are at hand together."""

    def __init__(self, app: type[App[None]]) -> None:
        classes = list(_classes(app))
        self._maps = {cls: _actions(cls) for cls in classes}
        self.actions = {one.id: one for found in self._maps.values() for one in found}
        everywhere = {one.id for one in self._maps[app]}
        self._scopes = [
            everywhere | {one.id for part in _parts(cls) for one in self._maps.get(part, ())}
            for cls in classes
            if issubclass(cls, Screen)
        ]

    def keys_of(self, action: str, keymap: Mapping[str, str]) -> tuple[str, ...]:
        """Give an action's keys as they are now."""
        known = self.actions[action]
        return known.having(keymap[action]) if keymap.get(action) else known.keys

    def refusal(self, action: str, key: str, keymap: Mapping[str, str]) -> str:
        """Say why an action cannot have a key; empty where it can."""
        if key in STAYING or key in _OF_OTHERS:
            return tr("{key} has another meaning everywhere, or in your terminal.", key=shown(key))
        mine = set(self.actions[action].keys)
        for scope in self._scopes:
            for other in sorted(scope if action in scope else ()):
                # Those that share a key by themselves are never at hand at the same time
                apart = other != action and not mine & set(self.actions[other].keys)
                if apart and key in self.keys_of(other, keymap):
                    words = tr(self.actions[other].words)
                    return tr("{key} is taken: {words} ({id}).", key=shown(key), words=words,
                              id=other)  # fmt: skip
        return ""

    def usable(self, keymap: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
        """Take what can be used of the user's keys, and say what cannot."""
        good: dict[str, str] = {}
        faults = []
        for action, own in keymap.items():
            known = action in self.actions
            keys = split(own)
            words = "" if known and keys else tr("no such action") if not known else tr("no key")
            words = words or next(filter(None, (_unknown(key) for key in keys)), "")
            words = words or next(
                filter(None, (self.refusal(action, key, good) for key in keys)), ""
            )
            if words:
                faults.append(f"{one_line(action)} = {one_line(own)}: {words}")
            else:
                good[action] = own
        return good, faults

    def applied(self, keymap: Mapping[str, str]) -> dict[str, str]:
        """Give the keymap that Textual needs for this one.

        It takes a key away from all actions of a class that share it: these are named as well.
        """
        wanted = set(keymap)
        while (
            more := {
                other.id
                for found in self._maps.values()
                for one in found
                for other in found
                if one.id in wanted and set(one.keys) & set(other.keys)
            }
            - wanted
        ):
            wanted |= more
        return {action: ",".join(self.keys_of(action, keymap)) for action in wanted}


@cache
def registry_of(app: type[App[None]]) -> Registry:
    """Read the bindings of an app and its screens; imports all of them, which takes a while."""
    return Registry(app)


def split(keys: str) -> list[str]:
    """Take the names of keys apart."""
    return [key for part in keys.split(",") if (key := part.strip())]


def shown(key: str) -> str:
    """Write a key as the last line of the screen does."""
    return {"enter": "enter", "escape": "esc"}.get(key) or format_key(key)


def _unknown(key: str) -> str:
    """Say that a key's name is none; letters, and names such as ``f5`` or ``ctrl+t``, are."""
    plain = one_line(key)
    if plain == key and key.replace("+", "").replace("_", "").isalnum():
        return ""
    return tr("'{key}' is no name of a key", key=plain)


def _classes(app: type[App[None]]) -> Iterator[type[DOMNode]]:
    """Give the app, and all screens and widgets."""
    import screens

    yield app
    for module in pkgutil.walk_packages(screens.__path__, f"{screens.__name__}."):
        for value in vars(import_module(module.name)).values():
            if _is_ours(value) and value.__module__ == module.name:
                yield value


def _is_ours(value: object) -> TypeGuard[type[Widget]]:
    """Tell whether something is a screen or widget of the dashboard."""
    if not isinstance(value, type) or not issubclass(value, Widget):
        return False
    return value.__module__.startswith("screens.")


def _actions(cls: type[DOMNode]) -> list[Action]:
    """Give what can be done in a screen or widget, with what it inherits."""
    keys: dict[str, list[str]] = {}
    words: dict[str, str] = {}
    for key, bindings in (cls._merged_bindings or cls._merge_bindings()).key_to_bindings.items():
        for one in bindings:
            if one.id and one.tooltip:
                keys.setdefault(one.id, []).append(key)
                words[one.id] = one.tooltip
    return [Action(name, words[name], tuple(keys[name])) for name in keys]


def _parts(cls: type[DOMNode]) -> Iterable[type[DOMNode]]:
    """Give a screen and the widgets that its module, and theirs, know by name."""
    found: set[type[DOMNode]] = {cls}
    waiting = [cls]
    while waiting:
        module = import_module(waiting.pop().__module__)
        known = {one for one in vars(module).values() if _is_ours(one)}
        new = {one for one in known if not issubclass(one, Screen)} - found
        found |= new
        waiting += new
    return found
