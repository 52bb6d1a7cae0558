"""Whether an adapter can be put on a base model, seen before any weight is read. Loads no torch."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from engine.errors import LoraDeckError, NotFoundError
from engine.language import mark, tr
from engine.models.adapters import CONFIG, WEIGHTS
from engine.models.folders import is_whole, weight_files
from engine.text import fault_of, visible

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Shapes = dict[str, tuple[int, ...]]
_PICKLES = ("adapter_model.bin", "pytorch_model.bin")
_MATRIX = re.compile(r"base_model\.model\.(.+)\.lora_([AB])\.weight")
_OTHER = mark("Choose another one, or the base model that it was trained on.")


def holds_adapter(folder: Path) -> bool:
    """Tell whether a PEFT adapter lies in a folder, of use or not."""
    try:
        return (folder / CONFIG).is_file()
    except OSError:
        return False  # a name too long for the disk


def read_peft_config(folder: Path) -> dict[str, Any]:
    """Read the configuration of any PEFT adapter, ours or another's.

    Raises:
        NotFoundError: There is no adapter.
        LoraDeckError: Its weights are pickled, or it is damaged.
    """
    name = visible(str(folder))
    if not (folder / WEIGHTS).is_file():
        if pickled := next((one for one in _PICKLES if (folder / one).is_file()), None):
            raise LoraDeckError(
                tr("Adapter not usable"),
                tr(
                    "{name}: its weights are pickled ({pickled}), and pickles can run code.",
                    name=name,
                    pickled=pickled,
                ),
                tr("Only safetensors are read. Fetch a safetensors version of this adapter."),
            )
        raise NotFoundError(
            tr("No such adapter"),
            tr("{name} holds no adapter: {file} is missing.", name=name, file=WEIGHTS),
            tr("Adapters are the results of completed tasks: loradeck tasks"),
        )
    if not is_whole(folder / WEIGHTS):
        raise LoraDeckError(
            tr("Adapter not usable"),
            tr(
                "{name}: {file} is cut short, or no safetensors file.",
                name=name,
                file=WEIGHTS,
            ),
            tr("Fetch or train it again."),
        )
    try:
        written = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        return {**written, "peft_type": str(written["peft_type"])}
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise LoraDeckError(
            tr("Adapter not readable"),
            tr(
                "{file} of {name} is damaged: {reason}.",
                file=CONFIG,
                name=name,
                reason=visible(str(error)).splitlines()[0],
            ),
            tr("Choose another one."),
        ) from error


def check_fits(adapter: Path, base: Path) -> None:
    """Refuse an adapter whose matrices are of other sizes than the base model's layers.

    Layers that a base model keeps under other names than it computes with are left to PEFT.

    Raises:
        LoraDeckError: It was made for another model.
    """
    layers: Shapes = {}
    for file in weight_files(base):
        layers |= tensor_shapes(file)
    unknown, known = [], 0
    for name, side, shape in _matrices(tensor_shapes(adapter / WEIGHTS)):
        layer = layers.get(f"{name}.weight")
        if layer is None:
            unknown.append(name)
        elif len(layer) == len(shape) == 2:
            known += 1
            # Some models keep a layer's weights the other way round
            if shape[side == "A"] not in layer:
                raise _other_shape(
                    adapter,
                    tr(
                        "{name} has the size {size} there",
                        name=name,
                        size=f"{layer[0]} x {layer[1]}",
                    ),
                )
    lacking = [name for name in unknown if re.search(r"\.\d+\.", name)]
    if known and lacking:
        raise _other_shape(adapter, tr("there is no {name}", name=lacking[0]))


def tensor_shapes(file: Path) -> Shapes:
    """Read the names and sizes of a safetensors file's tensors.

    Raises:
        LoraDeckError: It is none.
    """
    try:
        with file.open("rb") as stream:
            header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
        return {
            name: tuple(entry["shape"]) for name, entry in header.items() if name != "__metadata__"
        }
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        words = fault_of(visible(str(file)), visible(str(error)).splitlines()[0])
        raise LoraDeckError(
            tr("Weights not readable"), words, tr("Fetch the model again.")
        ) from error


def _matrices(shapes: Shapes) -> Iterable[tuple[str, str, tuple[int, ...]]]:
    """Give each matrix of an adapter with its layer's name, and which of the two it is."""
    for key, shape in shapes.items():
        if match := _MATRIX.fullmatch(key):
            yield match[1], match[2], shape


def _other_shape(adapter: Path, reason: str) -> LoraDeckError:
    """Say what does not fit."""
    return LoraDeckError(
        tr("Adapter of another model"),
        tr(
            "{adapter} does not fit this base model: {reason}.",
            adapter=visible(str(adapter)),
            reason=visible(reason),
        ),
        tr(_OTHER),
    )
