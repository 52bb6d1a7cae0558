"""Choose the form in which a template renders a conversation whole: nothing refused or lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.data.chat import Chat, as_turns, describe_tools, fold_system, fold_tools
from engine.data.marks import Marks, mark_core, mark_tools
from engine.data.types import Message, ToolCall
from engine.errors import LoraDeckError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.data.template import ChatTemplate
    from engine.data.types import Conversation


def lay_out(conversation: Conversation, template: ChatTemplate) -> tuple[Chat, str]:
    """Give the first form that the template renders without loss, and the rendered text.

    Tried in this order: as it is; arguments as JSON text; functions described in the system turn
    (DeepSeek's templates know calls, but list no functions); functions, calls and results as
    plain text inside the turns. Each also with the system turn inside the first question.

    Raises:
        LoraDeckError: The template refuses every form; the error is that of the first.
    """
    refusal: LoraDeckError | None = None
    lossy: tuple[Chat, str] | None = None
    for chat in _forms(conversation):
        try:
            text = render(chat, template)
            if not _leaves_out(chat, text, template):
                return chat, text
        except LoraDeckError as error:
            refusal = refusal or error
        else:
            lossy = lossy or (chat, text)
    if lossy is not None:
        return lossy
    assert refusal is not None  # noqa: S101 - a form was neither rendered nor refused
    raise refusal


def render(chat: Chat, template: ChatTemplate) -> str:
    """Render a whole chat.

    Raises:
        LoraDeckError: The template fails or refuses it.
    """
    turns = as_turns(chat.messages, text_arguments=chat.text_arguments)
    return template.run(turns, chat.tools)


def _forms(conversation: Conversation) -> Iterator[Chat]:
    """Give the forms of a conversation, the plainest last."""
    messages, tools = conversation.messages, conversation.tools
    calls = any(one.tool_calls for one in messages)
    forms = [Chat(messages, tools)]
    if tools:
        described = describe_tools(messages, tools)
        forms.append(Chat(described, tools_folded=True))
    for form in forms:
        yield from _with_and_without_system(form)
        if calls:
            yield from _with_and_without_system(replace(form, text_arguments=True))
    if tools or calls or any(one.role == "tool" for one in messages):
        folded = fold_tools(messages, tools)
        yield from _with_and_without_system(Chat(folded, tools_folded=True))


def _with_and_without_system(chat: Chat) -> Iterator[Chat]:
    """Give a chat, and again with its system turn in the first question."""
    yield chat
    messages = fold_system(chat.messages)
    if messages is not None:
        yield replace(chat, messages=messages, system_folded=True)


def _leaves_out(chat: Chat, text: str, template: ChatTemplate) -> bool:
    """Tell whether the template leaves out the system turn, a function, a call or a result."""
    marks = Marks.absent_from(text)
    messages = [_mark(message, marks) for message in chat.messages]
    tools = mark_tools(chat.tools, marks)
    values = marks.values.values()
    if not values or (not tools and len(values) == 1 and _is_system_said(chat, text)):
        return False
    turns = as_turns(messages, text_arguments=chat.text_arguments)
    marked = template.run(turns, tools)
    return any(mark not in marked for mark in marks.values)


def _is_system_said(chat: Chat, text: str) -> bool:
    """Tell whether the text says what the system turn does, without another rendering."""
    first = chat.messages[0]
    return first.role == "system" and first.content.strip() in text


def _mark(message: Message, marks: Marks) -> Message:
    """Mark what must not get lost; plain questions and answers need no check."""
    if message.role in ("system", "tool") or message.tool_calls:
        content = mark_core(message.content, marks)
        calls = tuple(
            ToolCall(name=marks.make(call.name), arguments={marks.make("argument"): 1})
            for call in message.tool_calls
        )
        return message.model_copy(update={"content": content, "tool_calls": calls})
    return message
