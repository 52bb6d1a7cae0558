"""Text comes whole as tokens come: no half characters, no beginning of a stop text."""

from __future__ import annotations

import random

import pytest
from tokenizers import Tokenizer, decoders, models

from engine.results.chat.stream import TextStream

TEXT = "Grüße, 世界! 👩‍👩‍👧 x"


def _bytes(tokens: list[int]) -> str:
    """Decode a byte a token, as byte-level tokenizers do."""
    return bytes(tokens).decode("utf-8", "replace")


def _fallback() -> Tokenizer:
    """A tokenizer of SentencePiece's manner: unknown characters are runs of bytes."""
    vocabulary = {f"<0x{byte:02X}>": byte for byte in range(256)} | {"▁Hi": 256, "▁yes": 257}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], byte_fallback=True))
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1),
        ]
    )
    return tokenizer


def _pieces(stream: TextStream, tokens: list[int]) -> list[str]:
    """Put all tokens in and give what came out, the end included."""
    return [*(stream.put(token) for token in tokens), stream.end()]


def test_characters_of_several_tokens_come_whole() -> None:
    pieces = _pieces(TextStream(_bytes), list(TEXT.encode()))
    assert "".join(pieces) == TEXT
    assert not any("\ufffd" in piece for piece in pieces)
    assert pieces[0] == "G"


def test_runs_of_bytes_and_leading_blanks_are_right() -> None:
    tokenizer = _fallback()
    tokens = [256, *"世界".encode(), 257, *"é".encode()]
    whole = tokenizer.decode(tokens)
    pieces = _pieces(TextStream(lambda ids: str(tokenizer.decode(ids))), tokens)
    assert "".join(pieces) == whole == "Hi世界 yesé"
    assert not any("\ufffd" in piece for piece in pieces)


def test_what_never_becomes_a_character_does_not_hold_the_rest_up() -> None:
    pieces = _pieces(TextStream(_bytes), [0x80] * 40 + [ord("a")])
    assert "".join(pieces).endswith("a")
    assert "".join(pieces[:20])  # not only at the end


def test_an_answer_that_ends_within_a_character_says_so() -> None:
    assert "".join(_pieces(TextStream(_bytes), [ord("a"), *"世".encode()[:2]])) == "a\ufffd"


@pytest.mark.parametrize("stop", [["STOP"], ["\n\n", "STOP"], ["世界"], ["ST", "STOP"]])
def test_stop_texts_end_the_answer_and_leak_no_beginning(stop: list[str]) -> None:
    stream = TextStream(_bytes, stop)
    tokens = list("eins STO zwei 世 STOP und 世界\n\nmehr".encode())
    said = ""
    for token in tokens:
        said += stream.put(token)
        if stream.stopped:
            break
    said += stream.end()
    text = bytes(tokens).decode()
    assert said == text[: min(text.find(one) for one in stop if one in text)]
    assert stream.stopped


def test_what_only_looks_like_a_stop_text_comes_at_the_end() -> None:
    stream = TextStream(_bytes, ["STOP"])
    assert "".join(_pieces(stream, list(b"no STO"))) == "no STO"
    assert not stream.stopped


def test_any_split_gives_the_same_text() -> None:
    draw = random.Random(1)  # noqa: S311 - no secret
    for _ in range(200):
        text = "".join(draw.choice("abSTOP世é👩 ") for _ in range(30))
        stream = TextStream(_bytes, ["STOP", "世é"])
        said = ""
        for token in text.encode():
            said += stream.put(token)
            if stream.stopped:
                break
        said += stream.end()
        cuts = [at for stop in ("STOP", "世é") if (at := text.find(stop)) >= 0]
        assert said == (text[: min(cuts)] if cuts else text)
