"""A card that is not here, by its name or its numbers."""

from __future__ import annotations

import difflib
import re
from functools import cache

from engine.errors import LoraDeckError
from engine.language import mark, tr
from engine.plan.cards import CARDS, Card
from engine.plan.nvidia import BF16_SINCE
from engine.plan.types import Device
from engine.text import either, visible

_GIB = 2**30
_RESERVED = 300_000_000
"""What the driver and a quiet desktop hold; a run's own context is counted by the plan."""
_ECC_SHARE = 16
"""Cards with error correction and no HBM (T4, A10, L4, L40S) give a sixteenth of their memory."""
_MOST_MEMORY = 1024
_CAPABILITIES = ((3, 0), (15, 0))
_MEMORY = re.compile(r"(?<![a-z\d.])(\d+(?:\.\d+)?)\s*(?:gib|gb|g)\b")
_IGNORED = re.compile(
    r"nvidia|geforce|\bamd\b|\bradeon (?=rx)|tesla|instinct|\bgpu\b|\bgraphics\b|generation"
    r"|sxm\d?|pcie|hbm\d?e?|max-q|\boam\b"
)
_SYNONYMS = (("mobile", "laptop"), ("notebook", "laptop"))
_FORM = mark("For any other card give its numbers: --device memory=24GB,capability=8.9")


def named_device(text: str) -> Device:
    """Make a card from what the user wrote.

    Args:
        text: A card's name, with its memory where it is sold with several (``RTX 3060 6GB``);
            or ``memory=24GB,capability=8.9``.

    Raises:
        LoraDeckError: The card is unknown (the nearest ones are named), or a number absurd.
    """
    wanted = visible(text).strip()
    if "=" in wanted:
        return _from_numbers(wanted)
    spelled = wanted.lower().replace("_", " ")
    memory = _MEMORY.search(spelled)
    card = _find(_MEMORY.sub(" ", spelled))
    if card is None:
        raise _unknown(wanted)
    size = float(memory[1]) if memory else float(card.memory)
    if not card.memory / 4 <= size <= card.memory * 4:
        raise _absurd(
            wanted,
            tr(
                "a {name} has {memory} GB, not {size:g}",
                name=card.name,
                memory=card.memory,
                size=size,
            ),
        )
    name = f"{card.name} {size:g}GB"
    return _device(name, size, card.capability, amd_bf16=card.bf16)


@cache
def known_cards() -> tuple[Device, ...]:
    """Make a device of every card of the table, with the memory that it is sold with most."""
    return tuple(
        _device(f"{card.name} {card.memory}GB", card.memory, card.capability, amd_bf16=card.bf16)
        for card in CARDS
    )


def _from_numbers(text: str) -> Device:
    """Make a device from ``memory=24GB,capability=8.9``."""
    values = {}
    for pair in text.split(","):
        key, _, value = pair.partition("=")
        values[key.strip().lower()] = value.strip().lower()
    if values.keys() != {"memory", "capability"}:
        raise LoraDeckError(
            tr("Device not understood"),
            tr("'{text}' does not give memory and capability.", text=text),
            tr(_FORM),
        )
    memory = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)\s*(?:gib|gb|g)?", values["memory"])
    capability = re.fullmatch(r"(\d{1,2})\.(\d)", values["capability"])
    if not memory or not capability:
        wrong = "memory" if not memory else "capability"
        raise LoraDeckError(
            tr("Device not understood"),
            tr("{key}={value} is no such number.", key=wrong, value=values[wrong]),
            tr(_FORM),
        )
    return _device(text, float(memory[1]), (int(capability[1]), int(capability[2])))


def _device(
    name: str, size: float, capability: tuple[int, int] | None, *, amd_bf16: bool = False
) -> Device:
    """Make the device, with what such a card has free at best."""
    if not 1 <= size <= _MOST_MEMORY:
        raise _absurd(name, tr("no card has {size:g} GB of memory", size=size))
    if capability is not None and not _CAPABILITIES[0] <= capability <= _CAPABILITIES[1]:
        raise _absurd(
            name,
            tr(
                "there is no compute capability {capability}",
                capability=".".join(map(str, capability)),
            ),
        )
    total = int(size * _GIB)
    return Device(
        kind="cuda",
        name=name,
        memory_total=total,
        memory_free=total - total // _ECC_SHARE - _RESERVED,
        bf16=amd_bf16 if capability is None else capability[0] >= BF16_SINCE,
        capability=capability,
        features=("rocm",) if capability is None else (),
        hypothetical=True,
    )


def _find(spelled: str) -> Card | None:
    """Find the card whose name is the same letters and digits."""
    wanted = card_key(spelled)
    return next((card for card in CARDS if card_key(card.name) == wanted), None)


def card_key(name: str) -> str:
    """Reduce a name to what tells cards apart: letters and digits, without makers and sockets."""
    spelled = _IGNORED.sub(" ", name.lower())
    for theirs, ours in _SYNONYMS:
        spelled = spelled.replace(theirs, ours)
    return re.sub(r"[^a-z\d]", "", spelled)


def _unknown(text: str) -> LoraDeckError:
    """Name the cards that come nearest to one that is not in the table."""
    keys = {card_key(card.name): card.name for card in CARDS}
    near = difflib.get_close_matches(
        card_key(_MEMORY.sub(" ", text.lower())), keys, n=3, cutoff=0.5
    )
    meant = ""
    if near:
        meant = " " + tr("Did you mean {names}?", names=either(keys[key] for key in near))
    shown = text if len(text) <= 60 else f"{text[:60]}…"
    return LoraDeckError(
        tr("Unknown card"),
        tr("There is no card '{shown}' in the table.", shown=shown) + meant,
        tr(_FORM),
    )


def _absurd(text: str, why: str) -> LoraDeckError:
    """Refuse numbers that no card has."""
    return LoraDeckError(tr("Device not understood"), f"'{text[:60]}': {why}.", tr(_FORM))
