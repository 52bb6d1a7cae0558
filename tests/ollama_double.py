"""An Ollama on a loopback port that keeps to the documented contract, and refuses what does not.

Digests are reckoned, unknown fields and options are refused, templates are parsed and applied;
nothing is kept of an upload that breaks off. It answers by the script that a test gives it.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests import go_template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PART = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}"
_NAME = re.compile(
    rf"(?:(?:[A-Za-z0-9_][A-Za-z0-9_.:-]{{0,349}}/)?[A-Za-z0-9_][A-Za-z0-9_-]{{0,79}}/)?"
    rf"{_PART}(?::{_PART})?"
)
_FIELDS = {
    "/api/create": {
        "model", "from", "files", "adapters", "template", "license", "system", "parameters",
        "messages", "stream", "quantize",
    },
    "/api/generate": {
        "model", "prompt", "suffix", "images", "format", "options", "system", "template",
        "stream", "raw", "keep_alive", "context", "think", "logprobs", "top_logprobs",
    },
    "/api/chat": {
        "model", "messages", "tools", "think", "format", "options", "stream", "keep_alive",
        "logprobs", "top_logprobs",
    },
    "/api/copy": {"source", "destination"},
    "/api/delete": {"model"},
}  # fmt: skip
_OPTIONS = {
    "num_keep", "seed", "num_predict", "top_k", "top_p", "min_p", "typical_p", "repeat_last_n",
    "temperature", "repeat_penalty", "presence_penalty", "frequency_penalty", "stop", "num_ctx",
    "num_batch", "num_gpu", "main_gpu", "use_mmap", "num_thread",
}  # fmt: skip
_ROLES = ("system", "user", "assistant")


@dataclass
class Model:
    """What was created."""

    digest: str
    template: str = ""
    system: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass
class State:
    """All that an Ollama keeps, and the faults that a test wants."""

    answer: Callable[[bytes, str, dict[str, Any]], tuple[str, str]] = lambda *_: ("Yes.", "stop")
    """Takes the GGUF file, the prompt that the model sees, and the options; gives the answer and
    why it ended: ``stop`` or ``length``."""
    version: str = "0.13.5"
    blobs: dict[str, bytes] = field(default_factory=dict)
    models: dict[str, Model] = field(default_factory=dict)
    prompts: list[str] = field(default_factory=list)
    """What the models saw, in order."""
    uploads: int = 0
    """Bodies that began to arrive."""
    breaks: int = 0
    """Uploads that are still to be broken off in the middle."""
    busy: int = 0
    """Uploads that a proxy is still to answer itself."""
    full: bool = False
    """Whether the disk has no room."""
    create_error: str = ""
    """What goes wrong while a model is created: told within the stream, after status 200."""
    gives_up: bool = False
    """Whether it stops telling of a creation before that is done."""
    speaks: bool = True
    """Whether it is an Ollama at all, rather than some website."""
    forgets: bool = False
    """Whether blobs are gone as soon as they have arrived."""

    def find(self, name: str) -> Model | None:
        """Find a model by its name, whatever its case."""
        return self.models.get(full_name(name))


def full_name(name: str) -> str:
    """Write a name out."""
    return (name if ":" in name.rpartition("/")[2] else name + ":latest").lower()


class RefusedError(Exception):
    """The request does not keep to the contract, or a fault is wanted."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


