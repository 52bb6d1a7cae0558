"""A deployment from end to end, but for the making of the file: what stays, and what does not."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from engine.errors import ConflictError, LoraDeckError
from engine.jobs.spec import JobRefusedError, JobSpec
from engine.results.chat.types import Sampling
from engine.results.export.inputs import ExportInputs
from engine.results.export.types import DeployRequest, ExportRequest
from engine.results.ollama import work
from engine.results.ollama.inputs import DeployInputs
from tests.engine.models.tiny_gguf import write_gguf
from tests.engine.results.ollama.references import ANSWERS, gate_of, reference
from tests.ollama_double import Model, State, ollama_double

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.results.export.types import Exported
    from engine.results.gate.gate import Gate


def _trained(question: str) -> str:
    """Write a question as the tiny model's template does."""
    return f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"


class _Reporter:
    """Remembers the stages, and where each began and ended."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, float, float]] = []
        self.committed = False

    def within(self, start: float, end: float) -> None:
        """Not looked at."""

    def stage(self, name: str, start: float, end: float) -> None:
        self.stages.append((name, start, end))

    def done(self, share: float) -> None:
        assert 0.0 <= share <= 1.0

    def commit(self) -> None:
        self.committed = True


@pytest.fixture
def ollama() -> Iterator[tuple[str, State]]:
    """One whose model answers as the adapter does, when it is asked as that was trained."""

    def answer(_: bytes, prompt: str, __: dict[str, Any]) -> tuple[str, str]:
        found = re.search(r"q\d", prompt)
        right = found and prompt == _trained(found[0])
        return (ANSWERS[found[0]] if found and right else "what?"), "stop"

    with ollama_double(answer=answer) as (url, state):
        yield url, state


@pytest.fixture
def gate() -> Gate:
    """What the adapter says to two prompts, in the tiny model's own template."""
    gate = gate_of(reference("q0"), reference("q1"))
    gate.references = tuple(
        replace(one, prompt=one.prompt.model_copy(update={"text": _trained(one.prompt.question)}))
        for one in gate.references
    )
    return gate


@pytest.fixture(autouse=True)
def _made(monkeypatch: pytest.MonkeyPatch, tiny_llama: Path, gate: Gate) -> None:
    """Make the file of the tiny model, quickly."""
    tokenizer = SimpleNamespace(convert_ids_to_tokens=lambda ids: ["<|im_end|>"] * len(ids))
    adapter = SimpleNamespace(of=lambda _: SimpleNamespace(tokenizer=tokenizer, ends=[2]))
    monkeypatch.setattr(work, "Adapter", adapter)
    monkeypatch.setattr(work, "make_merged", lambda *_: gate)
    monkeypatch.setattr(
        work,
        "make_gguf",
        lambda _, __, folder, ___, ____: write_gguf(tiny_llama, folder / "bot-f16.gguf"),
    )


def _deploy(
    tmp_path: Path, base: Path, url: str, reporter: _Reporter | None = None, **wanted: Any
) -> Exported:
    """Deploy the tiny model itself."""
    request = DeployRequest(source="bot", name="bot", host=url, quantize="f16", **wanted)
    export = ExportInputs(
        request=ExportRequest(source="bot"),
        name="bot",
        adapter=str(base),
        base=str(base),
        base_name="tiny",
    )
    inputs = DeployInputs(export=export, request=request).model_dump(mode="json")
    spec = JobSpec(kind="deploy", title="t", inputs=inputs, target=str(tmp_path / ".bot"))
    return work.work(spec, reporter or _Reporter())  # type: ignore[arg-type]


