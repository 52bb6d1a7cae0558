"""The token that opens the interface over the network: made once, kept only as its hash."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

from engine.files import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

_BYTES = 32
_LONGEST = 200


class Token:
    """A home's token; a new one takes the place of the old.

    It is 256 random bits, so that one round of SHA-256 keeps it as well as a slow hash would.

    Args:
        path: The file of the hash, for the user alone.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def exists(self) -> bool:
        """Whether there is one."""
        return self._path.exists()

    def make(self) -> str:
        """Make a new token and give it, this once."""
        token = "ld_" + secrets.token_urlsafe(_BYTES)
        write_atomic(self._path, _hash(token) + "\n")
        return token

    def revoke(self) -> bool:
        """Let no token open the interface any more; tell whether one did."""
        existed = self.exists
        self._path.unlink(missing_ok=True)
        return existed

    def accepts(self, given: str) -> bool:
        """Tell whether this is the token, in a time that does not hang on where it differs."""
        if not given or len(given) > _LONGEST:
            return False
        try:
            kept = self._path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return False
        return hmac.compare_digest(_hash(given), kept)


def _hash(token: str) -> str:
    """Give what is kept of a token."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
