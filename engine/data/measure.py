"""Measure a dataset in a process of its own, which a hostile chat template can neither stall
nor bloat."""

from __future__ import annotations

import asyncio
import math
from contextlib import aclosing
from typing import TYPE_CHECKING

from engine.data.child_process import ChildDiedError, ask
from engine.data.child_wire import Request
from engine.data.words import shown
from engine.errors import LoraDeckError
from engine.language import tr

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from engine.data.types import Inspection, Lengths

TIMEOUT = 60.0
_MEMORY = 4 * 1024**3
"""Bytes; far more than is used, since files mapped into memory count."""
_SPARE_SECONDS = 5
"""How much later than the parent's clock the kernel's limit strikes, should the parent be gone."""


async def measure_in_process(
    dataset: Path,
    model_folder: Path,
    timeout: float = TIMEOUT,  # noqa: ASYNC109 - kills a process
    *,
    cache: Path | None = None,
    inspection: Inspection | None = None,
    mapping: Mapping[str, str] | None = None,
    context: int | None = None,
) -> Lengths:
    """Measure as ``engine.data.lengths.measure`` does, within limits of time and memory.

    Args:
        dataset: The dataset file or folder.
        model_folder: A base model's folder.
        timeout: Seconds after which the process is killed; it is killed when cancelled, too.
        cache: The home's cache folder: the sample that a scan left there is measured.
        inspection: Of this dataset, where it is known; its sample is found without a look at
            the file.
        mapping: Which column holds which field, where the user said so.
        context: Tokens that the model can read.

    Raises:
        LoraDeckError: What scanning and measuring raise, or a limit was reached.
    """
    request = Request(
        do="measure",
        path=str(dataset),
        mapping=dict(mapping) if mapping else None,
        cache=str(cache) if cache else None,
        model_folder=str(model_folder),
        context=context,
        inspection=inspection,
        seconds=math.ceil(timeout) + _SPARE_SECONDS,
        address_space=_MEMORY,
        data=_MEMORY,
    )
    try:
        async with asyncio.timeout(timeout), aclosing(ask(request, timeout)) as lines:
            async for line in lines:
                if line.failure is not None:
                    raise line.failure.error()
                if line.lengths is not None:
                    return line.lengths
    except TimeoutError:
        raise _gave_up(
            dataset, model_folder, tr("did not end within {timeout:g} s", timeout=timeout)
        ) from None
    except ChildDiedError as error:
        raise _gave_up(dataset, model_folder, str(error)) from None
    raise _gave_up(dataset, model_folder, tr("gave no answer"))


def _gave_up(dataset: Path, model_folder: Path, reason: str) -> LoraDeckError:
    """Say that the tokens could not be counted."""
    return LoraDeckError(
        tr("Dataset could not be measured"),
        tr(
            "Counting the tokens of {dataset} with the chat template and tokenizer of "
            "{model} {reason}.",
            dataset=shown(dataset),
            model=shown(model_folder),
            reason=reason,
        ),
        tr(
            "The model's chat template may be faulty, or a row far too long: choose "
            "another base model, or split the longest rows."
        ),
    )
