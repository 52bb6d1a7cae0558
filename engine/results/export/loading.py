"""Loads an adapter on its base as it was before any training: unquantized, in float32."""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from engine.data.model_files import end_ids, generation_settings
from engine.errors import LoraDeckError
from engine.language import tr
from engine.models.folders import read_weights_header, weight_files
from engine.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from engine.results.export.inputs import ExportInputs
    from engine.results.prompts import Prompt

_DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
_MISSING = "Found missing adapter keys"


def load_model(folder: Path) -> PreTrainedModel:
    """Load a model's folder in float32: what is computed with it is exact."""
    model = AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=torch.float32,
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
    )
    return model.eval()


def load_adapter(inputs: ExportInputs, tokenizer: PreTrainedTokenizerBase) -> PeftModel:
    """Load an adapter on its base.

    Raises:
        LoraDeckError: It is of another shape than the base, or lacks weights.
    """
    base = load_model(Path(inputs.base))
    if len(tokenizer) > base.get_input_embeddings().weight.shape[0]:
        raise _other_shape(inputs, tr("its tokenizer has more tokens than the base has embeddings"))
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=_MISSING)
        try:
            model = PeftModel.from_pretrained(
                base, inputs.adapter, torch_device="cpu", local_files_only=True
            )
        except (RuntimeError, ValueError, UserWarning) as error:
            raise _other_shape(inputs, visible(str(error)).strip().splitlines()[-1]) from error
    return model.eval()


def load_tokenizer(inputs: ExportInputs) -> PreTrainedTokenizerBase:
    """Load the adapter's tokenizer, or the base's where it has none; so too the chat template."""
    own = Path(inputs.adapter)
    there = own if (own / "tokenizer.json").is_file() else Path(inputs.base)
    tokenizer = load_folder_tokenizer(there)
    if not tokenizer.chat_template:
        tokenizer.chat_template = load_folder_tokenizer(Path(inputs.base)).chat_template
    return tokenizer


def load_folder_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """Load a folder's own tokenizer, with its chat template if it has one."""
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
        folder, trust_remote_code=False, local_files_only=True
    )
    return tokenizer


def stored_dtype(folder: Path) -> torch.dtype:
    """Tell in which number format most of a model's weights are kept."""
    headers = [read_weights_header(file) or {} for file in weight_files(folder)]
    kinds = Counter(entry.get("dtype") for header in headers for entry in header.values())
    return next(
        (_DTYPES[kind] for kind, _ in kinds.most_common() if kind in _DTYPES), torch.float32
    )


def end_tokens(
    inputs: ExportInputs, tokenizer: PreTrainedTokenizerBase, prompts: Iterable[Prompt]
) -> list[int]:
    """List the tokens that end an answer: of the adapter's settings, and as it was trained."""
    ends: set[Any] = {one.end_id for one in prompts}
    for folder in (Path(inputs.adapter), Path(inputs.base)):
        if settings := generation_settings(folder):
            ends |= set(end_ids(settings))
            break
    ends.add(tokenizer.eos_token_id)
    return sorted(end for end in ends if isinstance(end, int) and 0 <= end < len(tokenizer))


def _other_shape(inputs: ExportInputs, reason: str) -> LoraDeckError:
    """Refuse an adapter that its base cannot carry."""
    return LoraDeckError(
        tr("Adapter does not fit its base"),
        tr(
            "'{name}' on {base}: {reason}.",
            name=visible(inputs.name),
            base=visible(inputs.base_name),
            reason=reason[:300],
        ),
        tr("Export it with the base that it was trained on."),
    )
