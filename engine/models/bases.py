"""Whether the base that an adapter names is here, and of its shape."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import LoraDeckError
from engine.language import tr
from engine.models.catalog import find_model
from engine.models.folders import read_weights_header, weight_files

if TYPE_CHECKING:
    from engine.home import Home
    from engine.models.types import ModelInfo

_FLOATS = ("F64", "F32", "F16", "BF16")
_LAYER = re.compile(r"\.(?:layers|h|blocks)\.(\d+)\.")
_MATRIX = re.compile(r"(?:base_model\.model\.)?(.+)\.lora_([AB])\.weight")


class Bases:
    """Finds base models by what others call them, each once."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._found: dict[str, ModelInfo | None] = {}
        self._shapes: dict[str, dict[str, list[int]]] = {}

    def find(self, name: str) -> ModelInfo | None:
        """Find a base that can be used on this machine now; ``None`` where it cannot."""
        if name not in self._found:
            self._found[name] = self._look_for(name)
        return self._found[name]

    def misfit(self, base: ModelInfo, weights: dict[str, Any]) -> str:
        """Say in which layer an adapter's matrices do not fit a base; empty where they all do.

        Args:
            base: A base that is here.
            weights: The header of the adapter's safetensors file.
        """
        if not any(map(_MATRIX.fullmatch, weights)):
            return tr("its weights hold no LoRA matrices")
        layers = base.shape.layers if base.shape else None
        theirs = self._shapes_of(base)
        for name, entry in weights.items():
            if (match := _MATRIX.fullmatch(name)) is None:
                continue
            layer = _LAYER.search(f".{match[1]}.")
            if layer and layers is not None and int(layer[1]) >= layers:
                return tr(
                    "it changes layer {layer}, and {name} has {layers}",
                    layer=layer[1],
                    name=base.name,
                    layers=layers,
                )
            width, shape = _width(entry, match[2]), theirs.get(match[1] + ".weight")
            if shape and width is not None and width not in shape:
                return tr(
                    "{layer} is {width} wide in it, and {shape} in {name}",
                    layer=match[1].rpartition(".")[2],
                    width=width,
                    shape=" x ".join(map(str, shape)),
                    name=base.name,
                )
        return ""

    def _look_for(self, name: str) -> ModelInfo | None:
        """Ask the catalog."""
        try:
            info = find_model(self._home, name) if name else None
        except (LoraDeckError, OSError, ValueError):
            return None
        if info is None or info.state != "ready" or info.path is None:
            return None
        own = Path(info.path)
        # A folder of the home goes by its name, whatever path led to it
        named = own.name if own.parent == self._home.models.absolute() else info.name
        return info.model_copy(update={"name": named})

    def _shapes_of(self, base: ModelInfo) -> dict[str, list[int]]:
        """Give the shapes of a base's plain matrices by name; packed ones say nothing."""
        folder = base.path or ""
        if folder not in self._shapes:
            headers = [read_weights_header(file) or {} for file in weight_files(Path(folder))]
            self._shapes[folder] = {
                name: entry["shape"]
                for header in headers
                for name, entry in header.items()
                if len(entry.get("shape") or ()) == 2 and entry.get("dtype") in _FLOATS
            }
        return self._shapes[folder]


def _width(entry: Any, matrix: str) -> int | None:
    """Give the width at which an adapter's matrix meets its layer: A's input, B's output."""
    shape = entry.get("shape") if isinstance(entry, dict) else None
    if not isinstance(shape, list) or len(shape) != 2:
        return None
    width = shape[1 if matrix == "A" else 0]
    return width if isinstance(width, int) else None