@contextmanager
def ollama_double(**wanted: Any) -> Iterator[tuple[str, State]]:
    """Run one; gives its address and what it keeps."""
    state = State(**wanted)
    handler = type("Handler", (_Handler,), {"state": state})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    """Says nothing of connections that break."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Leave it at that."""


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    state: State
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def do_GET(self) -> None:
        """Version and list."""
        if not self.state.speaks:
            self._send(200, {"welcome": "to a website"})
        elif self.path == "/api/version":
            self._send(200, {"version": self.state.version})
        elif self.path == "/api/tags":
            models = [{"name": name, "model": name} for name in self.state.models]
            self._send(200, {"models": models})
        else:
            self._send(404, {"error": "not found"})

    def do_HEAD(self) -> None:
        """Whether a blob is there."""
        digest = self.path.removeprefix("/api/blobs/")
        known = digest in self.state.blobs
        self._send(200 if known else 404 if _DIGEST.fullmatch(digest) else 400, None)

    def do_POST(self) -> None:
        """Everything else."""
        try:
            if self.path.startswith("/api/blobs/"):
                self._send(self._take_blob(self.path.removeprefix("/api/blobs/")), None)
            else:
                self._do(self._body())
        except RefusedError as refused:
            self._send(refused.status, {"error": str(refused)})

    def do_DELETE(self) -> None:
        """Remove a model."""
        self.do_POST()

    def _do(self, body: dict[str, Any]) -> None:
        """Carry out what a JSON body asks for."""
        actions = {
            "/api/create": self._create,
            "/api/generate": self._generate,
            "/api/chat": self._chat,
            "/api/copy": self._copy,
            "/api/delete": self._delete,
        }
        actions[self.path](body)

    def _take_blob(self, digest: str) -> int:
        """Take a file in, if it is what its digest says."""
        if not _DIGEST.fullmatch(digest):
            self.close_connection = True
            raise RefusedError(400, "invalid digest format")
        length = int(self.headers["Content-Length"])
        self.state.uploads += 1
        if self.state.busy:
            self.state.busy -= 1
            self.close_connection = True
            raise RefusedError(503, "no server is available")
        if self.state.full:
            self.close_connection = True
            raise RefusedError(500, f"write blobs/sha256-{digest[-6:]}: no space left on device")
        if self.state.breaks:
            self.state.breaks -= 1
            self.rfile.read(length // 2)
            self.connection.shutdown(2)
            self.close_connection = True
            raise ConnectionAbortedError
        content = self.rfile.read(length)
        got = f"sha256:{hashlib.sha256(content).hexdigest()}"
        if len(content) != length or got != digest:
            raise RefusedError(400, f"digest mismatch, expected {digest!r}, got {got!r}")
        if digest in self.state.blobs:
            return 200
        if not self.state.forgets:
            self.state.blobs[digest] = content
        return 201

    def _create(self, body: dict[str, Any]) -> None:
        """Create a model; what goes wrong after the start is told within the stream."""
        name = _checked(body["model"])
        files, template = body.get("files") or {}, body.get("template") or ""
        if "quantize" in body or "adapters" in body:
            raise RefusedError(400, "create-time quantization and adapters are not supported")
        _check_options(body.get("parameters") or {})
        for file, digest in files.items():
            if "/" in file or not file.endswith(".gguf"):
                raise RefusedError(400, f"file path must be relative: {file}")
            if digest not in self.state.blobs:
                raise RefusedError(400, f"blob not found for {file} (digest {digest})")
        try:
            go_template.parse(template)
        except go_template.GoTemplateError as error:
            raise RefusedError(400, f"template error: {error}") from error
        self._stream(self._creating(name, files, template, body))

    def _creating(
        self, name: str, files: dict[str, str], template: str, body: dict[str, Any]
    ) -> Iterator[dict[str, Any]]:
        """Give the steps of a creation, as they are told."""
        yield {"status": "parsing GGUF" if files else "reading model metadata"}
        if self.state.gives_up:
            return
        if self.state.create_error:
            yield {"error": self.state.create_error}
            return
        if files:
            (digest,) = files.values()
            made = Model(digest, template or "{{ .Prompt }}")
            if self.state.blobs[digest][:4] != b"GGUF":
                yield {"error": "supplied file was not in GGUF format", "status": 400}
                return
        elif base := self.state.find(body.get("from", "")):
            made = Model(base.digest, template or base.template, base.system, base.parameters)
        else:
            yield {"error": "neither 'from' or 'files' was specified", "status": 400}
            return
        made.system = body.get("system") or made.system
        made.parameters = made.parameters | (body.get("parameters") or {})
        yield {"status": f"using existing layer {made.digest}"}
        yield {"status": "writing manifest"}
        self.state.models[full_name(name)] = made
        yield {"status": "success"}

    def _generate(self, body: dict[str, Any]) -> None:
        """Answer a prompt; only raw ones are asked here."""
        if not body.get("raw") or body.get("stream", True):
            raise RefusedError(400, "the double answers raw prompts, not streamed")
        text, reason = self._answer(self._model(body), body["prompt"], body)
        answer = {"model": body["model"], "response": text, "done": True, "done_reason": reason}
        self._send(200, answer)

    def _chat(self, body: dict[str, Any]) -> None:
        """Answer a conversation through the model's template."""
        model, messages = self._model(body), body["messages"]
        if body.get("stream", True):
            raise RefusedError(400, "the double does not stream answers")
        for one in messages:
            if set(one) != {"role", "content"} or one["role"] not in (
                "system",
                "user",
                "assistant",
            ):
                raise RefusedError(400, f"invalid message: {one}")
        if model.system and messages[0]["role"] != "system":
            messages = [{"role": "system", "content": model.system}, *messages]
        turns = [{"Role": one["role"], "Content": one["content"]} for one in messages]
        values = {"Messages": turns, "Prompt": turns[-1]["Content"]}
        text, reason = self._answer(model, go_template.render(model.template, values), body)
        message = {"role": "assistant", "content": text}
        answer = {"model": body["model"], "message": message, "done": True, "done_reason": reason}
        self._send(200, answer)

    def _answer(self, model: Model, prompt: str, body: dict[str, Any]) -> tuple[str, str]:
        """Let the script answer what the model sees, with its parameters and the request's."""
        options = body.get("options") or {}
        _check_options(options)
        self.state.prompts.append(prompt)
        return self.state.answer(self.state.blobs[model.digest], prompt, model.parameters | options)

    def _copy(self, body: dict[str, Any]) -> None:
        """Give a model another name."""
        model = self._model({"model": body["source"]})
        self.state.models[full_name(_checked(body["destination"]))] = model
        self._send(200, None)

    def _delete(self, body: dict[str, Any]) -> None:
        """Remove a model, and its blob where no other one needs it."""
        digest = self._model(body).digest
        del self.state.models[full_name(body["model"])]
        if all(model.digest != digest for model in self.state.models.values()):
            self.state.blobs.pop(digest, None)
        self._send(200, None)

    def _model(self, body: dict[str, Any]) -> Model:
        """Find the model that a request names."""
        model = self.state.find(_checked(body.get("model", "")))
        if model is None:
            raise RefusedError(404, f"model '{body.get('model')}' not found")
        return model

    def _body(self) -> dict[str, Any]:
        """Read a JSON body and refuse fields that are not documented."""
        known = _FIELDS.get(self.path)
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if known is None:
            raise RefusedError(404, "404 page not found")
        try:
            body: dict[str, Any] = json.loads(content)
        except ValueError as error:
            raise RefusedError(400, str(error)) from error
        if unknown := set(body) - known:
            raise RefusedError(400, f"unknown fields: {', '.join(sorted(unknown))}")
        return body

    def _send(self, status: int, value: dict[str, Any] | None) -> None:
        """Send an answer."""
        content = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, steps: Iterator[dict[str, Any]]) -> None:
        """Send steps as they come, one JSON object a line."""
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for step in steps:
            line = json.dumps(step).encode() + b"\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        self.wfile.write(b"0\r\n\r\n")


def _checked(name: Any) -> str:
    """Refuse what is no model's name."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise RefusedError(400, "invalid model name")
    return name


def _check_options(options: dict[str, Any]) -> None:
    """Refuse options that are not documented."""
    if unknown := set(options) - _OPTIONS:
        raise RefusedError(400, f"invalid option provided: {', '.join(sorted(unknown))}")
