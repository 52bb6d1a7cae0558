"""Input fields of one line that show pasted control characters instead of obeying them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.suggester import Suggester
from textual.widgets import Input

from engine.data.endings import is_dataset_name
from engine.text import visible
from screens.draft import pasted_path

if TYPE_CHECKING:
    from textual import events


class Field(Input):
    """A compact input field; up and down lead to its neighbours, such as the list beneath it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "app.focus_next", "Next", show=False, id="field.next",
                tooltip="Next field, or the list beneath"),
        Binding("up", "app.focus_previous", "Previous", show=False, id="field.previous",
                tooltip="Field before"),
    ]  # fmt: skip

    DEFAULT_CSS = """
    Field, Field:focus { background: $foreground 5%; padding: 0; }
    Field:focus { background: $primary 16%; }
    """

    def __init__(
        self,
        placeholder: str = "",
        *,
        suggester: Suggester | None = None,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(
            placeholder=placeholder,
            suggester=suggester,
            compact=True,
            select_on_focus=False,
            id=id,
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Leave the footer what Enter does on the screen."""
        return action != "submit"

    async def _on_key(self, event: events.Key) -> None:
        """Submit in turn: where keys come in one chunk, one for an action overtakes the others."""
        if event.key == "enter":
            event.prevent_default()
            event.stop()
            await self.action_submit()

    def validate_value(self, value: str) -> str:
        """Make control characters visible: a terminal would act on them."""
        return visible(value).replace("\n", " ").replace("\t", " ")


class NameField(Field):
    """The task's name. A path pasted here is meant for the dataset: no name has one."""

    def _on_paste(self, event: events.Paste) -> None:
        """Leave a path to the screen."""
        if pasted_path(event.text) is not None:
            event.prevent_default()


class PathField(Field):
    """A path, completed from the file system."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete", show=False, id="path.complete",
                tooltip="Take the completion, or go on to the next field"),
    ]  # fmt: skip

    def __init__(self, placeholder: str = "", *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(placeholder, suggester=PathSuggester(), id=id)

    def action_complete(self) -> None:
        """Take the suggestion; without one, Tab does what it does elsewhere."""
        if self._suggestion and self._suggestion != self.value:
            self.action_cursor_right()
        else:
            self.screen.focus_next()

    def _on_paste(self, event: events.Paste) -> None:
        """Take a pasted path whole, in place of what stands here."""
        if (path := pasted_path(event.text)) is not None:
            event.prevent_default()
            event.stop()
            self.value = path
            self.cursor_position = len(self.value)


class PathSuggester(Suggester):
    """Completes the last part of a path: folders, and files that can be a dataset."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """Give the first path that begins with what was typed."""
        folder, slash, beginning = value.rpartition("/")
        if not slash or not beginning:
            return None
        try:
            name = _first_name(folder + slash, beginning)
        except (OSError, RuntimeError, ValueError):
            return None
        return folder + slash + name if name else None


def _first_name(folder: str, beginning: str) -> str:
    """Give the first name in a folder that begins so and may lead to a dataset."""
    with os.scandir(Path(folder).expanduser()) as entries:
        names = [
            entry.name + ("/" if entry.is_dir() else "")
            for entry in entries
            if entry.name.startswith(beginning) and _offered(entry)
        ]
    return min(names, default="")


def _offered(entry: os.DirEntry[str]) -> bool:
    """Tell whether a completion may lead there."""
    plain = visible(entry.name) == entry.name
    return plain and (entry.is_dir() or is_dataset_name(entry.name))
