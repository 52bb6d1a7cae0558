"""``loradeck doctor``: looks at the installation and says what to mend. Loads none of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.doctor.engine_state import check_engine
from engine.doctor.home_folder import check_home_folder
from engine.doctor.installation import check_installation
from engine.doctor.leftovers import check_leftovers
from engine.doctor.machine import check_machine
from engine.doctor.records import check_records
from engine.doctor.session import check_session

if TYPE_CHECKING:
    from engine.doctor.check import Check
    from engine.home import Home


def check(home: Home) -> list[Check]:
    """Look at everything that a training needs; changes nothing."""
    return [
        *check_installation(),
        *check_machine(home),
        *check_home_folder(home),
        check_engine(home),
        *check_records(home),
        *check_leftovers(home),
        *check_session(),
    ]
