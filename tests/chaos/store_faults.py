"""Faults of files that belong to the whole home."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.chaos.damage import append, damage, overwrite, truncate

if TYPE_CHECKING:
    from tests.chaos.ground import Ground


def tear_store(ground: Ground) -> str | None:
    """Damage the task records, which JSON shows, while no server runs."""
    path = ground.home.store_file
    if ground.server() is not None or not path.exists() or not _older_knows_all(ground):
        return None
    ground.store_torn.set()
    way = ground.random.choice((truncate, overwrite, append))
    return f"{path.name} {way(path, ground.random)}"


def _older_knows_all(ground: Ground) -> bool:
    """Tell whether the older generation has every task: the newest one is not in it at once."""
    older = ground.home.store_file.with_name("tasks.json.old")
    try:
        content = json.loads(older.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    known = {record["id"] for record in content.get("tasks", {}).values()}
    return known >= set(ground.tasks)


def damage_calibrations(ground: Ground) -> str | None:
    """Damage what earlier runs have measured."""
    path = ground.home.calibrations
    return damage(path, ground.random) if path.exists() else None
