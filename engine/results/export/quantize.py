"""Makes a coarser GGUF file of a whole one, in a process that has ggml's own kernels."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from engine.errors import LoraDeckError
from engine.language import tr
from engine.models.disk import size_while_written
from engine.results.export.child import last_words, run_child

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def quantize(whole: Path, coarse: Path, kind: str, tell: Callable[[float], None]) -> None:
    """Write a quantized file.

    Args:
        whole: A file in f16, bf16 or f32.
        coarse: Where to write to.
        kind: A K-quant, as ``q4_k_m``.
        tell: Called with the share that is done.

    Raises:
        LoraDeckError: It failed.
    """
    command = [sys.executable, "-P", "-m", "engine.results.export.quantize_process"]
    before = size_while_written(whole.parent)

    def tick() -> None:
        tell((size_while_written(whole.parent) - before) / (whole.stat().st_size / 2))

    code, said = run_child([*command, str(whole), str(coarse), kind], tick)
    if code:
        words = f"{kind}: {last_words(code, said)}"
        raise LoraDeckError(tr("Not quantized"), words, tr("What it said is in the job's log."))
