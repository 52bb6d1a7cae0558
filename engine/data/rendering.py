"""Show a row as the model gets it: its text, and which of it is trained.

``python -m engine.data.rendering IDLE MEMORY`` answers ``engine.data.renderer`` over its standard
streams until they close, or until IDLE seconds pass without a request.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import resource
import select
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.data.faults import FaultyRowError
from engine.data.model_files import load_tokenizer
from engine.data.normalize import normalize
from engine.data.render import NOT_TRAINED, cut, encode_unnamed
from engine.data.renderer import Answer, Failure, Request, faulty
from engine.data.run_limits import RanTooLongError, never_ends
from engine.data.template import ChatTemplate
from engine.data.types import RenderedRow
from engine.errors import LoraDeckError
from engine.language import speaking, tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tokenizers import Tokenizer

    from engine.data.render import EncodedRow
    from engine.data.types import Shape

_CPU_SECONDS = 15
"""Of processor time a request, after which the kernel ends the process: the parent's clock, which
strikes first, may be gone."""
_CHUNK = 1 << 20
_MODEL_FILES = (
    *("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"),
    "special_tokens_map.json",
)


def render_row(
    value: Mapping[str, Any],
    shape: Shape,
    template: ChatTemplate,
    tokenizer: Tokenizer,
    max_length: int | None = None,
) -> RenderedRow:
    """Render a row with the tokens marked that the trainer computes the loss on.

    Args:
        value: The row as it stands in the file.
        shape: How rows are read.
        template: The model's chat template.
        tokenizer: The model's tokenizer.
        max_length: Tokens beyond which the trainer cuts; ``None`` for no limit.

    Returns:
        The whole text; what is trained of it, within the limit. A row that cannot train has a
        ``fault`` instead.
    """
    try:
        conversation = normalize(value, 1, shape)
        row = encode_unnamed(conversation, template, tokenizer)
    except FaultyRowError as error:
        return faulty(error.detail)
    except LoraDeckError as error:
        return faulty(f"{error.message} {error.hint}".strip())
    return _show(row, max_length)


def _show(row: EncodedRow, max_length: int | None) -> RenderedRow:
    """Give an encoded row's text, spans and counts."""
    tokens = len(row.input_ids)
    cut_at = None
    if max_length is not None and tokens > max_length:
        cut_at = row.offsets[max_length][0]
    kept = row if max_length is None else cut(row, max_length)
    return RenderedRow(
        text=row.text,
        trained_spans=trained_spans(kept),
        tokens=tokens,
        trained=kept.trained,
        cut_at=cut_at,
        notes=tuple(_notes(row)),
    )


def _notes(row: EncodedRow) -> Iterator[str]:
    """Say what the chat template could not take as it is, or leaves untrained."""
    if row.tools_folded:
        yield tr(
            "The model's chat template leaves functions, calls or results out: they are written "
            "as text inside the turns."
        )
    if row.system_folded:
        yield tr("The model's chat template has no system turn: it stands in the first question.")
    if not row.trained:
        yield tr("No token is trained: the model's chat template leaves the answers out.")
    elif not row.end_trained:
        yield tr("No end-of-turn token is trained: the model would not learn to stop.")


def trained_spans(row: EncodedRow) -> tuple[tuple[int, int], ...]:
    """Join the characters of neighbouring trained tokens.

    Several tokens of one character, as emoji have, all bear its start and end.
    """
    spans: list[tuple[int, int]] = []
    last = -2
    for index, (start, end) in enumerate(row.offsets):
        if row.labels[index] == NOT_TRAINED:
            continue
        if spans and (last == index - 1 or start <= spans[-1][1]):
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((start, end))
        last = index
    return tuple(spans)


class _Models:
    """The template and tokenizer used last, loaded anew when their files change."""

    def __init__(self) -> None:
        self._key: tuple[object, ...] = ()
        self._loaded: tuple[ChatTemplate, Tokenizer] | None = None

    def load(self, folder: Path) -> tuple[ChatTemplate, Tokenizer]:
        """Give a model folder's template and tokenizer.

        Raises:
            LoraDeckError: A file is missing or damaged.
        """
        key = (folder, *(_state(folder / name) for name in _MODEL_FILES))
        if self._loaded is None or key != self._key:
            self._loaded = ChatTemplate.load(folder), load_tokenizer(folder)
            self._key = key
        return self._loaded


def _state(path: Path) -> tuple[int, int] | None:
    """Give what changes when a file does."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _answer(line: bytes, models: _Models) -> Answer:
    """Render one request, and put what goes wrong into words."""
    try:
        # Half characters may stand in the row: pydantic's own reader refuses them
        request = Request.model_validate(json.loads(line))
    except (RecursionError, ValueError):
        return Answer(rendered=faulty(tr("It holds what cannot be read.")))
    with speaking(request.language):
        return _rendered(request, models)


def _rendered(request: Request, models: _Models) -> Answer:
    """Render what is asked for."""
    try:
        template, tokenizer = models.load(Path(request.model_folder))
        rendered = render_row(request.value, request.shape, template, tokenizer, request.max_length)
        return Answer(rendered=rendered)
    except LoraDeckError as error:
        return Answer(failure=Failure(title=error.title, message=error.message, hint=error.hint))
    except RanTooLongError as error:
        return Answer(rendered=faulty(never_ends(error).message))
    except MemoryError:
        return Answer(rendered=faulty(tr("Rendering this row wants too much memory.")))


def _serve(requests: Iterator[bytes]) -> None:
    """Answer one request after the other."""
    models = _Models()
    for line in requests:
        used = resource.getrusage(resource.RUSAGE_SELF)
        _limit(resource.RLIMIT_CPU, math.ceil(used.ru_utime + used.ru_stime) + _CPU_SECONDS)
        sys.stdout.write(_answer(line, models).model_dump_json() + "\n")
        sys.stdout.flush()


def _lines(descriptor: int, idle: float) -> Iterator[bytes]:
    """Give the lines of a pipe until it closes or nothing comes for a while."""
    rest = b""
    while select.select([descriptor], [], [], idle)[0]:
        chunk = os.read(descriptor, _CHUNK)
        if not chunk:
            return
        *lines, rest = (rest + chunk).split(b"\n") if b"\n" in chunk else (rest + chunk,)
        yield from lines


def _limit(which: int, value: int) -> None:
    """Lower a limit of this process; some systems know no limit on memory."""
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(which, (value, hard))


def main() -> None:
    """Answer the parent: the child's side."""
    _limit(resource.RLIMIT_AS, int(sys.argv[2]))
    _serve(_lines(sys.stdin.fileno(), float(sys.argv[1])))


if __name__ == "__main__":
    main()
