"""The sampling settings as fields, each with its meaning beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from screens.sampling_words import KEYS, read_sampling, setting_meaning, written
from screens.widgets.field import Field

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from engine.results.chat.types import Sampling


class SamplingFields(Vertical):
    """Seven settings, a line each."""

    DEFAULT_CSS = """
    SamplingFields {
        height: auto;
        & Horizontal { height: 1; }
        & .name { width: 19; }
        & Field { width: 12; }
        & .meaning { width: 1fr; padding-left: 2; color: $muted; text-wrap: nowrap;
                     text-overflow: ellipsis; }
    }
    """

    def __init__(self, sampling: Sampling) -> None:
        super().__init__()
        self._values = written(sampling)

    def compose(self) -> ComposeResult:
        """Lay out name, field and meaning of each setting."""
        for key in KEYS:
            with Horizontal():
                yield Static(key, markup=False, classes="name")
                field = Field(id=key)
                field.value = self._values[key]
                field.select_on_focus = True  # what is typed takes the place of what stands there
                yield field
                yield Static(setting_meaning(key), markup=False, classes="meaning")

    def put(self, sampling: Sampling) -> None:
        """Show other settings."""
        for key, text in written(sampling).items():
            self.query_one(f"#{key}", Field).value = text

    def read(self) -> Sampling:
        """Read the settings as they stand.

        Raises:
            LoraDeckError: One of them is out of its range.
        """
        return read_sampling({key: self.query_one(f"#{key}", Field).value for key in KEYS})
