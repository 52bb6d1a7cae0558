"""The faults, by name: one function each, which tells what it did or that it could not now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.chaos import client_faults, disk_faults, process_faults, store_faults, task_faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.chaos.ground import Ground

FILL_DISK = "fill-disk"


@dataclass(frozen=True)
class Fault:
    """One kind of fault."""

    inject: Callable[[Ground], str | None]
    """Does it and says what; ``None`` where this is not the moment for it."""
    weight: int = 2
    """How often it is drawn, beside the others."""


FAULTS: dict[str, Fault] = {
    "kill-server": Fault(process_faults.kill_server, 8),
    "end-server": Fault(process_faults.end_server, 4),
    "kill-worker": Fault(process_faults.kill_worker, 4),
    "kill-worker-saving-checkpoint": Fault(process_faults.kill_worker_saving_checkpoint, 5),
    "kill-worker-saving-adapter": Fault(process_faults.kill_worker_saving_adapter, 12),
    "end-worker": Fault(process_faults.end_worker, 3),
    "stop-worker": Fault(process_faults.stop_worker, 4),
    "cut-power": Fault(process_faults.cut_power, 4),
    "second-server": Fault(process_faults.second_server, 1),
    "second-worker": Fault(process_faults.second_worker, 2),
    "kill-client": Fault(client_faults.kill_client, 1),
    "pause-task": Fault(client_faults.pause_task, 3),
    "cancel-task": Fault(client_faults.cancel_task, 3),
    "move-task": Fault(client_faults.move_task, 1),
    "deaf-client": Fault(client_faults.deaf_client, 1),
    "garbage": Fault(client_faults.garbage, 2),
    "remove-socket": Fault(client_faults.remove_socket, 2),
    FILL_DISK: Fault(disk_faults.fill_disk, 3),
    "tear-store": Fault(store_faults.tear_store, 8),
    "damage-calibrations": Fault(store_faults.damage_calibrations, 1),
    "tear-journal": Fault(task_faults.tear_journal, 12),
    "soil-journal": Fault(task_faults.soil_journal, 12),
    "damage-checkpoint": Fault(task_faults.damage_checkpoint, 12),
    "damage-adjustments": Fault(task_faults.damage_adjustments, 6),
    "damage-cache": Fault(task_faults.damage_cache, 8),
}
