"""Which models are listed, and what a name means."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engine.errors import LoraDeckError, NotFoundError
from engine.models.catalog import find_model, list_models, nearest
from engine.models.conversion import converted_folder
from tests.engine.models.tiny_gguf import write_gguf

if TYPE_CHECKING:
    from engine.home import Home


def add_to_cache(cache: Path, model: Path, name: str) -> Path:
    """Lay a model into a Hugging Face cache as its client does: blobs, and links to them."""
    repository = cache / ("models--" + name.replace("/", "--"))
    snapshot = repository / "snapshots" / "c0ffee"
    for folder in (snapshot, repository / "refs", repository / "blobs"):
        folder.mkdir(parents=True)
    (repository / "refs" / "main").write_text("c0ffee")
    for file in model.iterdir():
        shutil.copy(file, repository / "blobs" / file.name)
        (snapshot / file.name).symlink_to(Path("../../blobs") / file.name)
    return snapshot


@pytest.fixture
def model(tmp_path: Path, tiny_llama: Path) -> Path:
    """A copy of the tiny model that a test may break."""
    return Path(shutil.copytree(tiny_llama, tmp_path / "mine"))


def test_the_demo_model_is_listed_before_it_is_there(home: Home) -> None:
    (demo,) = list_models(home)
    assert (demo.name, demo.source, demo.state, demo.path) == ("demo", "demo", "absent", None)
    assert (demo.size_bytes, demo.description) == (92_871_040, "SmolLM2-135M-Instruct")
    assert demo.shape is not None
    assert demo.shape.parameters == 134_515_008


def test_order_of_the_list(home: Home, cache: Path, tiny_llama: Path) -> None:
    for name in ("demo", "b-model", "A-model", ".hidden", "lora/adapter"):
        shutil.copytree(tiny_llama, home.models / name)
    (home.models / "notes").mkdir()
    write_gguf(tiny_llama, home.models / "file.gguf")
    add_to_cache(cache, tiny_llama, "org/cached")
    listed = [(info.name, info.source, info.state) for info in list_models(home)]
    assert listed == [
        ("demo", "demo", "ready"),
        ("A-model", "home", "ready"),
        ("b-model", "home", "ready"),
        ("file.gguf", "gguf", "absent"),
        ("org/cached", "cache", "ready"),
    ]


def test_what_is_listed_is_found_by_its_name(home: Home, cache: Path, tiny_llama: Path) -> None:
    shutil.copytree(tiny_llama, home.models / "mine")
    write_gguf(tiny_llama, home.models / "file.gguf")
    add_to_cache(cache, tiny_llama, "org/cached")
    for info in list_models(home):
        assert find_model(home, info.name) == info


def test_a_broken_folder_does_not_break_the_list(home: Home, tiny_llama: Path) -> None:
    shutil.copytree(tiny_llama, home.models / "broken")
    (home.models / "broken" / "config.json").write_text("{")
    (home.models / "broken.gguf").write_bytes(b"GGUF")
    shutil.copytree(tiny_llama, home.models / "whole")
    listed = {info.name: info for info in list_models(home)}
    assert list(listed) == ["demo", "broken", "whole", "broken.gguf"]
    assert listed["broken"].state == "absent"
    assert "not valid JSON" in listed["broken"].problem
    assert "ends within its header" in listed["broken.gguf"].problem


def test_demo_is_the_demo_model_whatever_lies_here(
    home: Home, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.rename(model.with_name("demo"))
    monkeypatch.chdir(model.parent)
    assert find_model(home, "demo").source == "demo"


def test_a_local_folder(home: Home, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = find_model(home, str(model))
    assert (info.source, info.state, info.path) == ("folder", "ready", str(model))
    assert info.size_bytes == (model / "model.safetensors").stat().st_size
    monkeypatch.setenv("HOME", str(model.parent))
    assert find_model(home, "~/mine").path == str(model)


@pytest.mark.parametrize("part", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_missing_part_is_named(home: Home, model: Path, part: str) -> None:
    (model / part).unlink()
    with pytest.raises(LoraDeckError) as caught:
        find_model(home, str(model))
    assert part in caught.value.message
    assert caught.value.hint


def test_a_missing_shard_is_named(home: Home, model: Path) -> None:
    (model / "model.safetensors").rename(model / "model-00001-of-00002.safetensors")
    with pytest.raises(LoraDeckError, match=r"model-00002-of-00002\.safetensors is missing"):
        find_model(home, str(model))
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "more.safetensors"}}
    (model / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(LoraDeckError, match=r"more\.safetensors is missing"):
        find_model(home, str(model))


@pytest.mark.parametrize(
    "data", [b"version https://git-lfs.github.com/spec/v1\n", b"", b"\xff" * 9]
)
def test_weights_that_are_none_are_refused(home: Home, model: Path, data: bytes) -> None:
    (model / "model.safetensors").write_bytes(data)
    with pytest.raises(LoraDeckError, match="cut short"):
        find_model(home, str(model))


def test_weights_cut_short_are_refused(home: Home, model: Path) -> None:
    weights = model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(LoraDeckError, match="cut short"):
        find_model(home, str(model))


def test_pickled_weights_are_refused(home: Home, model: Path) -> None:
    (model / "model.safetensors").rename(model / "pytorch_model.bin")
    with pytest.raises(LoraDeckError, match=r"pickled \(pytorch_model\.bin\)") as caught:
        find_model(home, str(model))
    assert "safetensors" in caught.value.hint


def test_an_encoder_is_refused(home: Home, model: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps(config | {"architectures": ["BertModel"]}))
    with pytest.raises(LoraDeckError, match="BertModel does not generate text"):
        find_model(home, str(model))


def test_an_adapter_is_refused(home: Home, model: Path) -> None:
    (model / "config.json").rename(model / "adapter_config.json")
    with pytest.raises(LoraDeckError, match="a LoRA adapter, not a base model"):
        find_model(home, str(model))


def test_a_gguf_file_is_absent_until_converted(home: Home, tmp_path: Path, model: Path) -> None:
    file = write_gguf(model, tmp_path / "some.gguf")
    info = find_model(home, str(file))
    assert (info.source, info.state, info.path) == ("gguf", "absent", None)
    assert info.shape is not None
    copy = converted_folder(home, file)
    assert copy.parent == home.models
    assert copy.name.startswith("some-")
    shutil.copytree(model, copy)
    converted = find_model(home, str(file))
    assert (converted.source, converted.state, converted.path) == ("gguf", "ready", str(copy))
    file.write_bytes(file.read_bytes() + b"\0")
    assert find_model(home, str(file)).state == "absent"


def test_a_converted_copy_is_listed_once(home: Home, tiny_llama: Path) -> None:
    file = write_gguf(tiny_llama, home.models / "some.gguf")
    copy = converted_folder(home, file)
    shutil.copytree(tiny_llama, copy)
    assert [info.name for info in list_models(home)] == ["demo", "some.gguf"]
    file.unlink()
    assert [info.name for info in list_models(home)] == ["demo", copy.name]


@pytest.mark.parametrize("part", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_cached_model_must_be_whole(home: Home, cache: Path, model: Path, part: str) -> None:
    add_to_cache(cache, model, "org/name")
    info = find_model(home, "org/name")
    assert (info.source, info.state) == ("cache", "ready")
    # A download that was interrupted leaves links that lead nowhere.
    (cache / "models--org--name" / "blobs" / part).unlink()
    again = find_model(home, "org/name")
    assert (again.source, again.state, again.shape) == ("hub", "absent", None)
    assert len(list_models(home)) == 1


def test_a_cached_model_that_cannot_be_sized_does_not_break_the_list(
    home: Home, cache: Path, model: Path
) -> None:
    (model / "config.json").write_text('{"model_type": "mamba"}')
    add_to_cache(cache, model, "org/odd")
    assert len(list_models(home)) == 1


def test_the_cache_is_where_the_environment_says(
    home: Home, tmp_path: Path, tiny_llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_to_cache(tmp_path / "elsewhere", tiny_llama, "gpt2")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "elsewhere"))
    assert find_model(home, "gpt2").source == "cache"


def test_a_hub_id_that_is_not_here(home: Home) -> None:
    info = find_model(home, "Qwen/Qwen2.5-0.5B-Instruct")
    assert (info.source, info.state, info.path, info.shape) == ("hub", "absent", None, None)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "nothing",
        "../nothing",
        "/no/where",
        "~nobody/x",
        "a/b/c",
        "a/../b",
        "x" * 5000,
        "/" + "x" * 5000,
        "a\0b",
        "lora",
        ".",
    ],
)
def test_no_such_model(home: Home, name: str) -> None:
    with pytest.raises(LoraDeckError) as caught:
        find_model(home, name)
    assert "loradeck models" in caught.value.hint


def test_the_nearest_names_are_given(home: Home, cache: Path, tiny_llama: Path) -> None:
    add_to_cache(cache, tiny_llama, "org/Tiny-Llama")
    for name, near in {"dmeo": "demo", "tiny-lama": "org/Tiny-Llama", "smollm2": "demo"}.items():
        with pytest.raises(NotFoundError, match=f"Did you mean .*{near}"):
            find_model(home, name)


def test_nothing_near() -> None:
    assert nearest("zzz", ["demo", "org/name"]) == []
