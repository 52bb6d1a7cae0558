"""A scan finds adapters, models and GGUF files and their bases, whatever else lies there."""

from __future__ import annotations

import json
import os
import shutil
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from engine.errors import LoraDeckError, NotFoundError
from engine.models import walk
from engine.models.gguf_header import read_header
from engine.models.scan import scan_models
from engine.models.walk import Walk
from tests.engine.models.tiny_gguf import write_gguf
from tests.tiny_llama import HIDDEN

if TYPE_CHECKING:
    from pathlib import Path

    from engine.home import Home
    from engine.models.found import FoundModel


def _adapter(folder: Path, base: str, width: int = HIDDEN, layer: int = 1, **more: Any) -> Path:
    """Write an adapter on one layer of the tiny Llama."""
    folder.mkdir(parents=True)
    config = {
        "peft_type": "LORA",
        "base_model_name_or_path": base,
        "r": 4,
        "lora_alpha": 8,
        "target_modules": ["q_proj"],
    }
    (folder / "adapter_config.json").write_text(json.dumps(config | more), encoding="utf-8")
    stem = f"base_model.model.model.layers.{layer}.self_attn.q_proj."
    matrices = {
        stem + "lora_A.weight": np.zeros((4, width), np.float32),
        stem + "lora_B.weight": np.zeros((HIDDEN, 4), np.float32),
    }
    save_file(matrices, folder / "adapter_model.safetensors")
    return folder


def _one(home: Home, folder: Path) -> FoundModel:
    """The only thing that lies in a folder."""
    (found,) = scan_models(home, folder).found
    return found


@pytest.fixture
def with_base(home: Home, tiny_llama: Path) -> Home:
    """A home with the tiny Llama in it, as ``tiny``."""
    shutil.copytree(tiny_llama, home.models / "tiny")
    return home


def test_what_lies_in_the_home_and_on_what_it_stands(with_base: Home) -> None:
    home = with_base
    ours = _adapter(home.adapter("bot"), "/an/earlier/home/models/tiny")
    (ours / "loradeck.json").write_text('{"task_id": "t1"}')
    _adapter(home.models / "lora" / ".partial-t2", "tiny")
    merged = shutil.copytree(home.models / "tiny", home.exports / "bot-merged")
    (merged / "loradeck.json").write_text('{"task_id": "t1", "base": "tiny"}')
    gguf = write_gguf(home.models / "tiny", home.exports / "bot.gguf")
    scan = scan_models(home, tasks={"t1": ("bot", "tiny")})
    found = {one.name: one for one in scan.found}
    assert {name: one.kind for name, one in found.items()} == {
        "bot": "adapter", "bot-merged": "merged", "tiny": "base", "bot.gguf": "gguf",
    }  # fmt: skip
    assert all(one.place == "home" and not one.problem for one in scan.found)
    for name in ("bot", "bot-merged"):
        assert (found[name].base, found[name].base_here) == ("tiny", True)
        assert found[name].base_path == str(home.models / "tiny")
        assert (found[name].task_id, found[name].task_name) == ("t1", "bot")
    assert (found["bot"].rank, found["bot"].alpha, found["bot"].targets) == (4, 8.0, ("q_proj",))
    assert found["bot.gguf"].chat_template
    assert found["bot.gguf"].architecture == "llama"
    assert found["bot.gguf"].size_bytes == gguf.stat().st_size
    assert not scan.cut_short


