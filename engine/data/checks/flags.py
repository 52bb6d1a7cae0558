"""Which rows bear which findings."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from engine.data.checks.words import WORDS
from engine.data.faults import FAULTS, finding
from engine.language import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.data.faults import FaultyRowError
    from engine.data.types import Finding


class Flags:
    """Collects row numbers by code, four bytes each; gives findings at any time."""

    def __init__(self) -> None:
        self.rows: dict[str, array[int]] = {}
        self._details: dict[str, str] = {}

    def add(self, code: str, row: int, detail: str) -> None:
        """Flag a row; rows come in ascending order."""
        rows = self.rows.get(code)
        if rows is None:
            rows = self.rows[code] = array("I")
            self._details[code] = detail
        rows.append(row)

    def add_fault(self, row: int, fault: FaultyRowError) -> None:
        """Flag a row that cannot train."""
        self.add(fault.code, row, fault.detail)

    def replace(self, rows: Mapping[str, array[int]]) -> None:
        """Set the rows of the codes that are found by comparing rows, each time anew."""
        for code, numbers in rows.items():
            self.rows.pop(code, None)
            if numbers:
                self.rows[code] = numbers

    @property
    def faulty(self) -> int:
        """Rows that cannot train: a row has one fault at most."""
        return sum(len(rows) for code, rows in self.rows.items() if code in FAULTS)

    def findings(self) -> list[Finding]:
        """Word what was found so far, errors first."""
        faults = [code for code in self.rows if code in FAULTS]
        others = [code for code in WORDS if code in self.rows]
        return [*map(self._fault, faults), *map(self._advice, others)]

    def _fault(self, code: str) -> Finding:
        """Word a fault."""
        words, rows = FAULTS[code], self.rows[code]
        headline, hint = tr(words.headline), tr(words.hint)
        return finding("error", code, rows, headline, hint, self._details[code])

    def _advice(self, code: str) -> Finding:
        """Word a warning or a note."""
        words, rows = WORDS[code], self.rows[code]
        detail = self._details.get(code, "")
        return finding(words.level, code, rows, tr(words.headline), tr(words.hint), detail)
