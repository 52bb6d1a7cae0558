"""Faults of files that belong to the whole home."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.chaos.damage import append, damage, overwrite, remove, truncate

if TYPE_CHECKING:
    from tests.chaos.ground import Ground

_BOTH = 0.3
"""How often the older generation is damaged too: then the task folders alone know."""


def tear_store(ground: Ground) -> str | None:
    """Damage the task records, which JSON shows, while no server runs."""
    path = ground.home.store_file
    if ground.server() is not None or not path.exists():
        return None
    ground.store_torn.set()
    way = ground.random.choice((truncate, overwrite, append, remove))
    older = path.with_name(path.name + ".old")
    both = ground.random.random() < _BOTH and older.exists()
    told = [f"{one.name} {way(one, ground.random)}" for one in (path, *([older] if both else []))]
    return " and ".join(told)


def damage_calibrations(ground: Ground) -> str | None:
    """Damage what earlier runs have measured."""
    path = ground.home.calibrations
    return damage(path, ground.random) if path.exists() else None
