"""How much one peer may ask over the network in a minute."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

REFUSED_A_MINUTE = 30
"""Requests without a valid token; after these the peer waits, whatever token it brings."""
REQUESTS_A_MINUTE = 1200
_SECONDS = 60.0
_MOST_PEERS = 4096


@dataclass
class _Minute:
    """What one peer did since a moment."""

    begun: float
    requests: int = 0
    refused: int = 0


class PeerLimits:
    """Counts by peer, minute by minute; forgets the oldest peers where they are many."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._peers: OrderedDict[str, _Minute] = OrderedDict()

    def exceeded(self, peer: str) -> bool:
        """Count a request; tell whether the peer has to wait."""
        minute = self._of(peer)
        minute.requests += 1
        return minute.requests > REQUESTS_A_MINUTE or minute.refused >= REFUSED_A_MINUTE

    def refused(self, peer: str) -> None:
        """Note that the peer brought no valid token."""
        self._of(peer).refused += 1

    def _of(self, peer: str) -> _Minute:
        """Give a peer's present minute."""
        key, now = _network(peer), self._clock()
        minute = self._peers.pop(key, None)
        if minute is None or now - minute.begun >= _SECONDS:
            minute = _Minute(now)
        self._peers[key] = minute
        if len(self._peers) > _MOST_PEERS:
            self._peers.popitem(last=False)
        return minute


def _network(peer: str) -> str:
    """Take all addresses of an IPv6 network for one peer: whoever has one has 2**64 of them."""
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return peer
    if isinstance(address, ipaddress.IPv4Address):
        return peer
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))
