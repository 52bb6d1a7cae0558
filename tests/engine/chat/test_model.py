"""One base and several adapters in one process: each speaks as if it were alone, to the bit."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from engine.errors import LoraDeckError
from engine.results.chat.generation import Memory, answer
from engine.results.chat.model import ChatModel
from engine.results.chat.types import ChatMessage, Sampling
from engine.results.chat.wire import Question, Start, Voice

if TYPE_CHECKING:
    from pathlib import Path

    from engine.results.chat.wire import Ended

BASE = Voice()
pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


def make_adapter(base: Path, folder: Path, seed: int, **config: Any) -> Voice:
    """Write an adapter that changes much."""
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_pretrained(base)
    targets = ["q_proj", "v_proj", "up_proj"]
    given = {"r": 4, "lora_alpha": 8, "target_modules": targets, "task_type": "CAUSAL_LM"} | config
    adapted = get_peft_model(model, LoraConfig(**given))
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_" in name or "modules_to_save" in name:
                weight.normal_(std=0.3)
    adapted.save_pretrained(str(folder))
    return Voice(adapter=str(folder), stamp=str(seed))


@pytest.fixture(scope="module")
def base(tiny_llama: Path) -> Path:
    return tiny_llama


@pytest.fixture(scope="module")
def voices(base: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Voice]:
    folder = tmp_path_factory.mktemp("adapters")
    return [
        make_adapter(base, folder / "a.1", 1),
        make_adapter(base, folder / "b", 2, use_dora=True),
        make_adapter(base, folder / "c", 3, r=8, use_rslora=True, modules_to_save=["norm"]),
    ]


@pytest.fixture
def model(base: Path) -> ChatModel:
    return ChatModel(Start(base=str(base), dtype="float32", use_4bit=False, device="cpu", cores=1))


def ask(
    model: ChatModel, voice: Voice, memory: Memory | None = None, gone: Any = None, **given: Any
) -> tuple[str, Ended]:
    """Ask a question, greedily unless told otherwise."""
    said: list[str] = []
    words = given.pop("messages", [ChatMessage(role="user", content="Who are you?")])
    sampling = Sampling(**({"temperature": 0, "max_tokens": 12} | given))
    question = Question(number=1, voice=voice, messages=tuple(words), sampling=sampling)
    ended = answer(model, memory or Memory(), question, said.append, gone or (lambda: False))
    return "".join(said), ended


def _alone(base: Path, voice: Voice, tokens: list[int]) -> list[int]:
    """What plain PEFT says."""
    model: Any = AutoModelForCausalLM.from_pretrained(base)
    if voice.adapter:
        model = PeftModel.from_pretrained(model, voice.adapter)
    ids = torch.tensor([tokens])
    made = model.generate(
        input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=12
    )
    return [int(one) for one in made[0, len(tokens) :]]


def test_each_voice_speaks_as_it_does_alone_whoever_spoke_before(
    model: ChatModel, base: Path, voices: list[Voice]
) -> None:
    said = {}
    for voice in [BASE, *voices, BASE, *reversed(voices), BASE]:
        text, ended = ask(model, voice)
        assert said.setdefault(voice, text) == text
        assert ended.prompt_tokens + ended.tokens > 20
    messages = [ChatMessage(role="user", content="Who are you?")]
    for voice, text in said.items():
        speech = model.speech(voice)
        expected = _alone(base, voice, speech.prompt(messages, 2048, 12).tokens)
        assert text == speech.decode(expected[: expected.index(2)] if 2 in expected else expected)
    assert len(set(said.values())) == 4


def test_a_seed_gives_the_same_answer_and_none_another(model: ChatModel) -> None:
    memory = Memory()
    drawn = [ask(model, BASE, memory, temperature=1.5, seed=seed)[0] for seed in (7, 8, 7)]
    assert drawn[0] == drawn[2] != drawn[1]
    likeliest = [ask(model, BASE, memory, temperature=cold)[0] for cold in (0, 1e-300)]
    assert likeliest[0] == likeliest[1]
    free = {ask(model, BASE, memory, temperature=1.5)[0] for _ in range(4)}
    assert len(free) > 1


def test_what_was_read_is_used_again_and_changes_nothing(
    model: ChatModel, voices: list[Voice]
) -> None:
    memory = Memory()
    words = [ChatMessage(role="user", content="Who are you? " * 30)]
    for voice in (BASE, voices[0]):
        first, _ = ask(model, voice, memory, messages=words, temperature=1, top_k=1)
        longer = [
            *words,
            ChatMessage(role="assistant", content=first),
            ChatMessage(role="user", content="And?"),
        ]
        kept = memory._kept[voice][0]
        assert len(kept) > 300
        again, ended = ask(model, voice, memory, messages=longer, temperature=1, top_k=1)
        assert len(memory._kept[voice][0]) > len(kept)
        assert again == ask(model, voice, messages=longer)[0]
        assert ended.first_token_seconds > 0
        # An edited question shares the beginning alone
        edited = [ChatMessage(role="user", content="Who are you, then? " * 20)]
        text, _ = ask(model, voice, memory, messages=edited, temperature=1, top_k=1)
        assert text == ask(model, voice, messages=edited)[0]


def test_a_long_prompt_is_read_in_portions_and_can_be_left(model: ChatModel) -> None:
    words = [ChatMessage(role="user", content="x" * 1500)]
    whole, ended = ask(model, BASE, messages=words)
    assert (ended.finish, ended.tokens) == ("length", 12)
    looks = iter([False, True])
    text, left = ask(model, BASE, messages=words, gone=lambda: next(looks))
    assert (text, left.finish, left.tokens) == ("", "cancelled", 0)
    looks = iter([False] * 8 + [True] * 2)
    text, left = ask(model, BASE, messages=words, gone=lambda: next(looks))
    assert left.finish == "cancelled"
    assert 0 < left.tokens < 9
    assert whole.startswith(text.rstrip("\ufffd"))


def test_end_tokens_and_stop_texts_end_an_answer(model: ChatModel) -> None:
    whole, _ = ask(model, BASE, max_tokens=40)
    stop = whole[6:8]
    text, ended = ask(model, BASE, max_tokens=40, stop=(stop,))
    assert (text, ended.finish) == (whole[: whole.index(stop)], "stop")
    model.speech(BASE).ends.append(int(model.speech(BASE).tokenizer.encode(whole[3]).ids[0]))
    text, ended = ask(model, BASE, max_tokens=40)
    assert ended.finish == "stop"
    assert whole.startswith(text)
    assert len(text) <= 3


def test_a_changed_adapter_is_loaded_anew_and_the_old_one_leaves(
    model: ChatModel, base: Path, tmp_path: Path
) -> None:
    first = make_adapter(base, tmp_path / "one", 4)
    before, _ = ask(model, first)
    second = make_adapter(base, tmp_path / "one", 5)
    assert ask(model, second)[0] != before
    assert list(model.answering.peft_config) == ["adapter1"]


def test_few_adapters_stay(
    model: ChatModel, voices: list[Voice], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.results.chat.model._MOST_ADAPTERS", 2)
    said = [ask(model, voice)[0] for voice in voices]
    assert len(model.answering.peft_config) == 2
    assert [ask(model, voice)[0] for voice in voices] == said


def _spoil(voice: Voice, to: Path, change: Any) -> Voice:
    """Copy an adapter and change its weights."""
    shutil.copytree(voice.adapter, to)
    file = to / "adapter_model.safetensors"
    weights = load_file(file)
    change(weights)
    save_file(weights, file)
    return Voice(adapter=str(to), stamp="spoilt")


@pytest.mark.parametrize("kind", ["lacking", "strange", "wide"])
def test_an_adapter_that_does_not_fit_is_told_and_the_others_stay(
    model: ChatModel, voices: list[Voice], tmp_path: Path, kind: str
) -> None:
    before = [ask(model, voice)[0] for voice in (BASE, voices[0])]

    def change(weights: dict[str, torch.Tensor]) -> None:
        key = next(iter(weights))
        if kind == "lacking":
            del weights[key]
        elif kind == "wide":
            weights[key] = torch.ones(9, 9)
        else:
            weights["base_model.model.model.layers.7.x.lora_A.weight"] = torch.ones(2, 2)

    spoilt = _spoil(voices[0], tmp_path / "spoilt", change)
    with pytest.raises(LoraDeckError, match="Adapter not loadable"):
        ask(model, spoilt)
    assert [ask(model, voice)[0] for voice in (BASE, voices[0])] == before


def test_the_first_adapter_may_fail_too(
    model: ChatModel, voices: list[Voice], tmp_path: Path
) -> None:
    before = ask(model, BASE)[0]
    spoilt = _spoil(voices[0], tmp_path / "spoilt", lambda one: one.pop(next(iter(one))))
    with pytest.raises(LoraDeckError, match="Adapter not loadable"):
        ask(model, spoilt)
    assert ask(model, BASE)[0] == before
    assert ask(model, voices[0])[0] != before


def test_a_tokenizer_of_another_model_is_refused(
    model: ChatModel, base: Path, voices: list[Voice], tmp_path: Path
) -> None:
    shutil.copytree(voices[0].adapter, tmp_path / "other")
    written = json.loads((base / "tokenizer.json").read_text())
    extra = {"id": 5000, "content": "<|new|>", "special": True}
    keys = ("single_word", "lstrip", "rstrip", "normalized")
    written["added_tokens"].append(extra | dict.fromkeys(keys, False))
    (tmp_path / "other" / "tokenizer.json").write_text(json.dumps(written))
    words = [ChatMessage(role="user", content="<|new|>")]
    with pytest.raises(LoraDeckError, match="Tokenizer of another model"):
        ask(model, Voice(adapter=str(tmp_path / "other")), messages=words)
