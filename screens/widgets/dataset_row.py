"""The first step: the dataset, what was found in it, and what will be left out."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from textual.content import Content

from screens.format import LEVELS
from screens.widgets.findings import TONES
from screens.widgets.step_row import StepRow

if TYPE_CHECKING:
    from engine.data.types import Inspection


class DatasetRow(StepRow):
    """A chosen dataset with type and rows; beneath, its findings and the keys that mend them."""

    def put_dataset(self, inspection: Inspection, *, leave_out: bool) -> None:
        """Show a dataset that was looked at."""
        name = inspection.path.rstrip("/").rsplit("/", 1)[-1]
        plural = "" if inspection.rows == 1 else "s"
        detail = f"{inspection.dataset_type}, {inspection.rows:,} row{plural}"
        notes = (
            _counts(inspection),
            *_faulty(inspection, leave_out=leave_out),
            Content.styled("e opens the rows", "$muted"),
        )
        if inspection.can_train or leave_out:
            self.put("chosen", name, detail, notes=notes)
            return
        errors = [found.message for found in inspection.findings if found.level == "error"]
        self.put("problem", name, detail, "\n".join(errors), notes)


def _counts(inspection: Inspection) -> Content:
    """Count the findings of each level."""
    counts: Counter[str] = Counter(found.level for found in inspection.findings)
    parts = []
    for level, sign in LEVELS.items():
        if count := counts.get(level):
            words = f"{sign.glyph} {count} {sign.word}{'s' * (count > 1)}"
            parts.append(Content.styled(words, TONES[sign.tone]))
    if not parts:
        return Content.styled("✓ nothing to object to", "$text-success")
    return Content("  ").join(parts)


def _faulty(inspection: Inspection, *, leave_out: bool) -> list[Content]:
    """Say how many rows cannot train and what becomes of them."""
    count = inspection.faulty
    if not count:
        return []
    rows = f"{count:,} row{'' if count == 1 else 's'}"
    left_out = Content.styled(f"{rows} {'is' if count == 1 else 'are'} left out", "$text-warning")
    if inspection.can_train:  # so few that the engine does not ask
        return [left_out]
    if leave_out:
        return [left_out, Content.styled("x takes them in", "$muted")]
    offer = [Content.styled("x leaves them out", "$text-accent")] * (count < inspection.rows)
    return [Content.styled(f"{rows} cannot train", "$text-error"), *offer]
