"""Turn rows of any known shape into conversations, or say what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from engine.data.faults import FaultyRowError
from engine.data.normalize.columns import Columns
from engine.data.normalize.dialogs import DialogReader
from engine.data.normalize.order import check_turns, settle
from engine.data.normalize.pairs import AlpacaReader, PairReader
from engine.data.normalize.preference import PreferenceReader
from engine.data.normalize.tools import read_tools
from engine.data.types import Conversation, Message
from engine.language import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from engine.data.types import Shape

_MEDIA_COLUMNS = frozenset({"image", "images", "audio", "audios", "video", "videos"})
_MEDIA_MARKS = ("<image>", "<audio>", "<video>")


class _Reader(Protocol):
    """Finds the turns in a row of one shape."""

    def turns(self, row: Mapping[str, Any]) -> list[Message]:
        """Give the row's turns but for its system column."""


_READERS: dict[str, Callable[[Columns], _Reader]] = {
    "alpaca": AlpacaReader,
    "sharegpt": DialogReader,
    "messages": DialogReader,
    "prompt_completion": PairReader,
    "preference": PreferenceReader,
}


def normalize(row: Mapping[str, Any], number: int, shape: Shape) -> Conversation:
    """Make a conversation of the row with this number.

    For many rows make a ``normalizer`` once: it is what this calls.

    Raises:
        FaultyRowError: The row cannot train; says why.
    """
    return normalizer(shape)(row, number)


def normalizer(shape: Shape) -> Callable[[Mapping[str, Any], int], Conversation]:
    """Make the function that turns a row and its number into a conversation.

    The function raises ``FaultyRowError`` where the row cannot train, and nothing else.
    """
    columns = Columns(shape)
    if shape.dataset_type == "text":
        return _plain_reader(columns)
    reader = _READERS[shape.dataset_type](columns)
    system, tools = columns.getter("system", None), columns.getter("tools", None)

    def read(row: Mapping[str, Any], number: int) -> Conversation:
        messages = settle(check_turns(reader.turns(row)))
        text = columns.optional_text(system(row), "system")
        if text.strip() and messages[0].role != "system":
            messages.insert(0, Message(role="system", content=text))
        if not _MEDIA_COLUMNS.isdisjoint(row):
            _refuse_media(row, messages)
        offered = tools(row)
        return Conversation(
            row=number,
            messages=tuple(messages),
            tools=read_tools(offered, columns.name("tools")) if offered else (),
        )

    return read


def _plain_reader(columns: Columns) -> Callable[[Mapping[str, Any], int], Conversation]:
    """Make the function for plain texts: the whole text is trained."""
    text = columns.getter("text")

    def read(row: Mapping[str, Any], number: int) -> Conversation:
        value = text(row)
        if columns.is_missing(value):
            raise columns.other_shape(row)
        content = "" if value is None else columns.text(value, "text")
        if not content.strip():
            raise FaultyRowError(
                "empty-text", tr("'{name}' says nothing", name=columns.name("text"))
            )
        message = Message(role="assistant", content=content)
        return Conversation(row=number, messages=(message,), plain=True)

    return read


def _refuse_media(row: Mapping[str, Any], messages: Sequence[Message]) -> None:
    """Refuse a row whose text points at the images in another column."""
    if not any(row.get(column) for column in _MEDIA_COLUMNS):
        return
    for mark in _MEDIA_MARKS:
        if any(mark in message.content for message in messages):
            raise FaultyRowError("media", tr("its text holds {text} in place of a file", text=mark))