def test_what_passes_stays_under_its_name(
    ollama: tuple[str, State], tmp_path: Path, tiny_llama: Path
) -> None:
    (url, state), reporter = ollama, _Reporter()
    sampling = Sampling(temperature=0.3, stop=("###",))
    made = _deploy(tmp_path, tiny_llama, url, reporter, system="Be brief.", sampling=sampling)
    assert made.ollama_name == "bot"
    assert not made.forced
    assert [(one.name, one.passed) for one in made.gate] == [
        ("base", True), ("ollama", True), ("ollama chat", True),
    ]  # fmt: skip
    assert list(state.models) == ["bot:latest"]
    model = state.models["bot:latest"]
    assert (model.system, model.parameters["temperature"]) == ("Be brief.", 0.3)
    assert model.parameters["stop"] == ["<|im_end|>", "###"]
    assert "<|im_start|>" in model.template
    assert reporter.committed
    assert [name for name, _, _ in reporter.stages] == [
        "reading the file", "sending it to Ollama", "making the model", "asking Ollama",
        "naming it",
    ]  # fmt: skip
    ends = [end for _, _, end in reporter.stages]
    assert [start for _, start, _ in reporter.stages[1:]] == ends[:-1]
    assert ends[-1] == 1.0


def test_what_is_refused_is_gone_unless_it_is_forced(
    ollama: tuple[str, State], tmp_path: Path, tiny_llama: Path
) -> None:
    url, state = ollama
    _deploy(tmp_path, tiny_llama, url)
    before = dict(state.models)
    state.answer = lambda *_: ("gibberish", "stop")
    with pytest.raises(JobRefusedError, match="ollama: ") as caught:
        _deploy(tmp_path, tiny_llama, url, replace=True, system="other")
    assert caught.value.exported.gate[-1].found == "gibberish"
    assert state.models == before
    forced = _deploy(tmp_path, tiny_llama, url, replace=True, system="other", force=True)
    assert forced.forced
    assert list(state.models) == ["bot:latest"]
    assert state.models["bot:latest"].system == "other"


def test_a_taken_name_is_told_before_anything_is_made(
    ollama: tuple[str, State], tmp_path: Path, tiny_llama: Path
) -> None:
    url, state = ollama
    _deploy(tmp_path, tiny_llama, url)
    reporter = _Reporter()
    with pytest.raises(ConflictError):
        _deploy(tmp_path, tiny_llama, url, reporter)
    assert reporter.stages == []
    assert state.uploads == 1


def test_a_model_that_got_the_name_meanwhile_stays(
    ollama: tuple[str, State], tmp_path: Path, tiny_llama: Path
) -> None:
    url, state = ollama
    usual = state.answer

    def answer(content: bytes, prompt: str, options: dict[str, Any]) -> tuple[str, str]:
        state.models.setdefault("bot:latest", Model("sha256:theirs"))
        return usual(content, prompt, options)

    state.answer = answer
    with pytest.raises(ConflictError):
        _deploy(tmp_path, tiny_llama, url)
    assert state.models == {"bot:latest": Model("sha256:theirs")}


def test_a_file_that_does_not_pass_here_is_not_sent(
    ollama: tuple[str, State], tmp_path: Path, tiny_llama: Path, gate: Gate
) -> None:
    url, state = ollama
    gate.found.append(gate.base.model_copy(update={"passed": False, "problem": "It is off."}))
    with pytest.raises(JobRefusedError, match="It is off"):
        _deploy(tmp_path, tiny_llama, url)
    assert state.uploads == 0


def test_a_system_prompt_that_the_template_has_no_place_for(
    ollama: tuple[str, State], tmp_path: Path, tiny_llama: Path
) -> None:
    url, state = ollama
    base = tmp_path / "base"
    base.mkdir()
    for file in tiny_llama.iterdir():
        (base / file.name).write_bytes(file.read_bytes())
    settings = json.loads((base / "tokenizer_config.json").read_text())
    settings["chat_template"] = (
        "{% for m in messages %}{% if m.role == 'system' or '\n' in m.content %}"
        "{{ raise_exception('no') }}{% endif %}({{ m.role }}){{ m.content }}{% endfor %}"
    )
    (base / "tokenizer_config.json").write_text(json.dumps(settings))
    with pytest.raises(LoraDeckError, match="no system turn"):
        _deploy(tmp_path, base, url, system="Be brief.")
    assert state.uploads == 0
