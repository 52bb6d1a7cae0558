"""A hostile chat template is stopped wherever one is run, in time and in memory."""

from __future__ import annotations

import gc
import resource
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

from engine.data import run_limits
from engine.data.child import _guarded
from engine.data.child_wire import Request
from engine.data.model_files import load_tokenizer
from engine.data.run_limits import RanTooLongError, limited
from engine.data.template import ChatTemplate
from engine.data.types import Message
from engine.errors import LoraDeckError
from engine.train.encoding import RowEncoder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.data.types import Conversation

TURNS = [Message(role="user", content="a")]
LOOP = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
ENDLESS = [
    LOOP,
    "{% for a in range(99999) %}{% set x = range(99999) | list | sort | list %}{% endfor %}",
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    "{% set n = namespace(x=7) %}{% for a in range(99999) %}{% for b in range(9999) %}"
    "{% set n.x = (n.x * n.x) % 10007 %}{% endfor %}{% endfor %}",
]
GREEDY = [
    "{% set n = namespace(x='ab') %}{% for a in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "{% set n = namespace(x=[1]) %}{% for a in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}",
    "{{ ('a' * 9999999999) | length }}",
    "{{ 'a' | center(9999999999) | length }}",
    "{{ ('%9999999999d' % 1) | length }}",
    "{{ '{:>9999999999}'.format('a') | length }}",
    "{{ ([1] * 9999999999) | length }}",
]
NUMBERS = [
    "{{ 9 ** (9 ** 9) }}",
    "{% set n = namespace(x=9) %}{% for a in range(99) %}{% set n.x = n.x * n.x %}{% endfor %}",
    "{% set x = 10 ** messages[0].content | length ** 99999 %}{{ 2 ** 99999 }}",
]


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that are met at once, with nothing left that could be tidied up just then."""
    gc.collect()
    monkeypatch.setattr(run_limits, "SECONDS", 0.1)
    monkeypatch.setattr(run_limits, "MEMORY", 100_000_000)


@pytest.mark.parametrize("source", ENDLESS)
@pytest.mark.usefixtures("little")
def test_what_does_not_end_is_interrupted(source: str) -> None:
    began = time.process_time()
    with pytest.raises(RanTooLongError, match="did not end"):
        ChatTemplate(source, {}).render(TURNS)
    assert time.process_time() - began < 5


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit memory")
@pytest.mark.parametrize("source", GREEDY)
def test_what_wants_all_memory_is_refused(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_limits, "MEMORY", 100_000_000)
    with pytest.raises(LoraDeckError, match="too much memory"):
        ChatTemplate(source, {}).render(TURNS)


@pytest.mark.parametrize("source", NUMBERS)
def test_numbers_stay_small(source: str) -> None:
    with pytest.raises(LoraDeckError, match="too many digits"):
        ChatTemplate(source, {}).render(TURNS)


def test_numbers_of_real_templates_are_computed() -> None:
    source = "{{ 2 * 3 }} {{ 2 ** 10 }} {{ 'ab' * 2 }} {{ 2 ** -1 }} {{ 1.5 * 2 }} {{ True * 3 }}"
    assert ChatTemplate(source, {}).render(TURNS) == "6 1024 abab 0.5 3.0 3"


def test_limits_are_gone_afterwards() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with limited():
        assert signal.getitimer(signal.ITIMER_PROF)[0] > 0
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    signal.raise_signal(signal.SIGPROF)  # a late one interrupts nothing


@pytest.mark.usefixtures("little")
def test_worker_names_the_row_that_a_template_does_not_end_on(
    make_model: Callable[..., Path], talk: Callable[..., Conversation], tmp_path: Path
) -> None:
    """A plan looks at a sample; a template may wait for a row that was not in it."""
    usual = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    )
    sleeper = usual + "{% if 'now' in messages[0].content %}" + LOOP + "{% endif %}"
    folder = make_model("smollm2", sleeper)
    encoder = RowEncoder(ChatTemplate.load(folder), load_tokenizer(folder), 1000, lambda _: True)
    rows = [talk("Why?", "Because.", row=1), talk("now?", "Yes.", row=2)]
    with pytest.raises(LoraDeckError, match=r"Row 2: .* did not end within 0\.1 s"):
        encoder.write(rows, tmp_path)


@pytest.mark.usefixtures("little")
def test_measuring_stops_at_once(
    make_model: Callable[..., Path], write_rows: Callable[..., Path]
) -> None:
    rows = write_rows({"instruction": "q", "output": "An answer."})
    model = make_model("endless", LOOP)
    limits = {"address_space": 1 << 33, "data": 1 << 33}
    request = Request(do="measure", path=str(rows), model_folder=str(model), **limits)
    (answer,) = _guarded(request)
    assert answer.failure is not None
    assert answer.failure.title == "Chat template does not end"
