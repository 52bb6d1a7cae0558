"""A file becomes a model at Ollama, or nothing does; against a double of the contract."""

from __future__ import annotations

import hashlib
import socket
from typing import TYPE_CHECKING, Any

import pytest

from engine.errors import ConflictError, DiskFullError, LoraDeckError
from engine.results.chat.types import Sampling
from engine.results.ollama.deploy import settle, trial, trial_name
from engine.results.ollama.parameters import basic_parameters, greedy_options, sampling_parameters
from engine.results.ollama.push import ATTEMPTS, digest_of, push
from engine.results.ollama.server import OllamaServer
from tests.ollama_double import ollama_double

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

CONTENT = b"GGUF" + bytes(3_000_000)
GO = "{{ range .Messages }}<{{ .Role }}>{{ .Content }}{{ end }}<assistant>"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.gguf"
    path.write_bytes(CONTENT)
    return path


def _silent(_: float) -> None:
    """Nobody listens."""


def _refused(words: str) -> AbstractContextManager[object]:
    return pytest.raises(LoraDeckError, match=words)


def _stage(_: str) -> Callable[[float], None]:
    return _silent


def _push(server: OllamaServer, file: Path) -> tuple[str, list[float], list[float]]:
    """Send a file; gives its digest, the shares that were told, and the pauses that were made."""
    shares: list[float] = []
    pauses: list[float] = []
    digest = digest_of(file, _silent)
    push(server, file, digest, shares.append, pauses.append)
    return digest, shares, pauses


def test_a_file_is_sent_once_by_its_digest(file: Path) -> None:
    with ollama_double() as (url, state), OllamaServer(url) as server:
        assert server.check() == "0.13.5"
        digest, shares, pauses = _push(server, file)
        assert digest == f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
        assert state.blobs == {digest: CONTENT}
        assert shares == sorted(shares)
        assert shares[-1] == 1.0
        assert pauses == []
        _push(server, file)
        assert state.uploads == 1


def test_a_broken_upload_is_begun_again(file: Path) -> None:
    with ollama_double(breaks=1, busy=1) as (url, state), OllamaServer(url) as server:
        digest, _, pauses = _push(server, file)
        assert state.blobs[digest] == CONTENT
        assert state.uploads == 3
        assert pauses == [1.0, 2.0]


def test_an_upload_that_always_breaks_is_given_up(file: Path) -> None:
    with ollama_double(breaks=99) as (url, state), OllamaServer(url) as server:
        with pytest.raises(LoraDeckError, match="failed 5 times"):
            _push(server, file)
        assert state.uploads == ATTEMPTS
        assert state.blobs == {}


def test_a_blob_that_is_not_kept_is_noticed(file: Path) -> None:
    keeps_nothing = ollama_double(forgets=True)
    with keeps_nothing as (url, _), OllamaServer(url) as server, _refused("does not keep"):
        _push(server, file)


def test_a_full_disk_is_told_at_once(file: Path) -> None:
    with ollama_double(full=True) as (url, state), OllamaServer(url) as server:
        with pytest.raises(DiskFullError, match="no space left on device"):
            _push(server, file)
        assert state.uploads == 1


def test_a_file_that_changes_under_way_is_not_taken(file: Path) -> None:
    with ollama_double() as (url, state), OllamaServer(url) as server:
        digest = digest_of(file, _silent)
        file.write_bytes(CONTENT[:-1] + b"x")
        with pytest.raises(LoraDeckError, match="digest mismatch"):
            push(server, file, digest, _silent)
        assert state.blobs == {}


def test_a_model_is_tried_and_then_gets_its_name(file: Path) -> None:
    with ollama_double() as (url, state), OllamaServer(url) as server:
        parameters = basic_parameters(["<end>"])
        with trial(server, "Bot", file, GO, parameters, _stage) as name:
            assert state.find(name)
            assert state.find("Bot") is None
            said = server.answer(
                name, [{"role": "user", "content": "Who?"}], greedy_options(8, 512)
            )
            assert (said.text, said.ended) == ("Yes.", True)
            assert state.prompts == ["<user>Who?<assistant>"]
            settle(server, name, "Bot", "Be brief.", parameters | {"temperature": 0.2})
        assert list(state.models) == ["bot:latest"]
        model = state.models["bot:latest"]
        assert model.template == GO
        assert model.system == "Be brief."
        assert model.parameters == {"stop": ["<end>"], "temperature": 0.2, "repeat_penalty": 1.0}
        assert model.digest in state.blobs


class Interrupted(BaseException):
    """What a cancelled job is ended by."""


@pytest.mark.parametrize("error", [LoraDeckError("Gate", "It speaks otherwise."), Interrupted()])
def test_what_is_refused_or_cancelled_leaves_nothing(file: Path, error: BaseException) -> None:
    with ollama_double() as (url, state), OllamaServer(url) as server:
        with pytest.raises(type(error)), trial(server, "Bot", file, GO, {}, _stage):
            raise error
        assert (state.models, state.blobs) == ({}, {})


