"""Where Ollama listens."""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from engine.errors import LoraDeckError
from engine.language import tr
from engine.text import visible

VARIABLE = "OLLAMA_HOST"
_PORT = 11434
_PORTS = {"http": 80, "https": 443}
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what a server is told, not a client


def base_url(host: str) -> str:
    """Write out where Ollama listens, as its own programs understand ``OLLAMA_HOST``.

    Args:
        host: ``https://ollama.example``, ``10.0.0.5``, ``:11435`` and the like; empty for
            ``OLLAMA_HOST``, else this machine.

    Raises:
        LoraDeckError: It is no address.
    """
    given = (host or os.environ.get(VARIABLE, "")).strip().rstrip("/")
    scheme, mark, rest = given.partition("://")
    scheme = scheme.lower()
    if not mark:
        scheme, rest = "http", f"[{given}]" if _is_bare_ipv6(given) else given
    try:
        split = urlsplit(f"{scheme}://{rest}")
        name, port = split.hostname or "127.0.0.1", split.port
    except ValueError as error:
        raise _refused(given, str(error)) from None
    if (
        scheme not in _PORTS
        or split.username
        or split.query
        or split.fragment
        or re.search(r"\s", rest)
    ):
        raise _refused(given, tr("it is no address of the form http://name:port"))
    name = _EVERYWHERE.get(name, name)
    shown = f"[{name}]" if ":" in name else name
    port = port or (_PORTS[scheme] if mark else _PORT)
    return f"{scheme}://{shown}:{port}{split.path.rstrip('/')}"


def _is_bare_ipv6(given: str) -> bool:
    """Tell whether an address of IPv6 stands without its brackets, as without a port it may."""
    try:
        return ipaddress.ip_address(given).version == 6
    except ValueError:
        return False


def is_local(url: str) -> bool:
    """Tell whether an address is this machine's own."""
    name = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def models_folders() -> list[Path]:
    """Name the folders in which an Ollama on this machine may keep its models, those that exist."""
    given = os.environ.get("OLLAMA_MODELS")
    usual = [Path("~/.ollama/models").expanduser(), Path("/usr/share/ollama/.ollama/models")]
    folders = [Path(given)] if given else usual
    return [folder for folder in folders if folder.is_dir()]


def _refused(given: str, reason: str) -> LoraDeckError:
    """Refuse what cannot be an address."""
    return LoraDeckError(
        tr("Not an address"),
        tr(
            "'{given}' is not where Ollama can listen: {reason}.",
            given=visible(given)[:200],
            reason=visible(reason),
        ),
        tr("For example: http://127.0.0.1:11434 (--host)."),
    )
