"""Models that cannot be trained are told from their configuration."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.errors import LoraDeckError
from engine.models import architecture
from engine.models.architecture import check_architecture

FOLDER = Path("/models/some")


@pytest.mark.parametrize(
    "config",
    [
        {"model_type": "llama", "architectures": ["LlamaForCausalLM"]},
        {"model_type": "llama"},
        {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]},
        {"model_type": "gemma3", "architectures": ["Gemma3ForConditionalGeneration"]},
        {"model_type": "qwen3_moe", "architectures": ["Qwen3MoeForCausalLM"]},
        # Its own code is there, and not needed.
        {"model_type": "phi3", "architectures": ["Phi3ForCausalLM"], "auto_map": {"A": "b.C"}},
        {"model_type": "bert", "architectures": ["BertLMHeadModel"], "is_decoder": True},
        {"model_type": "llama", "quantization_config": None},
        {},
    ],
)
def test_what_goes_on_with_a_text_can_be_trained(config: dict[str, Any]) -> None:
    check_architecture(FOLDER, config)


@pytest.mark.parametrize(
    ("config", "words", "hint"),
    [
        (
            {"model_type": "bert", "architectures": ["BertForMaskedLM"]},
            "BertForMaskedLM does not generate text",
            "language model",
        ),
        ({"model_type": "roberta"}, "'roberta' is an encoder", "language model"),
        (
            {"model_type": "llama", "architectures": ["LlamaForSequenceClassification"]},
            "does not generate text",
            "language model",
        ),
        (
            {"model_type": "t5", "architectures": ["T5ForConditionalGeneration"]},
            "T5ForConditionalGeneration is an encoder-decoder",
            "language model",
        ),
        (
            {"model_type": "bart", "is_encoder_decoder": True},
            "'bart' is an encoder-decoder",
            "language model",
        ),
        (
            {"model_type": "my_llm", "architectures": ["MyLLMForCausalLM"]},
            "knows no causal language model of the type 'my_llm'",
            "newer transformers",
        ),
        (
            {
                "model_type": "my_llm",
                "architectures": ["MyLLMForCausalLM"],
                "auto_map": {"AutoModelForCausalLM": "modeling_my.MyLLM"},
            },
            "needs code that comes with the model",
            "is not run here",
        ),
        (
            {"model_type": "mamba2", "architectures": ["Mamba2ForCausalLM"]},
            "PEFT cannot put a LoRA adapter on the architecture 'mamba2'",
            "language model",
        ),
        (
            {"model_type": "llama", "quantization_config": {"quant_method": "gptq", "bits": 4}},
            "already quantized (gptq)",
            "use_4bit=true",
        ),
        (
            {"model_type": "llama", "quantization_config": {"quant_method": "awq"}},
            "already quantized (awq)",
            "use_4bit=true",
        ),
        (
            {"model_type": "llama", "quantization_config": {"load_in_4bit": True}},
            "by an unknown method",
            "use_4bit=true",
        ),
        ({"model_type": "a\x1b]52;c"}, "knows no causal", "language model"),
    ],
)
def test_what_cannot_be_trained_is_refused_with_what_would_do(
    config: dict[str, Any], words: str, hint: str
) -> None:
    with pytest.raises(LoraDeckError) as caught:
        check_architecture(FOLDER, config)
    assert words in caught.value.message
    assert str(FOLDER) in caught.value.message
    assert hint in caught.value.hint
    assert "\x1b" not in caught.value.message


def test_the_tables_are_those_of_the_installed_transformers() -> None:
    script = (
        "from engine.models import architecture as a\n"
        "ours = {name: a._architectures(name) for name in (a._CAUSAL, a._SEQUENCE, a._MASKED)}\n"
        "import sys; assert 'transformers' not in sys.modules and 'torch' not in sys.modules\n"
        "from transformers.models.auto import modeling_auto as theirs\n"
        "assert all(ours[name] == set(getattr(theirs, name)) for name in ours)\n"
        "assert len(ours[a._CAUSAL]) > 100\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_without_transformers_no_architecture_is_called_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(architecture, "_architectures", lambda _: frozenset())
    check_architecture(FOLDER, {"model_type": "my_llm", "architectures": ["MyLLMForCausalLM"]})
