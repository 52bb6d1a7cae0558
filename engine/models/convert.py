"""The child process that converts a GGUF file: ``python -m engine.models.convert``.

The only module of the models that loads torch and transformers. Progress goes to standard
output as JSON lines; so does, as plain text, the reason of a failure.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import sys
import threading
from pathlib import Path
from typing import Any

import gguf as gguf_package
import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
from transformers.utils import logging

from engine import __version__
from engine.files import sync_folder, sync_tree
from engine.language import speak_as_parent
from engine.models.folders import SOURCE_FILE
from engine.models.gguf_header import GgufHeader, read_header

# In order of preference. Training masks the pad token, so where it is the end-of-turn token as
# well, a model never learns to stop.
_PAD_TOKENS = ("<pad>", "[PAD]", "<|pad|>", "<|finetune_right_pad_id|>", "<|endoftext|>")
# llama.cpp's names of tokenizers that split all digits, which transformers does not know.
_SINGLE_DIGITS = frozenset({"smollm", "starcoder", "refact", "command-r", "codeshell", "exaone"})


def convert(gguf: Path, target: Path, origin: str, description: str) -> None:
    """Write a GGUF file's model as a folder of safetensors, weights in bfloat16.

    Raises:
        Exception: Whatever transformers says of a file that it cannot read.
    """
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    partial.mkdir(mode=0o700, parents=True)
    try:
        _write(gguf, partial, origin, description)
        sync_tree(partial)
        partial.replace(target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    sync_folder(target.parent)


def _write(gguf: Path, folder: Path, origin: str, description: str) -> None:
    """Fill the folder."""
    _remember_repeated_work()
    _progress(0.15)
    header = read_header(gguf)
    tokenizer = _load_tokenizer(gguf, header)
    _progress(0.35)
    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent,
        gguf_file=gguf.name,
        quantization_config=GgufConfig(dequantize=True),
        dtype=torch.bfloat16,
        local_files_only=True,
        trust_remote_code=False,
    )
    _progress(0.85)
    model.save_pretrained(folder)
    context = int(getattr(model.config, "max_position_embeddings", 0) or 0)
    if context:
        tokenizer.model_max_length = context
    tokenizer.save_pretrained(folder)
    _tidy(folder, tokenizer, header)
    _write_source(folder, gguf, origin, description)


class _Reader(gguf_package.GGUFReader):  # type: ignore[misc]
    """gguf's reader on a plain array: a slice of a ``memmap`` costs ten times as much."""

    @property
    def data(self) -> Any:
        """The file's bytes."""
        return self._plain

    @data.setter
    def data(self, value: Any) -> None:
        self._plain = value.view(np.ndarray)


def _remember_repeated_work() -> None:
    """Halve the time: transformers reads the file thrice and builds one table for every module."""
    gguf_package.GGUFReader = functools.cache(_Reader)
    gguf_package.get_tensor_name_map = functools.cache(gguf_package.get_tensor_name_map)


def _load_tokenizer(gguf: Path, header: GgufHeader) -> Any:
    """Build the tokenizer, with a pad token that ends nothing."""
    tokenizer = AutoTokenizer.from_pretrained(
        gguf.parent, gguf_file=gguf.name, local_files_only=True, trust_remote_code=False
    )
    if header.metadata.get("tokenizer.ggml.pre") in _SINGLE_DIGITS:
        _split_digits(tokenizer)
    if (pad := choose_pad(tokenizer)) is not None:
        tokenizer.pad_token = pad
    return tokenizer


def _split_digits(tokenizer: Any) -> None:
    """Let no token reach over two digits, nor a space before one."""
    from tokenizers import pre_tokenizers

    backend = tokenizer.backend_tokenizer
    digits = pre_tokenizers.Digits(individual_digits=True)
    backend.pre_tokenizer = pre_tokenizers.Sequence([digits, backend.pre_tokenizer])


def choose_pad(tokenizer: Any) -> str | None:
    """Choose a pad token that is neither end nor begin of a turn; ``None`` where none is fit."""
    taken = {tokenizer.eos_token, tokenizer.bos_token}
    known = tokenizer.get_vocab()
    wanted = (tokenizer.pad_token, *_PAD_TOKENS, tokenizer.unk_token)
    fit = (token for token in wanted if token in known and token not in taken)
    return next(fit, tokenizer.pad_token or tokenizer.eos_token)


def _tidy(folder: Path, tokenizer: Any, header: GgufHeader) -> None:
    """Make the three files agree on the special tokens, and drop what belongs to this run."""
    ids = {
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    config = _read(folder / "config.json") | ids
    config = {key: _short(value) for key, value in config.items() if key not in _OF_THE_RUN}
    _save(folder / "config.json", config)
    settings = _read(folder / "tokenizer_config.json")
    settings = {key: value for key, value in settings.items() if key not in _OF_THE_RUN}
    _save(folder / "tokenizer_config.json", settings)
    ends = [tokenizer.eos_token_id, header.metadata.get("tokenizer.ggml.eot_token_id")]
    ends = sorted({end for end in ends if end is not None})
    generation = ids | {"eos_token_id": ends[0] if len(ends) == 1 else ends or None}
    _save(folder / "generation_config.json", _without_none(generation))


_OF_THE_RUN = frozenset(
    {"_name_or_path", "_model_name_or_path", "is_local", "local_files_only", "unk_token_id"}
)


def _short(value: Any) -> Any:
    """Undo the widening of a 32-bit number: 9.999999747378752e-06 was written as 1e-05."""
    return float(str(np.float32(value))) if isinstance(value, float) else value


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    """Drop the keys that have no value."""
    return {key: value for key, value in values.items() if value is not None}


def _write_source(folder: Path, gguf: Path, origin: str, description: str) -> None:
    """Note where the model came from."""
    with gguf.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    source = {"description": description, "origin": origin, "sha256": digest}
    _save(folder / SOURCE_FILE, source | {"converted_by": f"loradeck {__version__}"})


def _read(file: Path) -> dict[str, Any]:
    """Read a JSON object that this process wrote."""
    values: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return values


def _save(file: Path, values: dict[str, Any]) -> None:
    """Write a JSON object."""
    text = json.dumps(values, indent=2, ensure_ascii=False, sort_keys=True)
    file.write_text(text + "\n", encoding="utf-8")


def _progress(share: float) -> None:
    """Tell the parent how far it is."""
    print(json.dumps({"progress": share}), flush=True)  # noqa: T201


def _end_with_parent() -> None:
    """End this process when its parent is gone, whose end of the pipe closes then."""
    while os.read(0, 1):  # not through sys.stdin, whose lock would hold the interpreter's end up
        pass
    os._exit(1)


def main() -> None:
    """Convert what the command line names; exit 1 with the reason as the last line."""
    speak_as_parent()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    gguf, target, origin, description = sys.argv[1:]
    try:
        convert(Path(gguf), Path(target), origin, description)
    except Exception as error:  # noqa: BLE001 (it ends the process, with the reason)
        print(f"{type(error).__name__}: {error}".splitlines()[0], flush=True)  # noqa: T201
        sys.exit(1)


if __name__ == "__main__":
    main()
