"""An adapter's forms, whole and spoilt, before the gate: real PEFT, converter and llama.cpp."""

from __future__ import annotations

import copy
import json
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from gguf import GGUFReader
from safetensors.torch import load_file, save_file

from engine.errors import LoraDeckError
from engine.models.gguf_header import read_header
from engine.results.chat.types import ChatMessage
from engine.results.export.convert import convert, fit_tokenizer
from engine.results.export.copying import copy_whole
from engine.results.export.forms import Adapter, make_gguf, make_merged
from engine.results.export.inputs import ExportInputs
from engine.results.export.loading import load_adapter
from engine.results.export.merge import merge
from engine.results.export.types import ExportRequest
from engine.results.gate.asked import choose_prompts
from engine.results.gate.folder import hear_folder
from engine.results.prompts import Prompt, save_prompts
from tests.engine.results.spoil import spoil, unpermuted
from tests.tiny_export import make_adapter, make_base
from tests.tiny_llama import TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engine.results.export.types import Agreement
    from engine.results.gate.gate import Gate


pytestmark = [
    # PEFT asks a model by an old name
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"),
]


ANSWER = 10
"""Tokens: each that differs costs a question of its own."""


class Reports:
    """Takes a job's stages."""

    def __init__(self) -> None:
        self.stages: list[str] = []

    def stage(self, name: str, start: float, end: float) -> None:
        """Note a stage."""
        assert 0 <= start < end <= 1
        self.stages.append(name)

    def done(self, share: float) -> None:
        """Take a share."""
        assert share >= 0


@dataclass(frozen=True)
class Made:
    """What the tests look at: made once, since loading libraries takes most of the time."""

    adapter: Adapter
    gate: Gate
    merged: Path
    file: Path

    def judge(self, file: Path, *, lossless: bool = True) -> Agreement:
        """Ask another file the same."""
        template = str(self.adapter.tokenizer.chat_template)
        self.gate.ask_file("spoilt", file, lambda _: None, lossless=lossless, template=template)
        return self.gate.found.pop()

    def judge_merged(self, folder: Path) -> Agreement:
        """Ask another merged model the same."""
        heard = hear_folder(folder, self.gate.references, self.adapter.ends, lambda _: None)
        self.gate.judge("spoilt", heard, lossless=True)
        return self.gate.found.pop()


def inputs_of(adapter: Path, base: Path, **request: Any) -> ExportInputs:
    """Ask for an export."""
    return ExportInputs(
        request=ExportRequest(source=adapter.name, **request),
        name=adapter.name,
        adapter=str(adapter),
        base=str(base),
        base_name="org/tiny",
        parameters=120_000,
    )


