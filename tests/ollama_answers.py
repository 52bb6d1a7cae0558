"""Lets the Ollama double answer with the very file that was pushed, in a real llama.cpp."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_CONTEXT = "2048"


@contextmanager
def llama_answers(
    folder: Path,
) -> Iterator[Callable[[bytes, str, dict[str, Any]], tuple[str, str]]]:
    """Give what answers for the double; each file is loaded once, in a process of its own."""
    with ExitStack() as stack:
        running: dict[str, httpx.Client] = {}

        def answer(content: bytes, prompt: str, options: dict[str, Any]) -> tuple[str, str]:
            key = hashlib.sha256(content).hexdigest()
            if key not in running:
                file = folder / f"{key}.gguf"
                file.write_bytes(content)
                running[key] = stack.enter_context(_llama(file))
            body = {
                "prompt": prompt,
                "n_predict": options.get("num_predict", 128),
                "temperature": options.get("temperature", 0.8),
                "repeat_penalty": options.get("repeat_penalty", 1.1),
                "top_k": options.get("top_k", 40),
                "seed": options.get("seed", 0),
                "stop": options.get("stop", []),
            }
            made = running[key].post("/completion", json=body).raise_for_status().json()
            return made["content"], "length" if made["stop_type"] == "limit" else "stop"

        yield answer


@contextmanager
def _llama(file: Path) -> Iterator[httpx.Client]:
    """Serve a file while the block runs."""
    command = [sys.executable, "-P", "-m", "engine.results.gate.llama_process", str(file), _CONTEXT]
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert child.stdout is not None
    try:
        place = json.loads(child.stdout.readline())
        headers = {"Authorization": f"Bearer {place['key']}"}
        with httpx.Client(
            base_url=place["address"], headers=headers, timeout=60, trust_env=False
        ) as client:
            yield client
    finally:
        child.kill()
        child.communicate()
