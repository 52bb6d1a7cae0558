"""Who is at the other end of a Unix socket, as the kernel says."""

from __future__ import annotations

import socket
import struct
from typing import Protocol

_LINUX = struct.Struct("3i")  # pid, uid, gid: struct ucred of unix(7)
_BSD = struct.Struct("II")  # version, uid: the head of struct xucred of unix(4)
_SOL_LOCAL, _LOCAL_PEERCRED = 0, 1


class Connection(Protocol):
    """A socket, or what asyncio gives in its place."""

    def getsockopt(self, level: int, option: int, length: int, /) -> bytes:
        """Read an option of the socket."""


def peer_uid(connection: Connection) -> int | None:
    """Give the user id of the process that connected; ``None`` where the kernel does not tell."""
    try:
        if hasattr(socket, "SO_PEERCRED"):
            found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _LINUX.size)
            return int(_LINUX.unpack(found)[1])
        found = connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, 128)
        return int(_BSD.unpack_from(found)[1])
    except (OSError, struct.error):
        return None
