"""Read what a model folder says about its chat template, special tokens and tokenizer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer

from engine.data.words import brief, shown
from engine.errors import LoraDeckError
from engine.language import mark, tr
from engine.text import fault_of

if TYPE_CHECKING:
    from pathlib import Path

_CONFIG = "tokenizer_config.json"
_SPECIAL_TOKENS = "special_tokens_map.json"
_TEMPLATE = "chat_template.jinja"
_TOKENIZER = "tokenizer.json"
_GENERATION = "generation_config.json"
_last_special: tuple[Tokenizer, frozenset[str]] | None = None
_WHOLE = mark("Fetch the model again, or choose another one.")


def template_source(folder: Path) -> str | None:
    """Give the text of a model's chat template, ``None`` where it has none.

    Raises:
        LoraDeckError: A file is damaged, or none of several templates is called ``default``.
    """
    text = _read(folder / _TEMPLATE)
    if text is not None:
        return text
    found = _read_object(folder / _CONFIG).get("chat_template")
    if isinstance(found, list):
        named = {one.get("name"): one.get("template") for one in found if isinstance(one, dict)}
        found = named.get("default")
        if found is None:
            raise _damaged(folder / _CONFIG, tr("no chat template in it is called default"))
    if found is not None and not isinstance(found, str):
        raise _damaged(folder / _CONFIG, tr("its chat_template is not a text"))
    return found


def special_tokens(folder: Path) -> dict[str, str]:
    """Give the special tokens by name (``bos_token``, ``eos_token``, ...), as templates see them.

    Raises:
        LoraDeckError: A file is damaged.
    """
    config = _read_object(folder / _CONFIG)
    fallback = _read_object(folder / _SPECIAL_TOKENS)
    # transformers lets the older file win only where the newer one lists no added tokens
    merged = fallback | config if "added_tokens_decoder" in config else config | fallback
    tokens = {}
    for name, value in merged.items():
        token = value.get("content") if isinstance(value, dict) else value
        if name.endswith("_token") and isinstance(token, str):
            tokens[name] = token
    return tokens


def generation_settings(folder: Path) -> dict[str, Any]:
    """Give a model's generation settings; empty where they are missing or damaged."""
    try:
        values = json.loads((folder / _GENERATION).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def end_ids(settings: dict[str, Any]) -> list[int]:
    """List the tokens at which generation settings end an answer: there is one, or a list."""
    given = settings.get("eos_token_id")
    return [one for one in (given if isinstance(given, list) else [given]) if isinstance(one, int)]


def load_tokenizer(folder: Path) -> Tokenizer:
    """Load a model's ``tokenizer.json``, without the truncation and padding it may carry.

    Raises:
        LoraDeckError: The file is missing or damaged.
    """
    path = folder / _TOKENIZER
    text = _read(path)
    if text is None:
        raise LoraDeckError(
            tr("Model has no tokenizer"),
            tr("There is no {file} in {folder}.", file=_TOKENIZER, folder=shown(folder)),
            tr("Choose a model folder with a tokenizer.json, as transformers saves it."),
        )
    try:
        tokenizer = Tokenizer.from_str(text)
    except Exception as error:  # noqa: BLE001 - tokenizers raises nothing narrower
        raise _damaged(path, brief(error)) from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def special_texts(tokenizer: Tokenizer) -> frozenset[str]:
    """Give a tokenizer's special tokens as texts."""
    global _last_special
    if _last_special is None or _last_special[0] is not tokenizer:
        added = tokenizer.get_added_tokens_decoder().values()
        texts = frozenset(token.content for token in added if token.special and token.content)
        _last_special = (tokenizer, texts)
    return _last_special[1]


def _read_object(path: Path) -> dict[str, Any]:
    """Read a JSON object; a file that is not there is an empty one."""
    text = _read(path)
    if text is None:
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, brief(error)) from None
    if not isinstance(value, dict):
        raise _damaged(path, tr("it holds no JSON object"))
    return value


def _read(path: Path) -> str | None:
    """Read a text file of a model, ``None`` where it is not there."""
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(path, brief(error)) from None


def _damaged(path: Path, reason: str) -> LoraDeckError:
    """Say which of a model's files cannot be used."""
    return LoraDeckError(tr("Model file is damaged"), fault_of(shown(path), reason), tr(_WHOLE))
