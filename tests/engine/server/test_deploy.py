"""What a deployment is refused for before it begins, and what it is begun with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from engine.errors import ConflictError, DiskFullError, LoraDeckError, NotFoundError
from engine.results.export.types import DeployRequest
from engine.results.ollama.inputs import DeployInputs
from engine.server.deploy_source import prepare_deploy
from engine.tasks.store import TaskStore
from tests.ollama_double import Model, State, ollama_double
from tests.tiny_export import make_adapter, make_base

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.home import Home
    from engine.jobs.spec import JobSpec


@pytest.fixture
def ollama() -> Iterator[tuple[str, State]]:
    """An Ollama that has a model already."""
    with ollama_double() as (url, state):
        state.models["taken:latest"] = Model("sha256:0")
        yield url, state


@pytest.fixture(autouse=True)
def _adapter(home: Home) -> None:
    """An adapter of the home, on a base of the home."""
    make_adapter(home.adapter("First Try"), make_base(home.models / "base"))


def _prepare(home: Home, host: str, source: str = "First Try", **request: Any) -> JobSpec:
    """Prepare a deployment."""
    return prepare_deploy(home, TaskStore(home), DeployRequest(source=source, host=host, **request))


def test_it_is_begun_with_everything_written_out(home: Home, ollama: tuple[str, State]) -> None:
    url, _ = ollama
    spec = _prepare(home, url.removeprefix("http://"), system="Be brief.")
    inputs = DeployInputs.model_validate(spec.inputs)
    assert (spec.kind, spec.title) == ("deploy", "First Try to Ollama as first-try (q8_0)")
    assert (inputs.request.name, inputs.request.host) == ("first-try", url)
    assert inputs.request.system == "Be brief."
    assert isinstance(spec.begun().request, DeployRequest)
    assert spec.begun().request == spec.request
    assert inputs.export.form == "gguf q8_0"
    assert inputs.export.adapter == str(home.adapter("First Try"))
    assert spec.partial is not None
    assert spec.partial.parent == home.exports
    assert spec.disk > 0
    # The same model is not made twice at once; others may be
    assert spec.target == _prepare(home, url, name="First-Try").target
    assert spec.target != _prepare(home, url, name="another").target


@pytest.mark.parametrize(
    ("request_", "kind", "words"),
    [
        ({"source": "none"}, NotFoundError, "no task"),
        ({"name": "a b"}, LoraDeckError, "Not a name for Ollama"),
        ({"name": "TAKEN"}, ConflictError, "already"),
        ({"host": "http://a b"}, LoraDeckError, "Not an address"),
        ({"host": "127.0.0.1:9"}, LoraDeckError, "Nothing answers"),
    ],
)
def test_what_is_refused_before_it_begins(
    home: Home, ollama: tuple[str, State], request_: dict[str, str], kind: type, words: str
) -> None:
    with pytest.raises(kind, match=words):
        _prepare(home, **({"host": ollama[0]} | request_))
    assert _prepare(home, ollama[0], name="taken", replace=True).kind == "deploy"


def test_an_old_or_a_full_ollama(
    home: Home, ollama: tuple[str, State], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, state = ollama
    state.version = "0.3.14"
    with pytest.raises(LoraDeckError, match="Ollama too old"):
        _prepare(home, url)
    state.version = "0.13.5"
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path))
    monkeypatch.setattr("engine.models.disk.shutil.disk_usage", lambda _: type("", (), {"free": 9}))
    with pytest.raises(DiskFullError):
        _prepare(home, url)
