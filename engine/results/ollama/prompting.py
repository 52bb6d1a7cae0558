"""How Ollama is to make prompts of conversations, so that they are the trained ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.data.model_files import special_tokens
from engine.data.template import ChatTemplate
from engine.errors import LoraDeckError
from engine.language import tr
from engine.models.gguf_header import read_header
from engine.results.ollama.template import learn

if TYPE_CHECKING:
    from engine.results.export.inputs import ExportInputs
    from engine.results.ollama.template import TurnTemplate


def learned_template(inputs: ExportInputs, system: str) -> TurnTemplate | None:
    """Learn the template that an adapter was trained with; ``None`` where it does too much.

    Args:
        inputs: Where the adapter and its base are.
        system: The system prompt that the model is to have; or empty.

    Raises:
        LoraDeckError: The template is not valid, or has no place for the system prompt.
    """
    template = ChatTemplate.load(_tokenizer_folder(inputs))
    if template.is_default:
        template = ChatTemplate.load(Path(inputs.base))
    learned = learn(template)
    if system and learned and not learned.takes_system:
        raise LoraDeckError(
            tr("No system prompt possible"),
            tr("The chat template that the adapter was trained with has no system turn."),
            tr("Deploy it without a system prompt (--system)."),
        )
    return learned


def added_start(inputs: ExportInputs, file: Path) -> str:
    """Give what llama.cpp puts before every prompt by itself, so that no template may; or nothing.

    Args:
        inputs: Where the adapter and its base are.
        file: The GGUF file, whose tokenizer says so.
    """
    metadata = read_header(file).metadata
    # SentencePiece models do so unless they say otherwise, byte pair ones only where they say so
    usual = metadata.get("tokenizer.ggml.model") == "llama"
    if not metadata.get("tokenizer.ggml.add_bos_token", usual):
        return ""
    return special_tokens(_tokenizer_folder(inputs)).get("bos_token", "")


def _tokenizer_folder(inputs: ExportInputs) -> Path:
    """Give the folder whose tokenizer the adapter was trained with."""
    own = Path(inputs.adapter)
    return own if (own / "tokenizer.json").is_file() else Path(inputs.base)
