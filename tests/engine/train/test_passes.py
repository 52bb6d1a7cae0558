"""However rows are shared out among passes, loss and gradients are those of each row alone."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import (
    AutoModelForCausalLM,
    Gemma2Config,
    GPT2Config,
    GptOssConfig,
    GraniteConfig,
    LlamaConfig,
    MambaConfig,
    MistralConfig,
    Qwen2Config,
    RecurrentGemmaConfig,
)
from trl.trainer.utils import add_fused_lm_head

from engine.data.render import NOT_TRAINED
from engine.train.attention import PACKED
from engine.train.heads import find_head
from engine.train.lora_linear import fuse_adapters
from engine.train.packing import keep_rows_apart
from engine.train.passes import Passes
from engine.train.rows import Row

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

# PEFT asks transformers by a name that is on its way out, and mends a setting of GPT-2's
pytestmark = [
    pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning"),
    pytest.mark.filterwarnings("ignore:fan_in_fan_out:UserWarning"),
]

SIZES = {
    "vocab_size": 97,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 128,
    "pad_token_id": 0,
}
CONFIGS = {
    "llama": LlamaConfig(**SIZES),
    "qwen2": Qwen2Config(**SIZES),
    "mistral, window of 6": MistralConfig(**SIZES, sliding_window=6),
    "gemma2, capped": Gemma2Config(**SIZES, query_pre_attn_scalar=8, sliding_window=6),
    "gpt2": GPT2Config(vocab_size=97, n_embd=32, n_layer=2, n_head=4, n_positions=128),
    "gpt-oss, with sinks": GptOssConfig(
        **SIZES, num_local_experts=2, num_experts_per_tok=1, sliding_window=6
    ),
    "recurrent gemma, capped": RecurrentGemmaConfig(
        vocab_size=97,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=1,
        lru_width=32,
        attention_window_size=64,
    ),
    "granite, scaled": GraniteConfig(**SIZES, logits_scaling=3.0),
    "mamba": MambaConfig(vocab_size=97, hidden_size=32, num_hidden_layers=2, state_size=4),
}


def _model(config: PreTrainedConfig) -> PreTrainedModel:
    """Make a model with random weights."""
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(deepcopy(config))
    return model.eval()


def _rows() -> list[Row]:
    """Draw rows of several lengths, the second half of each trained."""
    torch.manual_seed(1)
    rows = []
    for number, length in enumerate((9, 20, 4, 13, 20)):
        tokens = torch.randint(1, 97, (length,))
        labels = tokens.clone()
        labels[: length // 2] = NOT_TRAINED
        record = {"row": number, "input_ids": tokens.tolist(), "labels": labels.tolist()}
        rows.append(Row.of(record))
    return rows


def _reference(model: PreTrainedModel, rows: list[Row]) -> torch.Tensor:
    """Compute the mean loss as transformers does, row by row."""
    total, trained = torch.zeros(()), 0
    for row in rows:
        logits = model(input_ids=row.input_ids[None], use_cache=False).logits[0].float()
        total = total + torch.nn.functional.cross_entropy(
            logits, row.targets, ignore_index=NOT_TRAINED, reduction="sum"
        )
        trained += row.trained
    return total / trained


def _gradients(model: torch.nn.Module) -> torch.Tensor:
    """Lay all gradients end to end, and forget them."""
    found = [one.grad.flatten() for one in model.parameters() if one.grad is not None]
    model.zero_grad()
    return torch.cat(found)


@pytest.mark.parametrize("budget", [1, 30, 1000])
@pytest.mark.parametrize("name", CONFIGS)
def test_loss_and_gradients_are_those_of_each_row_alone(name: str, budget: int) -> None:
    base = _model(CONFIGS[name])
    rows = _rows()
    targets = ["in_proj"] if name == "mamba" else "all-linear"
    model = get_peft_model(base, LoraConfig(r=4, target_modules=targets, task_type="CAUSAL_LM"))
    for part, parameter in model.named_parameters():
        if "lora_B" in part:
            torch.nn.init.normal_(parameter, std=0.02)
    wanted = _reference(model, rows)
    wanted.backward()
    reference = _gradients(model)

    add_fused_lm_head(base)
    packed = keep_rows_apart(base)
    fuse_adapters(model)
    passes = Passes(model, budget, packed=packed)
    loss = passes.backward(rows, torch.Tensor.backward)
    assert torch.allclose(loss, wanted.detach(), rtol=1e-4)
    assert torch.allclose(_gradients(model), reference, atol=1e-4)
    mean, tokens = passes.evaluate(rows, at_once=3)
    assert mean == pytest.approx(wanted.item(), rel=1e-4)
    assert tokens == 66


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("llama", "tiled"),
        ("gpt2", "tiled"),
        ("granite, scaled", "fused"),
        ("gemma2, capped", "fused"),
        ("recurrent gemma, capped", "whole"),
    ],
)
def test_a_head_is_taken_for_what_it_computes(name: str, head: str) -> None:
    model = _model(CONFIGS[name])
    model.get_output_embeddings().weight.data *= 200  # a cap is seen where logits are large
    add_fused_lm_head(model)
    assert find_head(model) == head


@pytest.mark.parametrize("name", ["llama", "granite, scaled", "recurrent gemma, capped"])
def test_tokens_that_are_the_likeliest_are_counted(name: str) -> None:
    base = _model(CONFIGS[name])
    model = get_peft_model(base, LoraConfig(target_modules="all-linear", task_type="CAUSAL_LM"))
    rows = [_half_foreseen(base, row) for row in _rows()]
    wanted = _reference(base, rows).item()
    add_fused_lm_head(base)
    passes = Passes(model.eval(), 30, packed=keep_rows_apart(base))
    calls: list[int] = []
    loss, share = passes.score(rows, lambda: calls.append(1))
    assert loss == pytest.approx(wanted, rel=1e-4)
    trained = sum(row.trained for row in rows)
    assert share == sum((row.trained + 1) // 2 for row in rows) / trained
    assert len(calls) > 1


def _half_foreseen(model: PreTrainedModel, row: Row) -> Row:
    """Let every other trained token of a row be the likeliest, and the rest the least likely."""
    with torch.no_grad():
        logits = model(input_ids=row.input_ids[None], use_cache=False).logits[0]
    targets = row.targets.clone()
    for number, at in enumerate((row.targets != NOT_TRAINED).nonzero().flatten().tolist()):
        targets[at] = logits[at].argmin() if number % 2 else logits[at].argmax()
    return Row(row.number, row.input_ids, targets)


@pytest.mark.parametrize(
    ("name", "packs"),
    [
        ("llama", True),
        ("qwen2", True),
        ("mistral, window of 6", True),
        ("gemma2, capped", False),
        ("gpt-oss, with sinks", False),
        ("mamba", False),
    ],
)
def test_rows_are_packed_only_where_the_model_keeps_them_apart(name: str, packs: bool) -> None:
    model = _model(CONFIGS[name])
    before = model.config._attn_implementation
    assert keep_rows_apart(model) is packs
    assert model.config._attn_implementation == (PACKED if packs else before)


@pytest.mark.parametrize("budget", [1, 30, 1000])
def test_what_fills_a_pass_up_in_bfloat16_changes_nothing(budget: int) -> None:
    rows, base = _rows(), _model(CONFIGS["llama"]).bfloat16()
    model = get_peft_model(
        base, LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM")
    )
    add_fused_lm_head(base)
    assert keep_rows_apart(base)
    fuse_adapters(model)
    wanted = _reference(_model(CONFIGS["llama"]), rows)
    passes = Passes(model, budget, packed=True)
    loss = passes.backward(rows, torch.Tensor.backward)
    assert loss.item() == pytest.approx(wanted.item(), rel=0.01)
    inputs, targets = passes._pack(rows)
    assert inputs["input_ids"].shape == targets.shape == (1, 72)
    assert sum(inputs["row_lengths"]) == 72