def test_adapters_of_others_and_what_goes_beyond_plain_lora(
    with_base: Home, tmp_path: Path
) -> None:
    given = tmp_path / "given"
    _adapter(given / "a", "org/elsewhere")
    _adapter(
        given / "b" / "checkpoint-7", str(with_base.models / "tiny"), use_dora=True,
        use_rslora=True, modules_to_save=["lm_head"], rank_pattern={"q": 2}, bias="all",
        target_modules="all-linear",
    )  # fmt: skip
    a, b = scan_models(with_base, given).found
    assert (a.base, a.base_here, a.base_path, a.problem) == ("org/elsewhere", False, "", "")
    assert (b.base, b.base_here, b.place) == ("tiny", True, "folder")
    assert b.targets == ("all-linear",)
    assert b.variants == (
        "DoRA", "rsLoRA", "rank pattern", "modules_to_save: lm_head", "bias: all",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"width": 32}, "q_proj is 32 wide in it, and 64 x 64 in tiny"),
        ({"layer": 2}, "it changes layer 2, and tiny has 2"),
        ({"peft_type": "IA3"}, "of the kind IA3"),
        ({"r": "four"}, "gives no rank"),
        ({"r": 10**400}, "gives no rank"),
    ],
)
def test_adapters_that_do_not_fit_their_base_or_are_none(
    with_base: Home, tmp_path: Path, more: dict[str, Any], words: str
) -> None:
    _adapter(tmp_path / "given" / "a", "tiny", **more)
    assert words in _one(with_base, tmp_path / "given").problem


def _pickled(folder: Path) -> None:
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")


def _cut_short(folder: Path) -> None:
    with (folder / "adapter_model.safetensors").open("r+b") as stream:
        stream.truncate(200)


def _lying(folder: Path) -> None:
    (folder / "adapter_model.safetensors").write_bytes(struct.pack("<Q", 2**62) + b"{}")


def _unweighted(folder: Path) -> None:
    (folder / "adapter_model.safetensors").unlink()


def _damaged(folder: Path) -> None:
    (folder / "adapter_config.json").write_text('{"r": \x1b]0;x')


def _endless(folder: Path) -> None:
    with (folder / "adapter_config.json").open("wb") as stream:
        stream.truncate(10**9)


def _nested(folder: Path) -> None:
    (folder / "adapter_config.json").write_text("[" * 100_000)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_pickled, "pickles can run code"),
        (_cut_short, "cut short or damaged"),
        (_lying, "cut short or damaged"),
        (_unweighted, "is missing"),
        (_damaged, "is damaged"),
        (_endless, "too long"),
        (_nested, "is damaged"),
    ],
)
def test_spoilt_adapters_are_told_why(
    with_base: Home, tmp_path: Path, spoil: Any, words: str
) -> None:
    spoil(_adapter(tmp_path / "given" / "a", "tiny"))
    problem = _one(with_base, tmp_path / "given").problem
    assert words in problem
    assert problem.isprintable()


def test_a_fifo_is_waited_for_by_nobody(with_base: Home, tmp_path: Path) -> None:
    folder = tmp_path / "given" / "a"
    _adapter(folder, str(tmp_path / "fifos"))
    (tmp_path / "fifos").mkdir()
    for path in (folder / "loradeck.json", folder / "x.gguf", tmp_path / "fifos" / "config.json"):
        os.mkfifo(path)
    found = _one(with_base, tmp_path / "given")
    assert (found.base_here, found.problem) == (False, "")


def test_models_of_the_cache_go_by_their_names(
    home: Home, cache: Path, tiny_llama: Path, tmp_path: Path
) -> None:
    snapshot = cache / "models--org--tiny" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    blobs = cache / "models--org--tiny" / "blobs"
    blobs.mkdir()
    for file in tiny_llama.iterdir():
        shutil.copy(file, blobs / f"blob-{file.name}")
        (snapshot / file.name).symlink_to(f"../../blobs/blob-{file.name}")
    (cache / "models--org--tiny" / "refs").mkdir()
    (cache / "models--org--tiny" / "refs" / "main").write_text("abc")
    (cache / "models--org--bert" / "snapshots" / "def").mkdir(parents=True)
    _adapter(home.adapter("bot"), "org/tiny")
    found = scan_models(home).found
    assert [(one.name, one.kind, one.place) for one in found] == [
        ("bot", "adapter", "home"),
        ("org/tiny", "base", "cache"),
    ]
    assert (found[0].base, found[0].base_here) == ("org/tiny", True)


