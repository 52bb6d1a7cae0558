"""Spoils GGUF files as careless converters do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from gguf import GGUFReader, GGUFValueType, GGUFWriter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HEADS, KV_HEADS = 4, 2
Matrix = "np.ndarray[Any, Any]"
_SKIPPED = ("GGUF.", "general.architecture")


def spoil(
    file: Path,
    to: Path,
    *,
    without: str = "",
    settings: dict[str, Any] | None = None,
    change: Callable[[str, Any], Any] = lambda _, data: data,
) -> Path:
    """Write a file again with other metadata or weights.

    Args:
        file: A whole one, in f32.
        to: Where to write to.
        without: A key to leave out.
        settings: Values for keys that are there.
        change: Gives a tensor's other data, by its name.
    """
    reader = GGUFReader(file)
    writer = GGUFWriter(to, "llama")
    for name, field in reader.fields.items():
        if name.startswith(_SKIPPED) or name == without:
            continue
        value = (settings or {}).get(name, field.contents())
        inner = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
        writer.add_key_value(name, value, field.types[0], sub_type=inner)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, np.ascontiguousarray(change(tensor.name, tensor.data)))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return to


def unpermuted(name: str, data: Any) -> Any:
    """Put the rows of queries and keys back as transformers has them, which llama.cpp has not."""
    heads = {"attn_q": HEADS, "attn_k": KV_HEADS}.get(name.split(".")[-2])
    if heads is None:
        return data
    rows, columns = data.shape
    halves = data.reshape(heads, rows // heads // 2, 2, columns)
    return halves.swapaxes(1, 2).reshape(rows, columns)