@pytest.fixture(scope="module")
def short_answers() -> Iterator[None]:
    """Let the gate ask for some tokens alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.results.gate.speaker.LONGEST_ANSWER", ANSWER)
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, short_answers: None) -> Made:
    """A tiny adapter as merged model, as f32 and as q4_k_m."""
    torch.set_num_threads(1)  # so small a model is slower with more
    root = tmp_path_factory.mktemp("export")
    base = make_base(root / "base")
    folder = make_adapter(root / "first", base)
    adapter = Adapter.of(inputs_of(folder, base, quantize="q4_k_m"))
    gate = make_merged(adapter, root / "merged", Reports(), 0.5)  # type: ignore[arg-type]
    whole = replace(adapter, inputs=inputs_of(folder, base, quantize="f32"))
    for name in ("out", "coarse"):
        (root / name).mkdir()
    shutil.copytree(root / "merged", root / "kept")
    file = make_gguf(whole, root / "merged", root / "out", gate, Reports())  # type: ignore[arg-type]
    return Made(adapter, gate, root / "kept", file)


def test_merged_model_and_gguf_speak_like_the_adapter_and_not_like_the_base(made: Made) -> None:
    base, merged, whole = made.gate.found
    assert (base.name, merged.name, whole.name) == ("base", "merged", "gguf f32")
    assert base.logprob_mean is not None
    assert base.logprob_mean > 1
    assert base.same_answers == 0
    for form in (merged, whole):
        assert form.passed
        assert form.agreeing == form.tokens == 6 * ANSWER
        assert form.same_answers == form.prompts == 6
        assert form.logprob_max is not None
        assert form.logprob_max < 0.05


def test_gguf_holds_template_ends_and_base_format(made: Made) -> None:
    metadata = read_header(made.file).metadata
    assert metadata["tokenizer.chat_template"] == made.adapter.tokenizer.chat_template
    assert metadata["tokenizer.ggml.eos_token_id"] == made.adapter.tokenizer.eos_token_id
    assert load_file(made.merged / "model.safetensors")["lm_head.weight"].dtype == torch.float32
    settings = json.loads((made.merged / "generation_config.json").read_text())
    assert settings["eos_token_id"] == 2


def test_k_quants_cost_something_and_are_shown(made: Made, tmp_path: Path) -> None:
    from engine.results.export.quantize import quantize

    quantize(made.file, tmp_path / "coarse.gguf", "q4_k_m", lambda _: None)
    found = made.judge(tmp_path / "coarse.gguf", lossless=False)
    assert found.passed
    assert found.agreement < 1
    assert found.logprob_mean is not None
    assert 0.05 < found.logprob_mean < 1
    types = {one.name: one.tensor_type.name for one in GGUFReader(tmp_path / "coarse.gguf").tensors}
    assert types["blk.0.attn_q.weight"] == "Q5_0"
    assert types["blk.0.attn_norm.weight"] == "F32"
    assert (tmp_path / "coarse.gguf").stat().st_size < made.file.stat().st_size / 3


@pytest.mark.parametrize(
    ("how", "problem"),
    [
        ({"change": unpermuted}, "log-probabilities"),
        ({"without": "tokenizer.chat_template"}, "holds no chat template"),
        (
            {"settings": {"tokenizer.chat_template": "{{ messages[0]['content'] }}"}},
            "renders the prompt otherwise",
        ),
        ({"settings": {"tokenizer.chat_template": TEMPLATE + "\n"}}, "template is another one"),
        ({"settings": {"tokenizer.ggml.add_space_prefix": True}}, "other tokens"),
        ({"change": lambda name, data: data + (np.inf if "0.ffn_down" in name else 0)}, "are nan"),
        ({"change": lambda name, data: data * (1.3 if "ffn_down" in name else 1)}, "log-prob"),
    ],
)
def test_spoilt_file_is_refused_and_says_where(
    made: Made, tmp_path: Path, how: dict[str, Any], problem: str
) -> None:
    found = made.judge(spoil(made.file, tmp_path / "spoilt.gguf", **how))
    assert not found.passed
    assert problem in found.problem
    assert found.prompt == "What is the capital of France?"
    assert found.expected != found.found


def test_file_that_does_not_end_its_answers_is_refused(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the adapter had been trained to end with a token that llama.cpp takes for a word."""
    ended = replace(made.gate.references[0], ended=True)
    monkeypatch.setattr(made.gate, "references", (ended,))
    found = made.judge(made.file)
    assert not found.passed
    assert "does not end the answer" in found.problem
    too_long = made.gate.references[0].prompt.model_copy(update={"end_id": 300})
    monkeypatch.setattr(made.gate, "references", (replace(ended, ended=False, prompt=too_long),))
    found = made.judge(made.file)
    assert not found.passed
    assert found.found == "token 300 is a word like any other"


