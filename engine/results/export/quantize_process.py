"""The process that quantizes a GGUF file: ``python -m engine.results.export.quantize_process``.

``gguf`` reads and writes the file; the numbers go through ggml's own kernels, which xllamacpp's
library exports. llama.cpp's function for whole files is not among what it exports.
"""

from __future__ import annotations

import ctypes
import importlib.util
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from gguf import GGUFReader, GGUFValueType, GGUFWriter, dequantize, quant_shape_to_byte_shape

from engine.results.export.mixture import FILE_TYPES, Mixture

if TYPE_CHECKING:
    from gguf import GGMLQuantizationType, ReaderTensor

_OF_THE_FILE = frozenset(
    {"GGUF.version", "GGUF.tensor_count", "GGUF.kv_count", "general.architecture"}
)
_ROWS_AT_ONCE = 4096
_VERSION = 2  # of ggml's quantization formats

Kernel = Callable[["np.ndarray[Any, Any]", "GGMLQuantizationType"], "np.ndarray[Any, Any]"]
"""Takes rows of float32 and a type, and gives the rows' bytes."""


def quantize_file(whole: Path, coarse: Path, kind: str, kernel: Kernel) -> None:
    """Write a file again with coarser weights; one tensor at a time is in memory."""
    reader = GGUFReader(whole)
    architecture = str(reader.fields["general.architecture"].contents())
    writer = GGUFWriter(coarse, architecture)
    _copy_settings(reader, writer)
    writer.add_file_type(FILE_TYPES[kind])
    writer.add_quantization_version(_VERSION)
    mixture = _mixture(reader, architecture, kind)
    types = {
        one.name: mixture.type_of(one.name, tuple(map(int, one.shape))) for one in reader.tensors
    }
    for tensor in reader.tensors:
        _announce(writer, tensor, types[tensor.name])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for tensor in reader.tensors:
        wanted = types[tensor.name]
        writer.write_tensor_data(
            tensor.data if wanted is None else _coarser(tensor, wanted, kernel)
        )
    writer.close()


def load_kernel() -> Kernel:
    """Load ggml's function that quantizes rows.

    Raises:
        OSError: The library cannot be loaded.
        AttributeError: It exports no such function.
    """
    spec = importlib.util.find_spec("xllamacpp")
    assert spec is not None  # noqa: S101 - who starts this process has looked
    assert spec.origin is not None  # noqa: S101
    library = ctypes.CDLL(str(next(Path(spec.origin).parent.glob("xllamacpp*.so"))))
    chunk = library.ggml_quantize_chunk
    size, pointer = ctypes.c_int64, ctypes.c_void_p
    chunk.argtypes = [ctypes.c_int, pointer, pointer, size, size, size, pointer]
    chunk.restype = ctypes.c_size_t

    def kernel(rows: np.ndarray[Any, Any], kind: GGMLQuantizationType) -> np.ndarray[Any, Any]:
        out = np.empty(quant_shape_to_byte_shape(rows.shape, kind), np.uint8)
        place = rows.ctypes.data, out.ctypes.data
        chunk(kind.value, *place, 0, rows.shape[0], rows.shape[1], None)
        return out

    return kernel


def _copy_settings(reader: GGUFReader, writer: GGUFWriter) -> None:
    """Copy the metadata, but for what this file has of its own."""
    own = _OF_THE_FILE | {"general.file_type", "general.quantization_version"}
    for name, field in reader.fields.items():
        if name in own:
            continue
        kind = field.types[0]
        inner = field.types[-1] if kind == GGUFValueType.ARRAY else None
        writer.add_key_value(name, field.contents(), kind, sub_type=inner)


def _mixture(reader: GGUFReader, architecture: str, kind: str) -> Mixture:
    """Read what the mixture depends on."""

    def number(key: str) -> int:
        field = reader.fields.get(f"{architecture}.{key}")
        value = field.contents() if field else 1
        return int(max(value) if isinstance(value, list) else value)

    heads, shared = number("attention.head_count"), number("attention.head_count_kv")
    return Mixture(
        kind=kind,
        layers=number("block_count"),
        grouped=heads // max(1, shared),
        has_output=any(one.name == "output.weight" for one in reader.tensors),
    )


def _announce(
    writer: GGUFWriter, tensor: ReaderTensor, wanted: GGMLQuantizationType | None
) -> None:
    """Put a tensor into the file's table."""
    shape = tuple(int(size) for size in reversed(tensor.shape))
    kind = tensor.tensor_type if wanted is None else wanted
    size = math.prod(quant_shape_to_byte_shape(shape, kind))
    if wanted is None:
        size = tensor.n_bytes
    writer.add_tensor_info(tensor.name, shape, np.dtype(np.float32), size, raw_dtype=kind)


def _coarser(
    tensor: ReaderTensor, wanted: GGMLQuantizationType, kernel: Kernel
) -> np.ndarray[Any, Any]:
    """Quantize a tensor, some rows at a time."""
    rows = tensor.data.reshape(-1, tensor.data.shape[-1])
    parts = []
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        some = dequantize(rows[first : first + _ROWS_AT_ONCE], tensor.tensor_type)
        parts.append(kernel(np.ascontiguousarray(some, np.float32), wanted))
    return np.concatenate(parts)


def main(whole: str, coarse: str, kind: str) -> None:
    """Quantize what the command line names; the last line says why it failed."""
    quantize_file(Path(whole), Path(coarse), kind, load_kernel())


if __name__ == "__main__":
    main(*sys.argv[1:])