def test_damaged_models_and_gguf_files(with_base: Home, tmp_path: Path) -> None:
    given = tmp_path / "given"
    broken = shutil.copytree(with_base.models / "tiny", given / "broken")
    with (broken / "model.safetensors").open("r+b") as stream:
        stream.truncate(1000)
    shutil.copytree(with_base.models / "tiny", given / "pickled")
    (given / "pickled" / "model.safetensors").rename(given / "pickled" / "pytorch_model.bin")
    whole = write_gguf(with_base.models / "tiny", given / "whole.gguf").read_bytes()
    (given / "cut.gguf").write_bytes(whole[:-1000])
    (given / "header.gguf").write_bytes(whole[:1000])
    (given / "empty.gguf").touch()
    (given / "part-00001-of-00002.gguf").write_bytes(whole)
    (given / "whole-00002-of-00002.gguf").write_bytes(whole)
    problems = {one.name: one.problem for one in scan_models(with_base, given).found}
    assert problems.pop("whole.gguf") == ""
    assert problems.pop("cut.gguf") == "it is cut short: weights are missing at its end"
    assert problems.pop("part-00001-of-00002.gguf") == "1 of its 2 parts are here"
    assert "cut short" in problems.pop("broken")
    assert "pickles can run code" in problems.pop("pickled")
    assert "ends within its header" in problems.pop("header.gguf")
    assert "empty" in problems.pop("empty.gguf")
    assert problems == {}


@pytest.mark.parametrize(
    "head",
    [
        struct.pack("<4sIQQ", b"GGUF", 3, 2**62, 2**62),
        struct.pack("<4sIQQQ", b"GGUF", 3, 1, 1, 900_000_000),
        struct.pack("<4sIQQQ1sIIQ", b"GGUF", 3, 1, 1, 1, b"k", 9, 8, 2**62),
    ],
)
def test_a_gigabyte_of_lies_costs_no_gigabyte(
    tmp_path: Path, head: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x.gguf"
    file.write_bytes(head)
    with file.open("r+b") as stream:
        stream.truncate(10**9)
    monkeypatch.setattr("engine.models.gguf_header._MOST_READ", 100_000)
    with pytest.raises(LoraDeckError, match="not readable"):
        read_header(file)


def test_loops_and_links_out_are_not_followed(with_base: Home, tmp_path: Path) -> None:
    given = tmp_path / "given"
    _adapter(given / "a", "tiny")
    (given / "loop").symlink_to(given)
    (given / "self").symlink_to(given / "self")
    (given / "out").symlink_to(with_base.models)
    secret = write_gguf(with_base.models / "tiny", tmp_path / "secret.gguf")
    (given / "out.gguf").symlink_to(secret)
    inside = write_gguf(with_base.models / "tiny", given / "in.gguf")
    (given / "b.gguf").symlink_to(inside)
    scan = scan_models(with_base, given)
    assert {one.name for one in scan.found} == {"a", "in.gguf", "b.gguf"}
    assert scan.links == 3


def test_a_walk_keeps_to_its_limits(home: Home, tmp_path: Path) -> None:
    deep = tmp_path / "given"
    for level in range(walk.DEEPEST + 2):
        deep /= str(level)
    _adapter(deep, "tiny")
    assert "levels deep" in scan_models(home, tmp_path / "given").cut_short
    times = iter(range(0, 10_000, 20))
    late = scan_models(home, tmp_path / "given", walk=Walk(clock=lambda: next(times)))
    assert late.cut_short == "it was ended after 30 seconds"


def test_a_folder_of_too_many_files(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(300):
        (many / f"{number}.txt").touch()
    _adapter(many / "a", "tiny")
    monkeypatch.setattr(walk, "MOST_ENTRIES", 200)
    scan = scan_models(home, many)
    assert (scan.found, scan.cut_short) == ((), "only the first 200 files were looked at")


@pytest.mark.skipif(os.getuid() == 0, reason="root reads everything")
def test_unreadable_folders_are_counted(home: Home, tmp_path: Path) -> None:
    (tmp_path / "given" / "closed").mkdir(parents=True)
    (tmp_path / "given" / "closed").chmod(0)
    assert scan_models(home, tmp_path / "given").unreadable == 1


def test_a_place_to_look_into_is_a_folder(home: Home, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LoraDeckError, match="is a file"):
        scan_models(home, tmp_path / "file")
    for name in ("none", "x" * 300, "file/inner"):
        with pytest.raises(NotFoundError):
            scan_models(home, tmp_path / name)
