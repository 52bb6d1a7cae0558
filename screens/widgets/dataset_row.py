"""The first step: the dataset, what was found in it, and what will be left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from engine.language import listed, tr, trn
from screens.looking import rows_words
from screens.widgets.findings import counted, nothing_text
from screens.widgets.step_row import StepRow

if TYPE_CHECKING:
    from engine.data.types import Inspection


class DatasetRow(StepRow):
    """A chosen dataset with type and rows; beneath, its findings and the keys that mend them."""

    def put_dataset(self, inspection: Inspection, *, leave_out: bool) -> None:
        """Show a dataset that was looked at."""
        name = inspection.path.rstrip("/").rsplit("/", 1)[-1]
        detail = listed((inspection.dataset_type, rows_words(inspection.rows)))
        notes = (
            _counts(inspection),
            *_faulty(inspection, leave_out=leave_out),
            Content.styled(tr("e opens the rows"), "$muted"),
        )
        if inspection.can_train or leave_out:
            self.put("chosen", name, detail, notes=notes)
            return
        errors = [found.message for found in inspection.findings if found.level == "error"]
        self.put("problem", name, detail, "\n".join(errors), notes)


def _counts(inspection: Inspection) -> Content:
    """Count the findings of each level."""
    counts = [Content.styled(words, style) for words, style in counted(inspection.findings)]
    return Content("  ").join(counts) if counts else nothing_text()


def _faulty(inspection: Inspection, *, leave_out: bool) -> list[Content]:
    """Say how many rows cannot train and what becomes of them."""
    count = inspection.faulty
    if not count:
        return []
    shown = f"{count:,}"
    words = trn("{shown} row is left out", "{shown} rows are left out", count, shown=shown)
    left_out = Content.styled(words, "$text-warning")
    if inspection.can_train:  # so few that the engine does not ask
        return [left_out]
    if leave_out:
        return [left_out, Content.styled(tr("x takes them in"), "$muted")]
    words = trn("{shown} row cannot train", "{shown} rows cannot train", count, shown=shown)
    offer = [Content.styled(tr("x leaves them out"), "$text-accent")] * (count < inspection.rows)
    return [Content.styled(words, "$text-error"), *offer]
