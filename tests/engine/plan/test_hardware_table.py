"""The hardware table that users know: rows of 512 tokens, effective batch 16, 4-bit."""

from __future__ import annotations

import pytest

from engine.models.types import ModelShape
from engine.plan.hypothetical import named_device
from tests.engine.plan.make import LLAMA_8B, plan_for


def shape(parameters: int, hidden: int, layers: int, mlp: int, **sizes: int) -> ModelShape:
    """Give a model's published sizes."""
    values = {"vocabulary": 32_000, "query": hidden, "key_value": hidden, "context": 4_096} | sizes
    return ModelShape(
        architecture="llama",
        parameters=parameters,
        hidden=hidden,
        layers=layers,
        mlp=mlp,
        tied_embeddings=hidden != 2_048 or layers == 16,
        **values,
    )


MODELS = {
    "Llama-3.2-1B": shape(
        1_235_814_400, 2_048, 16, 8_192, vocabulary=128_256, key_value=512, context=131_072
    ),
    "Qwen2.5-1.5B": shape(
        1_543_714_304, 1_536, 28, 8_960, vocabulary=151_936, key_value=256, context=32_768
    ),
    "SmolLM2-1.7B": shape(1_711_376_384, 2_048, 24, 8_192, vocabulary=49_152, context=8_192),
    "TinyLlama-1.1B": shape(1_100_048_384, 2_048, 22, 5_632, key_value=256, context=2_048),
}
CARDS = {"RTX 3060 6GB": 4, "RTX 3070 8GB": 8, "RTX 4060 8GB": 8, "RTX 4070 12GB": 16}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("card", "batch"), CARDS.items())
def test_rows_of_512_tokens(model: str, card: str, batch: int) -> None:
    plan = plan_for(
        5_000, shape=MODELS[model], device=named_device(card), longest=512, use_4bit=True
    )
    params = plan.training_params
    assert plan.memory.fits
    assert (params.batch_size, params.effective_batch) == (batch, 16)
    if batch < 16:
        assert plan.choices["batch_size"].source == "the hardware table"


@pytest.mark.parametrize(("longest", "batch"), [(128, 16), (256, 8), (600, 2), (4_000, 1)])
def test_other_lengths_get_as_many_tokens_at_once(longest: int, batch: int) -> None:
    plan = plan_for(
        5_000,
        shape=MODELS["Llama-3.2-1B"],
        device=named_device("RTX 3060 6GB"),
        longest=longest,
        use_4bit=True,
    )
    assert plan.memory.fits
    assert plan.training_params.batch_size == batch


def test_the_table_says_nothing_of_larger_models_and_16_bits() -> None:
    device = named_device("RTX 3070 8GB")
    large = plan_for(5_000, shape=LLAMA_8B, device=device, longest=512, use_4bit=True)
    assert large.training_params.batch_size < 8
    plain = plan_for(5_000, shape=MODELS["Llama-3.2-1B"], device=device, longest=64)
    assert (plain.training_params.use_4bit, plain.training_params.batch_size) == (False, 16)


def test_a_batch_that_was_set_goes_before_the_table() -> None:
    plan = plan_for(
        5_000,
        shape=MODELS["Llama-3.2-1B"],
        device=named_device("RTX 3060 6GB"),
        longest=512,
        use_4bit=True,
        batch_size=8,
    )
    assert plan.training_params.batch_size == 8
