"""The rows of one optimizer step, as they come from the encoded dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from engine.data.render import NOT_TRAINED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


@dataclass(frozen=True)
class Row:
    """One encoded row."""

    number: int
    """Its place in the dataset file, counted from 1."""
    input_ids: Tensor
    """(tokens)"""
    targets: Tensor
    """(tokens), for each token the one to be predicted next, or ``NOT_TRAINED``."""

    @classmethod
    def of(cls, record: dict[str, Any]) -> Row:
        """Take a row of the encoded dataset; its labels are the tokens themselves."""
        labels = torch.tensor(record["labels"])
        following = torch.cat((labels[1:], labels.new_tensor([NOT_TRAINED])))
        return cls(record["row"], torch.tensor(record["input_ids"]), following)

    @property
    def trained(self) -> int:
        """Count the tokens that the loss is computed on."""
        return int((self.targets != NOT_TRAINED).sum())


@dataclass(frozen=True)
class StepRows:
    """The rows of one step; accelerate passes an object that it does not know on as it is."""

    rows: tuple[Row, ...]


def collate(records: Sequence[dict[str, Any]]) -> dict[str, StepRows]:
    """Give the rows of a step to the trainer untouched: it batches them by their tokens."""
    return {"step": StepRows(tuple(map(Row.of, records)))}