def test_the_model_of_that_name_stays_until_the_new_one_has_passed(file: Path) -> None:
    with ollama_double() as (url, state), OllamaServer(url) as server:
        with trial(server, "bot", file, GO, {}, _stage) as name:
            settle(server, name, "bot", "", {})
        before = dict(state.models)
        with pytest.raises(ConflictError, match="'BOT' already"):
            server.check_free("BOT", replace=False)
        server.check_free("BOT", replace=True)
        server.check_free("bot:v2", replace=False)
        file.write_bytes(CONTENT + b"more")
        with pytest.raises(Interrupted), trial(server, "bot", file, GO, {}, _stage):
            raise Interrupted
        assert state.models == before


def test_an_error_within_the_stream_is_one(file: Path) -> None:
    with ollama_double(create_error="open blobs: no space left on device") as (url, state):
        with OllamaServer(url) as server:
            with pytest.raises(DiskFullError), trial(server, "bot", file, GO, {}, _stage):
                pytest.fail("there is no model to try")
            state.create_error = "unsupported architecture"
            with _refused("unsupported arch"), trial(server, "bot", file, GO, {}, _stage):
                pytest.fail("there is no model to try")
        assert state.models == {}


def test_a_creation_that_is_not_told_to_its_end_made_nothing(file: Path) -> None:
    with ollama_double(gives_up=True) as (url, state), OllamaServer(url) as server:
        with _refused("ended before"), trial(server, "bot", file, GO, {}, _stage):
            pytest.fail("there is no model to try")
        assert state.models == {}


def test_cancelled_while_it_is_sent(file: Path) -> None:
    def stage(words: str) -> Callable[[float], None]:
        def done(share: float) -> None:
            if words == "sending it to Ollama":
                raise Interrupted

        return done

    with ollama_double() as (url, state), OllamaServer(url) as server:
        with pytest.raises(Interrupted), trial(server, "bot", file, GO, {}, stage):
            pytest.fail("there is no model to try")
        assert (state.models, state.blobs) == ({}, {})


@pytest.mark.parametrize(
    ("template", "parameters", "words"),
    [("{{ if }", {}, "template error"), (GO, {"no_such": 1}, "invalid option")],
)
def test_what_ollama_refuses_is_told_in_its_words(
    file: Path, template: str, parameters: dict[str, Any], words: str
) -> None:
    with ollama_double() as (url, state), OllamaServer(url) as server:
        with _refused(words), trial(server, "bot", file, template, parameters, _stage):
            pytest.fail("there is no model to try")
        assert state.models == {}


def test_what_is_no_gguf_file_is_refused_within_the_stream(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"else")
    with ollama_double() as (url, state), OllamaServer(url) as server:
        trying = trial(server, "bot", tmp_path / "x.gguf", GO, {}, _stage)
        with _refused("not in GGUF format"), trying:
            pytest.fail("there is no model to try")
        assert state.models == {}


def test_ollama_absent_too_old_or_something_else() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with OllamaServer(f"127.0.0.1:{port}") as server:
        with pytest.raises(LoraDeckError, match="Nothing answers") as caught:
            server.check()
        assert "ollama serve" in caught.value.hint
        assert "--host" in caught.value.hint
        with pytest.raises(LoraDeckError, match="Nothing answers"):
            server.has("bot")
    for version in ("0.5.5", "0.0.0", "0.31.2-rc1"):
        with ollama_double(version=version) as (url, _), OllamaServer(url) as server:
            assert server.check() == version
    old = ollama_double(version="0.5.4")
    with old as (url, _), OllamaServer(url) as server, _refused("0.5.5 or newer is needed"):
        server.check()
    other = ollama_double(speaks=False)
    with other as (url, _), OllamaServer(url) as server:
        for ask in (server.check, lambda: server.has("bot")):
            with _refused("does not speak as Ollama does"):
                ask()


def test_room_is_looked_for_where_ollama_keeps_its_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path))
    with OllamaServer("127.0.0.1") as here, OllamaServer("10.0.0.5") as elsewhere:
        here.check_room(1)
        elsewhere.check_room(10**18)
        with pytest.raises(DiskFullError):
            here.check_room(10**18)


def test_trial_names_are_names() -> None:
    assert trial_name("Bot") == trial_name("bot") != trial_name("bot:v2")


def test_settings_go_under_ollamas_names(tmp_path: Path) -> None:
    (tmp_path / "generation_config.json").write_text(
        '{"do_sample": true, "temperature": 0.2, "top_p": "much", "eos_token_id": 2}'
    )
    own = sampling_parameters(None, tmp_path, ["<end>", "<end>"])
    assert own == {"repeat_penalty": 1.0, "stop": ["<end>"], "temperature": 0.2}
    given = sampling_parameters(
        Sampling(temperature=0, seed=3, stop=("###",), repetition_penalty=1.2), tmp_path, ["<end>"]
    )
    assert given == {
        "temperature": 0.0, "top_p": 0.95, "top_k": 50, "repeat_penalty": 1.2,
        "seed": 3, "stop": ["<end>", "###"],
    }  # fmt: skip
    (tmp_path / "generation_config.json").write_text("[")
    assert sampling_parameters(None, tmp_path, []) == {"repeat_penalty": 1.0}
