"""What programs of others say when they fail."""

from __future__ import annotations

import signal
import sys

import pytest

from engine.files import is_disk_full
from engine.results.export.child import last_words, run_child


@pytest.mark.parametrize("words", ["No space left on device", "8192 requested and 2176 written"])
def test_full_disk_that_another_program_finds_is_one(words: str) -> None:
    with pytest.raises(OSError, match="No space left") as full:
        run_child([sys.executable, "-Sc", f"raise OSError('{words}')"], lambda: None)
    assert is_disk_full(full.value)


def test_progress_is_no_reason() -> None:
    program = "print('KeyError: x\\n\\rWriting:  69%|###  | 1/2'); raise SystemExit(3)"
    code, said = run_child([sys.executable, "-Sc", program], lambda: None)
    assert last_words(code, said) == "KeyError: x"
    assert last_words(3, "\rWriting:  69%|###  | 1/2") == "exit code 3"
    assert "memory runs out" in last_words(-signal.SIGKILL, said)
    assert last_words(-signal.SIGSEGV, said) == "it was ended by SIGSEGV"
