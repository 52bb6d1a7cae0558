"""A real conversion of a tiny GGUF file, in its real child process."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from safetensors import deserialize
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from engine.errors import LoraDeckError
from engine.models.config import read_shape
from engine.models.folders import read_source
from engine.models.pull import pull
from tests.engine.models.tiny_gguf import write_gguf
from tests.tiny_llama import TEMPLATE

if TYPE_CHECKING:
    from engine.home import Home
    from engine.models.types import ModelInfo

pytestmark = pytest.mark.end_to_end


@pytest.fixture
def model(tmp_path: Path, tiny_llama: Path) -> Path:
    """The tiny model with two merges: the second one only a tokenizer that joins digits uses."""
    model = Path(shutil.copytree(tiny_llama, tmp_path / "model"))
    tokenizer = json.loads((model / "tokenizer.json").read_text())
    ids = tokenizer["model"]["vocab"]
    ids["in"], ids["12"] = ids.pop("Ā"), ids.pop("ā")  # the bytes 0 and 1
    tokenizer["model"]["vocab"] = dict(sorted(ids.items(), key=lambda item: item[1]))
    tokenizer["model"]["merges"] = [["i", "n"], ["1", "2"]]
    digits = {"type": "Digits", "individual_digits": True}
    levels = [digits, tokenizer["pre_tokenizer"]]
    tokenizer["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": levels}
    (model / "tokenizer.json").write_text(json.dumps(tokenizer))
    return model


def read(info: ModelInfo, name: str) -> dict[str, object]:
    """Read a JSON file of a converted model."""
    assert info.path is not None
    values: dict[str, object] = json.loads((Path(info.path) / name).read_text())
    return values


def test_a_gguf_file_becomes_the_model_it_was_made_from(
    home: Home, tmp_path: Path, model: Path
) -> None:
    file = write_gguf(model, tmp_path / "tiny.gguf")
    steps: list[float | None] = []
    info = pull(home, str(file), lambda _, share: steps.append(share))
    assert (info.state, info.source) == ("ready", "gguf")
    assert info.path is not None
    folder = Path(info.path)
    assert steps == sorted(steps, key=float)  # type: ignore[arg-type]
    assert read_shape(folder) == read_shape(model)
    compare_weights(folder, model)
    compare_words(info, model)
    assert read_source(folder)["origin"] == str(file)
    assert sorted(path.name for path in home.models.iterdir()) == ["lora", folder.name]


def compare_weights(folder: Path, model: Path) -> None:
    """Check every weight, rounded to bfloat16 (8 bits) on the way."""
    converted = dict(deserialize((folder / "model.safetensors").read_bytes()))
    original = load_file(model / "model.safetensors")
    assert set(converted) == set(original)
    for name, weight in original.items():
        assert converted[name]["dtype"] == "BF16"
        upper_half = np.frombuffer(converted[name]["data"], np.uint16).astype(np.uint32) << 16
        there = upper_half.view(np.float32).reshape(converted[name]["shape"])
        np.testing.assert_allclose(there, weight, rtol=2**-8)


def compare_words(info: ModelInfo, model: Path) -> None:
    """Check tokens, template, and that the pad token ends nothing in any file."""
    folder = Path(info.path or "")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    wanted = Tokenizer.from_file(str(model / "tokenizer.json"))
    for text in ("<|im_start|>user\nWhy?<|im_end|>", "in  12 days", "żółw 你好\n\n\t"):
        assert tokenizer.encode(text).ids == wanted.encode(text).ids
    assert (folder / "chat_template.jinja").read_text() == TEMPLATE
    ids = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    config = read(info, "config.json")
    assert {key: config[key] for key in ids} == ids
    assert read(info, "generation_config.json") == ids
    settings = read(info, "tokenizer_config.json")
    assert (settings["eos_token"], settings["pad_token"]) == ("<|im_end|>", "<|endoftext|>")
    assert settings["model_max_length"] == config["max_position_embeddings"] == 2048
    assert not {"_name_or_path", "_model_name_or_path", "is_local"} & (set(config) | set(settings))
    assert config["rms_norm_eps"] == 1e-5


def test_an_architecture_that_is_not_known_is_named(
    home: Home, tmp_path: Path, tiny_llama: Path
) -> None:
    file = write_gguf(tiny_llama, tmp_path / "odd.gguf")
    file.write_bytes(file.read_bytes().replace(b"llama", b"lamda"))
    with pytest.raises(LoraDeckError, match=r"odd\.gguf: .*lamda"):
        pull(home, str(file), lambda *_: None)
    assert [path.name for path in home.models.iterdir()] == ["lora"]
