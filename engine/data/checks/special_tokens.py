"""Text that some model's tokenizer takes for a special token."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from engine.language import tr

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.data.checks.row_text import RowText

_PIPED = re.compile(
    r"<\|(?:im_start|im_end|im_sep|endoftext|eot_id|eom_id|begin_of_text|end_of_text|start|end"
    r"|start_header_id|end_header_id|user|assistant|system|tool|observation|channel|message|call"
    r"|return|python_tag|sep|pad|fim_prefix|fim_middle|fim_suffix|endofprompt)\|>"
    r"|<｜[^<>｜]{1,30}｜>"
)
_ANGLED = re.compile(
    r"</?s>|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>|\[/?INST\]|<</?SYS>>"
    r"|\[/?(?:AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|SYSTEM_PROMPT)\]"
)


def check_special_tokens(row: RowText) -> Iterable[tuple[str, str]]:
    """Find tokens that would end a turn in the middle of a text."""
    text = row.text
    token = _PIPED.search(text) if "<|" in text or "<｜" in text else None
    if token is None and ("<" in text or "[" in text):
        token = _ANGLED.search(text)
    if token is None:
        return ()
    code = "rendered-already" if row.plain else "special-token-text"
    return ((code, tr("it holds {text}", text=token.group())),)
