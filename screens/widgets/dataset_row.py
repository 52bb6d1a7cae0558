"""The first step: the dataset, what was found in it, and what will be left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work
from textual.content import Content
from textual.message import Message

from engine.errors import LoraDeckError
from engine.language import listed, tr, trn
from screens.base import ShowsFailures
from screens.draft import ChosenDataset
from screens.format import refusal_words
from screens.looking import look_at, progress_words, rows_words
from screens.widgets.findings import counted, nothing_text
from screens.widgets.step_row import StepRow

if TYPE_CHECKING:
    from engine.data.types import Inspection
    from screens.session import Session


class DatasetRow(ShowsFailures, StepRow):
    """The dataset with type and rows; beneath, its findings and the keys that mend them.

    Args:
        session: The dashboard's session.
    """

    class Taken(Message):
        """A dataset was read."""

    class Refused(Message):
        """A dataset cannot be taken; none is chosen any more."""

    def __init__(self, session: Session, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(tr("Dataset"), tr("Enter, or paste a path"), id=id)
        self._session = session
        self.dataset: ChosenDataset | None = None
        self.leave_out = False
        """Whether the rows that cannot train are to be left out, however many they are."""

    def take(self, dataset: ChosenDataset, *, leave_out: bool = False) -> None:
        """Take a dataset that was looked at; faulty rows stay left out if it is the same one."""
        same = self.dataset and self.dataset.inspection.path == dataset.inspection.path
        self.leave_out = leave_out or bool(same and self.leave_out)
        self.dataset = dataset
        self._show(dataset.inspection)

    def read(self, path: str, mapping: dict[str, str], *, leave_out: bool = False) -> None:
        """Look at a dataset and take it; what is wrong with it is said here."""
        self.put("working", path.rsplit("/", 1)[-1])
        self._read(path, mapping, leave_out=leave_out)

    @work(group="dataset", exclusive=True, exit_on_error=False)
    async def _read(self, path: str, mapping: dict[str, str], *, leave_out: bool) -> None:
        """Look at a dataset, with the progress."""
        name = path.rsplit("/", 1)[-1]
        try:
            inspection = await look_at(
                self._session, path, mapping,
                lambda far: self.put("working", name, progress_words(far)),
            )  # fmt: skip
        except LoraDeckError as error:
            self.dataset = None
            self.put("problem", name, problem=refusal_words(error))
            self.post_message(self.Refused())
        else:
            self.take(ChosenDataset(inspection, mapping), leave_out=leave_out)
            self.post_message(self.Taken())

    def toggle_leave_out(self) -> bool:
        """Leave the faulty rows out, or take them in again; tell whether that can be."""
        found = self.dataset.inspection if self.dataset else None
        if found is None or not found.faulty:
            self.notify(tr("No row is known that cannot train."), markup=False)
        elif found.can_train and not self.leave_out:
            words = tr("Rows that cannot train are so few that they are left out.")
            self.notify(words, markup=False)
        elif found.faulty >= found.rows:
            self.notify(tr("No row would be left."), severity="warning", markup=False)
        else:
            self.leave_out = not self.leave_out
            self._show(found)
            return True
        return False

    def _show(self, inspection: Inspection) -> None:
        """Show a dataset that was looked at."""
        name = inspection.path.rstrip("/").rsplit("/", 1)[-1]
        detail = listed((inspection.dataset_type, rows_words(inspection.rows)))
        notes = (
            _counts(inspection),
            *_faulty(inspection, leave_out=self.leave_out),
            Content.styled(tr("e opens the rows"), "$muted"),
        )
        if inspection.can_train or self.leave_out:
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
