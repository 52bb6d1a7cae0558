"""Datasets, chat templates and a tiny byte-level tokenizer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from engine.data.types import Conversation, Message

if TYPE_CHECKING:
    from collections.abc import Callable

TEMPLATES = Path(__file__).parent / "templates"
SPECIAL = (
    *("<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|user|>", "<|assistant|>", "<|system|>"),
    *("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<start_of_turn>"),
    "<end_of_turn>",
)
EOS = {
    "smollm2": "<|im_end|>",
    "qwen3": "<|im_end|>",
    "generation": "<|im_end|>",
    "llama3": "<|eot_id|>",
}


@pytest.fixture(scope="session")
def tokenizer_json() -> str:
    """A byte-level BPE with some merges, which adds a BOS unless told otherwise."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=360,
        show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=[AddedToken(token, special=True) for token in SPECIAL],
    )
    text = "What is the answer to the question? The answer is here, the question there.\n\n"
    tokenizer.train_from_iterator([text] * 4, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))]
    )
    return tokenizer.to_str()


@pytest.fixture
def make_model(tmp_path: Path, tokenizer_json: str) -> Callable[..., Path]:
    """Write a model folder with one of the templates (or a text of one's own)."""

    def write(name: str, source: str | None = None, **config: Any) -> Path:
        folder = tmp_path / f"model-{name}"
        folder.mkdir()
        (folder / "tokenizer.json").write_text(tokenizer_json)
        tokens = {"bos_token": "<s>", "eos_token": EOS.get(name, "</s>")}
        (folder / "tokenizer_config.json").write_text(
            json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"} | tokens | config)
        )
        if source is None:
            source = (TEMPLATES / f"{name}.jinja").read_text()
        if source:
            (folder / "chat_template.jinja").write_text(source)
        return folder

    return write


@pytest.fixture
def write_rows(tmp_path: Path) -> Callable[..., Path]:
    """Write rows as a JSON file."""

    def write(*rows: Any, name: str = "rows.json") -> Path:
        path = tmp_path / name
        path.write_text(json.dumps(rows), encoding="utf-8")
        return path

    return write


@pytest.fixture
def talk() -> Callable[..., Conversation]:
    """Build a conversation from alternating questions and answers."""

    def build(*turns: str, system: str = "", row: int = 1) -> Conversation:
        messages = [Message(role="system", content=system)] if system else []
        for index, content in enumerate(turns):
            messages.append(Message(role="assistant" if index % 2 else "user", content=content))
        return Conversation(row=row, messages=tuple(messages))

    return build
