"""A hub of one's own on 127.0.0.1: what huggingface_hub asks for, answered from folders."""

from __future__ import annotations

import hashlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMIT = "c0ffee" * 6 + "c0ff"


class Hub(ThreadingHTTPServer):
    """Serves the models and datasets below a folder: ``<root>/org/name/…``."""

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.root = root
        self.asked: list[str] = []

    @property
    def endpoint(self) -> str:
        """What goes into HF_ENDPOINT."""
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def serve(root: Path) -> Iterator[Hub]:
    """Run a hub for the time of the block."""
    with Hub(root) as hub:
        thread = threading.Thread(target=hub.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield hub
        finally:
            hub.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        """Answer with a body."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Answer with the headers alone."""
        self._answer(body=False)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def _answer(self, *, body: bool) -> None:
        path = urlsplit(self.path).path.strip("/").split("/")
        self.server.asked.append("/".join(path))
        path = path[1:] if path[0] == "datasets" else path
        is_api = path[0] == "api" and path[1] in ("models", "datasets")
        name = path[2:4] if is_api else path[:2]
        folder = self.server.root.joinpath(*name)
        if "gated" in name:
            self._send(403, b"{}", body, {"X-Error-Code": "GatedRepo"})
        elif not folder.is_dir():
            self._send(404, b"{}", body, {"X-Error-Code": "RepoNotFound"})
        elif is_api:
            answer = _tree(folder) if path[4:5] == ["tree"] else _info(folder)
            self._send(200, json.dumps(answer).encode(), body, {"Content-Type": "application/json"})
        else:
            data = folder.joinpath(*path[4:]).read_bytes()
            tag = f'"{hashlib.sha1(data).hexdigest()}"'  # noqa: S324 (Git's, not for safety)
            self._send(200, data, body, {"ETag": tag, "X-Repo-Commit": COMMIT})

    def _send(self, status: int, data: bytes, body: bool, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in (headers | {"Content-Length": str(len(data))}).items():
            self.send_header(key, value)
        self.end_headers()
        if body:
            self.wfile.write(data)


def _info(folder: Path) -> dict[str, Any]:
    """Describe a repository."""
    files = [{"rfilename": name, "size": file.stat().st_size} for name, file in _files(folder)]
    return {"id": f"{folder.parent.name}/{folder.name}", "sha": COMMIT, "siblings": files}


def _tree(folder: Path) -> list[dict[str, Any]]:
    """List a repository's files."""
    return [
        {
            "type": "file",
            "path": name,
            "size": file.stat().st_size,
            "oid": hashlib.sha1(file.read_bytes()).hexdigest(),  # noqa: S324
        }
        for name, file in _files(folder)
    ]


def _files(folder: Path) -> list[tuple[str, Path]]:
    """List a repository's files with their names in it."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [(file.relative_to(folder).as_posix(), file) for file in files]
