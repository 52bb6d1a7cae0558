"""The models and conversations that the dataset tests use."""

from tests.engine.data.conftest import make_model, talk, tokenizer_json

__all__ = ["make_model", "talk", "tokenizer_json"]
