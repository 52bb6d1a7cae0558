"""Whether a model can be trained with LoRA at all, by its ``config.json`` alone.

Which architectures are causal language models is read out of the installed transformers, as text:
importing it would load torch.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from importlib import metadata, util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import LoraDeckError
from engine.language import mark, tr
from engine.text import fault_of, visible

if TYPE_CHECKING:
    from collections.abc import Mapping

_CAUSAL, _SEQUENCE, _MASKED = (
    "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES",
    "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES",
    "MODEL_FOR_MASKED_LM_MAPPING_NAMES",
)
_GENERATES = ("CausalLM", "LMHead", "Conditional")
_NOT_ADAPTED = {"falcon_h1", "falcon_mamba", "mamba", "mamba2", "nemotron_h"}
"""PEFT refuses LoRA on their ``out_proj``, which is among all linear layers (peft 0.21)."""
_ANOTHER = mark("Choose a language model such as those that loradeck models lists.")


def check_architecture(folder: Path, config: Mapping[str, Any]) -> None:
    """Refuse a model that cannot be trained, with what would do.

    Raises:
        LoraDeckError: It does not generate text, is an encoder-decoder, has quantized weights,
            needs code of its own, or is unknown to transformers or refused by PEFT.
    """
    if refused := _quantized(config) or _other_kind(config) or _unknown(config):
        reason, hint = refused
        raise LoraDeckError(tr("Model not usable"), fault_of(folder, visible(reason)), hint)


def _quantized(config: Mapping[str, Any]) -> tuple[str, str] | None:
    """Refuse GPTQ, AWQ and their like: an adapter is trained on the weights that it will meet."""
    settings = config.get("quantization_config")
    if not settings:
        return None
    method = settings.get("quant_method") if isinstance(settings, dict) else None
    reason = tr(
        "its weights are already quantized ({method}), and LoRADeck trains on 16-bit weights or "
        "on its own 4-bit copy of them",
        method=str(method)[:30] if method else tr("by an unknown method"),
    )
    return reason, tr("Choose the model that it was made from; use_4bit=true quantizes it here.")


def _other_kind(config: Mapping[str, Any]) -> tuple[str, str] | None:
    """Refuse encoders, classifiers and encoder-decoders."""
    names, kind = _names(config), str(config.get("model_type", ""))
    shown = names[0] if names else tr("model_type '{kind}'", kind=kind[:60])
    sequence = _architectures(_SEQUENCE)
    if config.get("is_encoder_decoder") or (
        kind in sequence and kind not in _architectures(_CAUSAL)
    ):
        reason = tr(
            "{shown} is an encoder-decoder, and this trains models that go on with a text",
            shown=shown,
        )
        return reason, tr(_ANOTHER)
    if names and not any(part in name for name in names for part in _GENERATES):
        return tr("{shown} does not generate text", shown=shown), tr(_ANOTHER)
    if not names and kind in _architectures(_MASKED) and not config.get("is_decoder"):
        return tr("{shown} is an encoder and does not generate text", shown=shown), tr(_ANOTHER)
    return None


def _unknown(config: Mapping[str, Any]) -> tuple[str, str] | None:
    """Refuse what transformers does not know, or PEFT does not adapt."""
    kind = config.get("model_type")
    known = _architectures(_CAUSAL)
    if not kind or not known:
        # An old file without a type, or no transformers here: the loading will tell.
        return None
    if kind in _NOT_ADAPTED:
        reason = tr("PEFT cannot put a LoRA adapter on the architecture '{kind}'", kind=kind)
        return reason, tr(_ANOTHER)
    if kind in known:
        return None
    if config.get("auto_map"):
        reason = tr(
            "the architecture '{kind}' needs code that comes with the model", kind=str(kind)[:60]
        )
        return reason, f"{tr('Code from a model is not run here.')} {tr(_ANOTHER)}"
    version = metadata.version("transformers")
    reason = tr(
        "transformers {version} knows no causal language model of the type '{kind}'",
        version=version,
        kind=str(kind)[:60],
    )
    return reason, f"{tr(_ANOTHER)} {tr('A newer transformers may know it: loradeck doctor')}"


def _names(config: Mapping[str, Any]) -> list[str]:
    """Give the classes that a configuration names."""
    names = config.get("architectures")
    return [str(name) for name in names] if isinstance(names, list) else []


@lru_cache(maxsize=8)
def _architectures(mapping: str) -> frozenset[str]:
    """Give the model types of one of transformers' tables; empty where it is not installed."""
    for node in _tables():
        target = node.targets[0]
        if isinstance(target, ast.Name) and target.id == mapping:
            return frozenset(_first_strings(node.value))
    return frozenset()


@lru_cache(maxsize=1)
def _tables() -> tuple[ast.Assign, ...]:
    """Parse the module that holds the tables."""
    found = util.find_spec("transformers")
    if found is None or found.origin is None:
        return ()
    file = Path(found.origin).parent / "models" / "auto" / "modeling_auto.py"
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except (OSError, SyntaxError):
        return ()
    return tuple(node for node in tree.body if isinstance(node, ast.Assign))


def _first_strings(table: ast.expr) -> list[str]:
    """Give the keys of ``OrderedDict([("llama", "LlamaForCausalLM"), …])``."""
    rows = [row for node in ast.walk(table) if isinstance(node, ast.List) for row in node.elts]
    first = [row.elts[0] for row in rows if isinstance(row, ast.Tuple) and row.elts]
    return [
        node.value
        for node in first
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
