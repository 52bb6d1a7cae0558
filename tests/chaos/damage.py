"""Ways in which a file can be damaged."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random


def damage(path: Path, random: Random, *, removable: bool = True) -> str:
    """Damage a file in one way or another, and say in which."""
    ways = [truncate, flip, overwrite, append, *([remove] if removable else [])]
    return f"{path.name} {random.choice(ways)(path, random)}"


def truncate(path: Path, random: Random) -> str:
    """Cut a file off anywhere, also before its first byte."""
    size = path.stat().st_size
    length = random.randrange(size) if size else 0
    os.truncate(path, length)
    return f"cut off after {length} of {size} bytes"


def flip(path: Path, random: Random) -> str:
    """Change one bit; the size stays."""
    content = bytearray(path.read_bytes())
    if not content:
        return "is empty and stays so"
    place = random.randrange(len(content))
    content[place] ^= 1 << random.randrange(8)
    path.write_bytes(content)
    return f"has another bit in byte {place}"


def overwrite(path: Path, random: Random) -> str:
    """Put noise in a file's place, which is hardly any text in UTF-8."""
    path.write_bytes(random.randbytes(random.randrange(1, 300)))
    return "overwritten with noise"


def append(path: Path, random: Random) -> str:
    """Add noise, or the zeros that a file system leaves where power went, to a file's end."""
    size = random.randrange(1, 300)
    noise = random.choice((bytes(size), random.randbytes(size)))
    with path.open("ab") as file:
        file.write(noise)
    return f"has {size} bytes more"


def remove(path: Path, _: Random) -> str:
    """Remove a file."""
    path.unlink()
    return "removed"
