"""Parts of a dataset that lie beside the rows that are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.data.types import Finding
from engine.data.words import brief
from engine.language import listed, tr

if TYPE_CHECKING:
    from engine.data.containers.source import Source


def other_splits(source: Source) -> list[Finding]:
    """Note that a folder has splits which are not trained on."""
    names = listed(map(brief, source.other_splits))
    if not names:
        return []
    return [
        Finding(
            level="note",
            code="other-splits",
            message=tr("The folder also has rows for {names}, which are left aside.", names=names),
            hint=tr("To train on one of these, choose its file or folder."),
            count=0,
            rows=(),
        )
    ]
