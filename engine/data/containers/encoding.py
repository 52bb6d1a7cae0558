"""Find out a text's encoding by looking at its bytes, and decode it piece by piece."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.data.containers.cjk import guess_cjk
from engine.data.words import shown
from engine.errors import LoraDeckError
from engine.language import tr

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SAMPLE = 1 << 16
_MARKS = (
    (codecs.BOM_UTF8, "utf-8", ""),
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)
_WESTERN = frozenset(
    "àâäáãåæçèéêëìíîïñòóôöõøœùúûüßÀÂÄÁÃÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÖÕØŒÙÚÛÜ€„“”‘’–—…«»°§©®·¿¡\xa0"
)
_ALPHABETIC = (
    *("cp1252", "cp1251", "cp1250", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258"),
    *("koi8_r", "koi8_u", "iso8859_2", "iso8859_7", "cp866", "cp850", "cp874", "mac_roman"),
)


@dataclass(frozen=True)
class Encoding:
    """How bytes become text."""

    codec: str
    """Python's name of it."""
    label: str = ""
    """For people; empty for UTF-8, which needs no mention."""
    mark: int = 0
    """Bytes of a byte order mark before the text."""
    guessed: bool = False
    """Whether it was judged by how the text looks."""


def guess_encoding(sample: bytes) -> Encoding:
    """Judge by a file's first bytes; ``sample`` may end in the middle of a character."""
    for mark, codec, label in _MARKS:
        if sample.startswith(mark):
            return Encoding(codec, label, len(mark))
    if wide := _without_mark(sample):
        return Encoding(wide, "UTF-16")
    if _is_utf8(sample):
        return Encoding("utf-8")
    codec = guess_cjk(sample) or _by_statistics(sample)
    return Encoding(codec, _label(codec), guessed=True) if codec else Encoding("utf-8")


def decoded(chunks: Iterator[bytes], encoding: Encoding, path: Path) -> Iterator[str]:
    """Decode a file's bytes, chunk by chunk.

    Raises:
        LoraDeckError: Some bytes are no text in this encoding; names their line.
    """
    decoder = codecs.getincrementaldecoder(encoding.codec)()
    skip, line, offset = encoding.mark, 1, 0
    for chunk, final in _with_end(chunks):
        held = len(decoder.getstate()[0])
        try:
            text = decoder.decode(chunk[skip:], final)
        except UnicodeDecodeError as error:
            raise _undecodable(path, encoding, error, line, offset + skip - held) from None
        offset, skip = offset + len(chunk), max(0, skip - len(chunk))
        line += text.count("\n")
        yield text


def _with_end(chunks: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Give each chunk, and an empty last one that says so."""
    for chunk in chunks:
        yield chunk, False
    yield b"", True


def _undecodable(
    path: Path, encoding: Encoding, error: UnicodeDecodeError, line: int, before: int
) -> LoraDeckError:
    """Say where the file stops being text; ``before`` bytes of it precede the decoder's view."""
    name, label = shown(path), encoding.label or "UTF-8"
    good = bytes(error.object[: error.start]).decode(encoding.codec, "ignore")
    hint = tr("Save it as UTF-8 in an editor, or convert it with iconv from the encoding it has.")
    return LoraDeckError(
        tr("Dataset is not {label}", label=label),
        tr(
            "{name} is not {label} text. Byte {place} (0x{value:02X}, line {line}) is not {label}.",
            name=name,
            label=label,
            place=before + error.start,
            value=error.object[error.start],
            line=line + good.count("\n"),
        ),
        hint,
    )


def _without_mark(sample: bytes) -> str:
    """Recognise UTF-16 by the zero halves of the ASCII characters that every format has."""
    head = sample[:4096]
    even, odd = head[0::2], head[1::2]
    if odd.count(0) > 0.2 * len(odd) and even.count(0) < 0.02 * len(even):
        return "utf-16-le"
    if even.count(0) > 0.2 * len(even) and odd.count(0) < 0.02 * len(odd):
        return "utf-16-be"
    return ""


def _is_utf8(sample: bytes) -> bool:
    """Tell whether the sample is UTF-8, or nearly: a stray byte makes no other encoding of it."""
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(sample)
    bad = text.count("\ufffd")
    good = sum(1 for character in text if character > "\x7f") - bad
    return bad == 0 or bad * 4 < good


def _by_statistics(sample: bytes) -> str:
    """Judge an alphabetic script: Western European by its letters, others by statistics."""
    from charset_normalizer import from_bytes

    western = sample.decode("cp1252", "replace")
    if all(character < "\x80" or character in _WESTERN for character in western):
        return "cp1252"
    best = from_bytes(sample[:SAMPLE], cp_isolation=list(_ALPHABETIC)).best()
    return "" if best is None else best.encoding


def _label(codec: str) -> str:
    """Name an encoding as people know it."""
    names = {"gb18030": "GB18030", "cp932": "Shift-JIS", "big5": "Big5", "big5hkscs": "Big5"}
    names |= {"euc_jp": "EUC-JP", "cp949": "EUC-KR"}
    if codec.startswith("cp125"):
        return f"Windows-{codec[2:]}"
    return names.get(codec, codec.upper().replace("_", "-"))
