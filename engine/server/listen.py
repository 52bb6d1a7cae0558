"""Where the engine listens: the home's Unix socket always, an address of the network if asked."""

from __future__ import annotations

import ipaddress
import os
import socket
from typing import TYPE_CHECKING, Any

from engine.errors import LoraDeckError
from engine.language import tr
from engine.text import fault_of, visible

if TYPE_CHECKING:
    from pathlib import Path

_WAITING = 128
LOOPBACK = "127.0.0.1"


def listen_unix(path: Path) -> socket.socket:
    """Bind the socket, for the user alone; the lock is held, so an older file is stale."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(_WAITING)
    return listener


def listen_tcp(given: str, *, anywhere: bool = False) -> socket.socket:
    """Bind an address of the network.

    Args:
        given: ``HOST:PORT``, ``[IPv6]:PORT``, or a port of the loopback; 0 takes a free one.
        anywhere: Whether it may be another address than the loopback's.

    Raises:
        LoraDeckError: It is no address, is not this machine's, is taken, or would need
            ``anywhere``.
    """
    host, port = _parsed(given)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        if not anywhere and not ipaddress.ip_address(address[0]).is_loopback:
            raise LoraDeckError(
                tr("Address not on this machine alone"),
                tr(
                    "{address} can be reached from other machines, and nothing is encrypted.",
                    address=visible(given),
                ),
                tr("Better: stay on 127.0.0.1 and use ssh -L. If you mean it: --allow-remote"),
            )
        return _bound(socket.socket(family, kind, protocol), address)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else tr("it is no name of a machine")
        raise LoraDeckError(
            tr("Address not usable"),
            fault_of(visible(given), reason),
            tr("Choose another host or port."),
        ) from error


def _bound(listener: socket.socket, address: Any) -> socket.socket:
    """Bind a socket and listen; it is closed where that fails."""
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_WAITING)
    except OSError:
        listener.close()
        raise
    return listener


def written(listener: socket.socket) -> str:
    """Write the address of a listener as ``HOST:PORT``."""
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def answers(path: Path) -> bool:
    """Tell whether a server listens on a socket; a stale one refuses."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2.0)
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def identity(path: Path) -> tuple[int, int] | None:
    """Tell one file of a name from a later one of the same name."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _parsed(given: str) -> tuple[str, int]:
    """Read ``HOST:PORT``."""
    host, _, port = given.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or LOOPBACK
    if not (port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise LoraDeckError(
            tr("No address"),
            tr("'{address}' is no HOST:PORT.", address=visible(given)),
            tr("For example: --tcp 127.0.0.1:8600"),
        )
    return host, int(port)
