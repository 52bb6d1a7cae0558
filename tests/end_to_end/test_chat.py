"""Chats with a real engine and a real process on the tiny model, as users and programs do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import httpx
import openai
import psutil
import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from engine.locks import holder
from engine.server.main import LOCK
from tests.end_to_end.conftest import LORADECK

if TYPE_CHECKING:
    from pathlib import Path

    from tests.end_to_end.conftest import CommandLine

QUESTION: Any = [{"role": "user", "content": "Who are you?"}]
pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


def _adapter(base: Path, folder: Path, seed: int) -> None:
    """Write an adapter that changes much, and ends no answer."""
    torch.manual_seed(seed)
    config = LoraConfig(r=4, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_" in name:
                weight.normal_(std=0.5)
    model.save_pretrained(str(folder))


def _said(events: list[dict[str, Any]]) -> str:
    """Give the answer that was streamed."""
    said = "".join(one["text"] for one in events if one["type"] == "piece")
    assert events[-1]["type"] == "answered", events
    assert events[-1]["text"] == said
    return said


def _children(pid: int) -> list[psutil.Process]:
    """List the engine's processes that hold a chat's model."""
    processes = psutil.Process(pid).children()
    return [one for one in processes if "engine.results.chat.child" in one.cmdline()]


def _until(true: Any, what: str) -> None:
    """Wait for what another process does."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, what


def test_a_chat_from_the_first_question_to_the_engines_end(
    loradeck: CommandLine, tiny_llama: Path
) -> None:
    home = loradeck.home
    (home.models / "tiny").symlink_to(tiny_llama)
    for number in (1, 2):
        _adapter(tiny_llama, home.adapter(f"verses{number}"), number)

    given = ("--message", "Who are you?", "--max-tokens", "24", "--temperature", "0")
    told = loradeck.events("chat", "verses1", "--compare", "base", *given)
    said = {
        "verses1": _said([one for one in told if one["who"] == "verses1"]),
        "tiny": _said([one for one in told if one["who"] != "verses1"]),
    }
    pid = holder(home.run / LOCK)
    assert pid
    (process,) = _children(pid)

    command = ("assistants", "create", "poet", "--adapter", "verses1", "--temperature", "0")
    loradeck.run(*command, "--max-tokens", "24")
    http = httpx.Client(transport=httpx.HTTPTransport(uds=str(home.socket)))
    with openai.OpenAI(api_key="-", base_url="http://engine/v1", http_client=http) as ai:
        for name in ("verses2", "tiny", "verses1", "verses2"):
            pieces = _streamed(ai, name)
            assert len(pieces) > 1
            assert said.setdefault(name, "".join(pieces)) == "".join(pieces)
        assert len(set(said.values())) == 3
        _leave_in_the_midst(loradeck)
        whole = ai.chat.completions.create(model="poet", messages=QUESTION)
        assert whole.choices[0].message.content == said["verses1"]
    assert _children(pid) == [process]
    os.kill(pid, signal.SIGKILL)
    _until(lambda: not process.is_running(), "the process outlives its engine")


def _streamed(ai: openai.OpenAI, name: str) -> list[str]:
    """Ask over OpenAI's interface and give the pieces of the answer."""
    stream = ai.chat.completions.create(
        model=name, messages=QUESTION, stream=True, temperature=0, max_tokens=24
    )
    return [one.choices[0].delta.content or "" for one in stream]


def _leave_in_the_midst(loradeck: CommandLine) -> None:
    """Interrupt a long answer: what was said is shown, and the model is free again at once."""
    command = [
        str(LORADECK), "chat", "tiny", "--message", "Tell a story", "--max-tokens", "1900",
        "--temperature", "5", "--top-k", "0", "--top-p", "1", "--json",
    ]  # fmt: skip
    environment = {**os.environ, "LORADECK_HOME": str(loradeck.home.root)}
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["type"] in ("loading", "piece")
        assert json.loads(process.stdout.readline())["type"] == "piece"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