def test_file_that_llama_cpp_does_not_load_is_told(made: Made, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(made.file.read_bytes()[:-20_000])
    nonsense = {"tokenizer.chat_template": "{% nonsense %}"}
    for file in (cut, spoil(made.file, tmp_path / "nonsense.gguf", settings=nonsense)):
        with pytest.raises(LoraDeckError, match="cannot work with"):
            made.judge(file)


def test_merging_at_another_scale_or_not_at_all_is_refused(made: Made, tmp_path: Path) -> None:
    base = made.merged.parent / "base"
    twice = make_adapter(tmp_path / "twice", base, lora_alpha=16)
    model = load_adapter(inputs_of(twice, base), made.adapter.tokenizer)
    merge(
        model, made.adapter.tokenizer, made.adapter.inputs, tmp_path / "merged", torch.float32, [2]
    )
    for folder in (tmp_path / "merged", base):
        found = made.judge_merged(folder)
        assert not found.passed
        assert "log-probabilities" in found.problem
        assert found.prompt


@pytest.mark.parametrize(
    ("file", "change", "problem"),
    [
        ("chat_template.jinja", lambda _: "", "holds no chat template"),
        ("chat_template.jinja", lambda text: text.replace("\n", " ", 1), "renders the prompt"),
        ("generation_config.json", lambda text: text.replace(": 2", ": 0"), "do not end"),
        ("tokenizer.json", lambda text: text.replace('"▁"', '"_"'), "other tokens"),
    ],
)
def test_merged_folder_that_asks_or_ends_otherwise_is_refused(
    made: Made, tmp_path: Path, file: str, change: Callable[[str], str], problem: str
) -> None:
    shutil.copytree(made.merged, tmp_path / "spoilt")
    spoilt = tmp_path / "spoilt" / file
    text = spoilt.read_text()
    spoilt.write_text(change(text))
    assert spoilt.read_text() != text
    found = made.judge_merged(tmp_path / "spoilt")
    assert not found.passed
    assert problem in found.problem
    assert found.expected != found.found


@pytest.mark.parametrize(
    "config",
    [
        {"use_rslora": True},
        {"rank_pattern": {"q_proj": 2}, "alpha_pattern": {"v_proj": 32}},
        {"use_dora": True},
        {"modules_to_save": ["lm_head"]},
        {"bias": "lora_only"},
    ],
)
def test_variants_are_merged_right(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: dict[str, Any]
) -> None:
    monkeypatch.setattr("engine.results.gate.speaker.LONGEST_ANSWER", 6)
    base = made.merged.parent / "base"
    folder = make_adapter(tmp_path / "variant", base, **config)
    _complete(folder, config)
    adapter = Adapter.of(inputs_of(folder, base, format="merged"))
    gate = make_merged(adapter, tmp_path / "merged", Reports(), 1.0)  # type: ignore[arg-type]
    _, merged = gate.found
    assert merged.passed, merged
    assert merged.logprob_max is not None
    assert merged.logprob_max < 0.01


def _complete(folder: Path, config: dict[str, Any]) -> None:
    """Give a variant the weights that it has beside the plain ones."""
    weights = load_file(folder / "adapter_model.safetensors")
    for name, value in list(weights.items()):
        if "rank_pattern" in config and ".q_proj." in name:
            weights[name] = value[:2] if "lora_A" in name else value[:, :2].contiguous()
        if "use_dora" in config and "lora_B" in name:
            stem = name.replace("lora_B.weight", "lora_magnitude_vector")
            weights[stem] = torch.full((value.shape[0],), 0.5)
    if "modules_to_save" in config:
        torch.manual_seed(0)
        weights["base_model.model.lm_head.weight"] = torch.randn(354, 64) * 0.4
    save_file(weights, folder / "adapter_model.safetensors", metadata={"format": "pt"})


def test_adapter_of_another_shape_and_one_with_missing_weights_are_refused(
    made: Made, tmp_path: Path
) -> None:
    base = made.merged.parent / "base"
    folder = make_adapter(tmp_path / "wide", base, r=6)
    with pytest.raises(LoraDeckError, match="does not fit its base"):
        load_adapter(inputs_of(folder, base), made.adapter.tokenizer)
    with pytest.raises(LoraDeckError, match="nowhere is not there any more"):
        Adapter.of(inputs_of(folder, base / "nowhere"))
    folder = make_adapter(tmp_path / "lacking", base, target_modules=["q_proj", "lm_head"])
    with pytest.raises(LoraDeckError, match="does not fit its base"):
        load_adapter(inputs_of(folder, base), made.adapter.tokenizer)


def test_tokenizer_that_llama_cpp_does_not_know_is_refused(
    made: Made, tmp_path: Path, tiny_llama: Path
) -> None:
    with pytest.raises(LoraDeckError, match="Tokenizer unknown to llama"):
        convert(tiny_llama, tmp_path / "x.gguf", "f16", lambda _: None, 1000)
    assert not list(tmp_path.iterdir())


def test_kept_prompts_are_asked_and_their_end_is_the_files(made: Made, tmp_path: Path) -> None:
    base = made.merged.parent / "base"
    folder = make_adapter(tmp_path / "kept", base)
    tokenizer = made.adapter.tokenizer
    ids = tuple(tokenizer("Say it", add_special_tokens=False)["input_ids"])
    save_prompts(
        folder,
        [
            Prompt(
                messages=(ChatMessage(role="user", content="x"),),
                text="Say it",
                prompt_ids=ids,
                question="x",
                reference="",
                end_id=300,
            )
        ],
    )
    adapter = Adapter.of(inputs_of(folder, base))
    assert adapter.prompts[0].prompt_ids == ids
    assert adapter.ends == [2, 300]
    _tells_the_date(folder, tokenizer)
    _fits_the_converter(made, adapter, tmp_path / "fitted")
    whole = tmp_path / "whole"
    copy_whole(inputs_of(folder, base), whole)
    assert json.loads((whole / "adapter_config.json").read_text())["base_model_name_or_path"] == (
        "org/tiny"
    )
    assert {one.name for one in whole.iterdir()} == {
        "adapter_config.json",
        "adapter_model.safetensors",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }


def _tells_the_date(folder: Path, tokenizer: Any) -> None:
    """Ask as of today where the template tells the date: llama.cpp renders it so too."""
    dated = copy.copy(tokenizer)
    dated.chat_template = "{{ strftime_now('%d %b %Y') }}: {{ messages[0].content }}"
    (asked,) = choose_prompts(folder, dated)
    assert asked.text.endswith(": x")
    assert asked.text != "Say it"
    assert tokenizer.decode(list(asked.prompt_ids)) == asked.text


def _fits_the_converter(made: Made, adapter: Adapter, folder: Path) -> None:
    """The answer's end is the file's, and nothing goes before what was trained without."""
    shutil.copytree(made.merged, folder)
    fit_tokenizer(folder, adapter.tokenizer, adapter.prompts)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    assert settings["eos_token"] == adapter.tokenizer.convert_ids_to_tokens(300)
    assert settings["add_bos_token"] is False
    assert settings["added_tokens_decoder"]["1"] == {"content": "<|im_start|>", "special": True}
