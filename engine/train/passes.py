"""Runs rows through the model, forward and backward, in passes of so many tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn.utils.rnn import pad_sequence

from engine.data.render import NOT_TRAINED
from engine.train.heads import find_head, head_loss, head_score
from engine.train.micro_batches import split
from engine.train.packing import borders, on_device
from engine.train.shapes import room_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from peft import PeftModel
    from torch import Tensor

    from engine.train.rows import Row


class Passes:
    """Computes losses and gradients of rows, however many passes that takes.

    A step's loss is the mean over all its trained tokens: how its rows are shared out among
    passes changes nothing but rounding.

    Args:
        model: A PEFT model whose base TRL has given its fused head.
        budget: Tokens in one pass; a longer row goes alone.
        packed: Whether rows lie end to end in a pass; else they are padded at their end, which
            causal models do not see.
    """

    def __init__(self, model: PeftModel, budget: int, *, packed: bool) -> None:
        self.budget, self.packed = budget, packed
        self._base = model.get_base_model()
        self._head = find_head(self._base)

    def backward(self, rows: Sequence[Row], run: Callable[[Tensor], None]) -> Tensor:
        """Add the gradients of the rows' mean loss to the adapter's.

        Args:
            run: Runs the backward pass of one loss.

        Returns:
            The mean loss over the rows' trained tokens, detached.
        """
        trained = sum(row.trained for row in rows)
        total = torch.zeros((), device=self._base.device)
        for some in self._split(rows):
            loss = self.loss(some) / trained
            run(loss)
            total += loss.detach()
        return total

    def evaluate(self, rows: Iterable[Row], at_once: int) -> tuple[float, int]:
        """Give the mean loss over the trained tokens of many rows, and how many tokens they have.

        Args:
            at_once: Rows that are taken from ``rows`` before they are shared out.
        """
        total = torch.zeros((), device=self._base.device)
        trained = tokens = 0
        with torch.no_grad():
            for chunk in _chunks(rows, at_once):
                for some in self._split(chunk):
                    total += self.loss(some)
                trained += sum(row.trained for row in chunk)
                tokens += sum(len(row.input_ids) for row in chunk)
        return float(total) / trained, tokens

    def score(self, rows: Sequence[Row], before_each: Callable[[], None]) -> tuple[float, float]:
        """Give the mean loss over the trained tokens, and the share of them found the likeliest.

        Args:
            before_each: Called before each pass; may raise.
        """
        total = torch.zeros((), device=self._base.device)
        likeliest = torch.zeros((), device=self._base.device, dtype=torch.long)
        with torch.no_grad():
            for some in self._split(rows):
                before_each()
                loss, found = head_score(self._base, self._head, *self._inputs(some))
                total += loss
                likeliest += found
        trained = sum(row.trained for row in rows)
        return float(total) / trained, int(likeliest) / trained

    def loss(self, rows: Sequence[Row]) -> Tensor:
        """Sum the loss over the trained tokens of one pass."""
        return head_loss(self._base, self._head, *self._inputs(rows))

    def _inputs(self, rows: Sequence[Row]) -> tuple[dict[str, Any], Tensor]:
        """Lay out the rows of one pass on the model's device."""
        inputs, targets = self._pack(rows) if self.packed else _pad(rows)
        device = self._base.device
        return on_device(inputs, device), targets.to(device)

    def _split(self, rows: Sequence[Row]) -> Iterator[list[Row]]:
        """Share rows out among passes."""
        lengths = [len(row.input_ids) for row in rows]
        for indexes in split(lengths, self.budget, packed=self.packed):
            yield [rows[index] for index in indexes]

    def _pack(self, rows: Sequence[Row]) -> tuple[dict[str, Any], Tensor]:
        """Lay rows end to end, and say to the attention where each begins.

        What fills them up to a size that was met before is a row of its own, of which nothing is
        trained.
        """
        lengths = [len(row.input_ids) for row in rows]
        tokens = sum(lengths)
        if rest := room_for(tokens, self._base.get_input_embeddings().weight) - tokens:
            lengths.append(rest)
        inputs = borders(lengths, str(self._base.config._attn_implementation))
        inputs["input_ids"] = _filled([row.input_ids for row in rows], rest, 0)
        return inputs, _filled([row.targets for row in rows], rest, NOT_TRAINED)


def _filled(parts: Sequence[Tensor], rest: int, value: int) -> Tensor:
    """Lay tensors end to end, with so many values behind them: (1, tokens)."""
    return torch.cat([*parts, torch.full((rest,), value)])[None]


def _pad(rows: Sequence[Row]) -> tuple[dict[str, Any], Tensor]:
    """Lay rows beneath each other; whatever stands after a row's end is not seen by its tokens."""
    input_ids = pad_sequence([row.input_ids for row in rows], batch_first=True)
    targets = pad_sequence(
        [row.targets for row in rows], batch_first=True, padding_value=NOT_TRAINED
    )
    return {"input_ids": input_ids}, targets


def _chunks(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """Take rows in lists of a size; the last may be shorter."""
    chunk: list[Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
