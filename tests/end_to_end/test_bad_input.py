"""Bad input: words with file, row and what to do; exit status 2; no task half made."""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from engine.server.wire import PREFIX

if TYPE_CHECKING:
    from pathlib import Path

    from tests.end_to_end.conftest import CommandLine

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def faults(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, ...]]:
    """What each bad argument must be answered with."""
    broken = samples / "broken"
    return {
        str(broken / "empty.json"): ("empty.json", "empty"),
        str(broken / "not_utf8.json"): ("not_utf8.json", "UTF-8", "line"),
        str(broken / "broken_json.json"): ("broken_json.json", "line", "column"),
        str(broken / "broken_jsonl.jsonl"): ("broken_jsonl.jsonl", "line", "column"),
        str(broken / "unknown_format.json"): (
            "unknown_format.json",
            "instruction",
            "conversations",
        ),
        str(broken / "no_answer.json"): ("no_answer.json", "row", "answer"),
        str(broken / "not_an_array.json"): ("not_an_array.json",),
        "/no/such/rows.json": ("/no/such/rows.json",),
    }


def _nothing_is_left(loradeck: CommandLine) -> None:
    """No record, no folder, no adapter."""
    assert loradeck.json("tasks") == []
    assert not list((loradeck.home.root / "tasks").iterdir())
    assert not list((loradeck.home.models / "lora").iterdir())


def test_bad_datasets(
    loradeck: CommandLine, tiny_llama: Path, faults: dict[str, tuple[str, ...]]
) -> None:
    for file, words in faults.items():
        told = loradeck.run("train", file, "--model", tiny_llama, "--name", "x", code=2)
        for word in words:
            assert word.lower() in told.lower(), f"{file}: {word!r} missing in {told}"
        assert "Traceback" not in told
    _nothing_is_left(loradeck)


def test_bad_names_models_and_overrides(
    loradeck: CommandLine, tiny_llama: Path, samples: Path
) -> None:
    rows = samples / "alpaca_example.json"
    for name in ("", "  ", "x" * 101, "a/b", "..", "a\x1b[31m"):
        assert "Name" in loradeck.run("train", rows, "--model", tiny_llama, "--name", name, code=2)
    assert "demo" in loradeck.run("train", rows, "--model", "dmeo", "--name", "x", code=2)
    for override, word in (
        ("lora_rank=0", "greater"),
        ("lora_rank=many", "integer"),
        ("learning_rate=nan", "finite"),
        ("lora_rnak=8", "lora_rank"),
        ("lora_rank", "key=value"),
        ("eval_rows=12", "rows"),
        ("max_seq_length=99999", "context"),
        ("batch_size=-1", "greater"),
        ("batch_size=64", "12 are trained on"),
        ("early_stopping_patience=3", "eval_rows"),
        ("optim=adamw_8bit", "optim=adamw_torch"),
        ("attn_implementation=flash_attention_3", "sdpa"),
    ):
        told = loradeck.run(
            "train", rows, "--model", tiny_llama, "--name", "x", "--set", override, code=2
        )
        assert word in told, f"{override}: {told}"
    _nothing_is_left(loradeck)


def test_bad_cards_and_presets(loradeck: CommandLine, tiny_llama: Path, samples: Path) -> None:
    rows = samples / "alpaca_example.json"
    for option, value, words in (
        ("--device", "RTX 3061", "Did you mean RTX 3060"),
        ("--device", "memory=9TB,capability=8.9", "memory=24GB,capability=8.9"),
        ("--preset", "clasic", "classic, quick"),
    ):
        told = loradeck.run("plan", rows, "--model", "not/there", option, value, code=2)
        assert words in " ".join(told.split()), told
    command = ("--model", tiny_llama, "--device", "rtx 3060 6gb", "--preset", "classic")
    told = loradeck.run("plan", rows, *command)
    assert "RTX 3060 6GB (6.4 GB, compute capability 8.6, not in this machine)" in told
    assert "classic: The parameters" in told


def test_unwritable_home(loradeck: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    loradeck.environment["LORADECK_HOME"] = str(tmp_path / "file" / "home")
    told = loradeck.run("tasks", code=2)
    assert "Home not writable" in told
    assert "LORADECK_HOME" in told


def test_broken_settings_are_told(loradeck: CommandLine) -> None:
    loradeck.home.settings_file.write_text("idle_minutes = 'long'")
    told = loradeck.run("tasks", code=2)
    assert "settings.toml" in told
    loradeck.home.settings_file.unlink()
    loradeck.environment["LORADECK_IDLE_MINUTES"] = "long"
    told = loradeck.run("tasks", code=2)
    assert "LORADECK_IDLE_MINUTES" in told
    assert "settings.toml" not in told


def test_name_that_is_not_utf8(loradeck: CommandLine, tiny_llama: Path) -> None:
    for file in ("rows\udcff.json", "/rows\udcff.json"):
        told = loradeck.run("train", file, "--model", tiny_llama, "--name", "x", code=2)
        assert "no valid UTF-8" in told
        assert "Traceback" not in told


def test_unknown_task(loradeck: CommandLine) -> None:
    for command in ("show", "logs", "cancel", "delete", "follow"):
        assert "no task 'nothing'" in loradeck.run("tasks", command, "nothing", code=2)


def test_inspect_tells_faulty_rows_and_exits_with_2(loradeck: CommandLine, samples: Path) -> None:
    process = loradeck.start("datasets", "inspect", samples / "broken" / "no_answer.json", "--json")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    found = json.loads(out)
    assert found["dataset_type"] == "alpaca"
    assert any(finding["level"] == "error" and finding["rows"] for finding in found["findings"])


def test_dashboard_without_a_terminal(loradeck: CommandLine) -> None:
    assert "No terminal" in loradeck.run(code=2)


def test_server_of_another_version(loradeck: CommandLine) -> None:
    body = json.dumps({"version": "0.0.1"}).encode()
    answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.fspath(loradeck.home.socket))
        listener.listen()

        def serve() -> None:
            for _ in range(2):  # a probe, then the question
                connection, _ = listener.accept()
                with connection:
                    if PREFIX.encode() in connection.recv(65536):
                        connection.sendall(answer % (len(body), body))

        server = threading.Thread(target=serve)
        server.start()
        told = loradeck.run("tasks", code=2)
        server.join()
    assert "version 0.0.1" in told
    assert "loradeck engine stop" in told
    loradeck.home.socket.unlink()


def test_a_model_without_weights_is_planned_for_and_not_trained(
    loradeck: CommandLine, tiny_llama: Path, samples: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "bare"
    shutil.copytree(tiny_llama, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    dataset = samples / "alpaca_example.json"
    where = (str(dataset), "--model", str(folder))
    plan = loradeck.json("plan", *where, "--device", "RTX 3060 6GB")
    assert plan["device"]["hypothetical"]
    assert plan["memory"]["parts"]["weights"] > 0
    refused = loradeck.run("train", *where, "--name", "bare", code=2)
    assert "weights are not here" in " ".join(refused.split())
