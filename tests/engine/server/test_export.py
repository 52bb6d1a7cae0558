"""What an export is refused for before it begins, and what it is begun with."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from engine.errors import ConflictError, LoraDeckError, NotFoundError
from engine.results.export.inputs import ExportInputs
from engine.results.export.types import ExportRequest
from engine.server.export_source import prepare_export
from engine.server.service import EngineService
from engine.settings import Settings
from engine.tasks.record import Status
from engine.tasks.store import TaskStore
from tests.engine.tasks.make import record
from tests.tiny_export import make_adapter, make_base

if TYPE_CHECKING:
    from pathlib import Path

    from engine.home import Home
    from engine.jobs.spec import JobSpec


@pytest.fixture
def adapter(home: Home) -> Path:
    """An adapter of the home, on a base of the home."""
    return make_adapter(home.adapter("first"), make_base(home.models / "base"))


def prepare(home: Home, source: str = "first", **request: Any) -> JobSpec:
    """Prepare an export."""
    return prepare_export(home, TaskStore(home), ExportRequest(source=source, **request))


def change(adapter: Path, **config: Any) -> None:
    """Change an adapter's configuration."""
    file = adapter / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | config))


@pytest.mark.usefixtures("adapter")
def test_export_knows_its_base_its_place_and_what_it_takes(home: Home) -> None:
    spec = prepare(home, quantize="q4_k_m")
    inputs = ExportInputs.model_validate(spec.inputs)
    assert (spec.kind, spec.title) == ("export", "first as gguf q4_k_m")
    assert spec.target == str(home.exports / "first-gguf-q4_k_m")
    assert spec.partial is not None
    assert spec.partial.parent == home.exports
    assert (inputs.name, inputs.base, inputs.base_name) == (
        "first",
        str(home.models / "base"),
        "base",
    )
    assert spec.memory > 4 * inputs.parameters > 400_000
    assert spec.disk > prepare(home, format="merged").disk > prepare(home, format="adapter").disk


def test_adapter_goes_by_task_by_name_and_by_path(home: Home, adapter: Path) -> None:
    store = TaskStore(home)
    task = record(task_name="second", status=Status.COMPLETED, base_model="base")
    store.put(task)
    with pytest.raises(NotFoundError, match="No such adapter"):
        prepare_export(home, store, ExportRequest(source="second"))
    shutil.copytree(adapter, home.adapter("second"))
    (home.adapter("second") / "loradeck.json").write_text(json.dumps({"task_id": task.id}))
    assert prepare_export(home, store, ExportRequest(source=task.id[:5])).task_id == task.id
    spec = prepare(home, str(adapter))
    assert spec.inputs["adapter"] == str(adapter)
    assert spec.begun().request == ExportRequest(source=str(adapter))
    store.put(record(task_name="third"))
    with pytest.raises(ConflictError, match="No adapter yet"):
        prepare_export(home, store, ExportRequest(source="third"))
    for nobody in ("nobody", str(home.models), "", "a" * 300):
        with pytest.raises(NotFoundError):
            prepare(home, nobody)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"base_model_name_or_path": "/nowhere/base"}, "not on this machine"),
        ({"peft_type": "IA3"}, "no LoRA"),
        ({"alora_invocation_tokens": [1, 2]}, "aLoRA"),
        ({"layer_replication": [[0, 2], [1, 2]]}, "uses layers several times"),
    ],
)
def test_adapter_that_cannot_be_merged_is_refused(
    home: Home, adapter: Path, config: dict[str, Any], words: str
) -> None:
    change(adapter, **config)
    with pytest.raises(LoraDeckError, match=words) as refused:
        prepare(home, format="merged")
    assert "models pull /" not in refused.value.hint
    if "peft_type" not in config:
        assert prepare(home, format="adapter").target.endswith("first-adapter")


def test_base_of_another_shape_and_quantized_base_are_refused(home: Home, adapter: Path) -> None:
    file = home.models / "base" / "config.json"
    config = json.loads(file.read_text())
    file.write_text(json.dumps(config | {"quantization_config": {"quant_method": "bnb"}}))
    with pytest.raises(LoraDeckError, match="quantiz"):
        prepare(home)
    file.write_text(json.dumps(config))
    shutil.rmtree(adapter)
    other = make_base(home.models / "other")
    make_adapter(adapter, other, base_model_name_or_path="base")
    config["num_hidden_layers"] = 1
    file.write_text(json.dumps(config))
    with pytest.raises(LoraDeckError, match="layer 1"):
        prepare(home)


def test_pickled_adapter_is_refused(home: Home, adapter: Path) -> None:
    (adapter / "adapter_model.safetensors").rename(adapter / "adapter_model.bin")
    for form in ("adapter", "merged", "gguf"):
        with pytest.raises(LoraDeckError, match="pickle"):
            prepare(home, format=form)


def test_damaged_prompts_are_told_before_work_starts(home: Home, adapter: Path) -> None:
    (adapter / "prompts.json").write_text('[{"text')
    with pytest.raises(LoraDeckError, match=r"prompts\.json of 'first' is damaged") as refused:
        prepare(home)
    assert refused.value.hint.startswith("Remove that file")
    assert prepare(home, format="adapter")


def test_place_that_is_taken_or_none_is_refused(home: Home, adapter: Path, tmp_path: Path) -> None:
    (home.exports / "first-merged").mkdir()
    with pytest.raises(ConflictError, match="there already"):
        prepare(home, format="merged")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ConflictError, match="there already"):
        prepare(home, out=str(tmp_path / "link"))
    for place in (tmp_path / "new" / "..", tmp_path / "new" / ".." / "link" / ".."):
        with pytest.raises(ConflictError, match="there already"):
            prepare(home, out=str(place))
    roundabout = prepare(home, out=str(tmp_path / "new" / ".." / "export"))
    assert roundabout.target == str(tmp_path / "export")
    for place in (adapter / "adapter_config.json" / "x", tmp_path / ("a" * 300)):
        with pytest.raises(LoraDeckError, match="not usable"):
            prepare(home, out=str(place))


@pytest.mark.usefixtures("adapter")
def test_without_llama_cpp_a_gguf_is_made_only_if_forced(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(LoraDeckError, match="cannot be checked") as refused:
        prepare(home)
    assert "loradeck[gguf]" in refused.value.hint
    assert prepare(home, force=True)
    with pytest.raises(LoraDeckError, match="Quantizer not installed"):
        prepare(home, quantize="q4_k_m", force=True)


@pytest.mark.usefixtures("adapter")
async def test_export_without_memory_or_disk_is_not_begun(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = EngineService(home, Settings())
    monkeypatch.setattr("engine.jobs.room.machine_memory", lambda: (0, 1_000_000))
    with pytest.raises(ConflictError, match="Too little memory"):
        await service.export(ExportRequest(source="first"))
    monkeypatch.undo()
    usage = shutil.disk_usage(home.root)._replace(free=1000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(LoraDeckError, match="Too little disk space"):
        await service.export(ExportRequest(source="first"))
    assert service.jobs.all() == []
    assert list(home.exports.iterdir()) == []
