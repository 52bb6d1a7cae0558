"""A question, and the answer or the two answers to it."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from textual.containers import Container, Vertical
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Static

from engine.language import mark, tr, trn
from engine.text import human_duration, visible
from screens.format import one_line
from screens.widgets.flowing_text import FlowingText

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.timer import Timer

    from engine.results.chat.types import Answered

_CURSOR = " ▍"
_STOPPED = mark("■ stopped")
_CUT = mark("▲ cut at the longest length: max_tokens in the settings (F2)")
_BRIEF_SECONDS = 10.0
_BRIEFLY = 2.0  # seconds of loading that need not be counted
TICK_SECONDS = 1.0


class AnswerView(Vertical):
    """Who answers, what, and quietly beneath how fast."""

    DEFAULT_CSS = """
    AnswerView {
        width: 1fr; max-width: 110; height: auto;
        & .label, & .foot { width: 1fr; height: auto; }
        & .label { color: $text-primary; text-style: bold; }
        & .foot { color: $muted; display: none; }
        & .foot.-filled { display: block; }
        &.-base .label { color: $muted; }
    }
    """

    words = query_one(FlowingText)
    foot = query_one(".foot", Static)

    def __init__(self, name: str, text: str = "", *, base: bool = False) -> None:
        super().__init__(classes="-base" if base else "")
        self._who, self._text = one_line(name), text
        self._loading, self._begun = "", 0.0
        self._clock: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay out name, words and foot."""
        yield Static(self._who, markup=False, classes="label")
        yield FlowingText(self._text)
        yield Static(markup=False, classes="foot")

    def wait(self, words: str) -> None:
        """Say what is waited for."""
        self.words.put(one_line(words), muted=True)

    def load(self, words: str) -> None:
        """Say what is being loaded, and for how long by now."""
        if self._clock is None:
            self._begun = monotonic()
            self._clock = self.set_interval(TICK_SECONDS, self._tick)
        self._loading = words
        self._tick()

    def _tick(self) -> None:
        """Count the seconds, once it takes some."""
        seconds = monotonic() - self._begun
        told = f" {human_duration(seconds)}" if seconds >= _BRIEFLY else ""
        self.wait(self._loading + told)

    def go_on(self, text: str) -> None:
        """Show what was said so far."""
        self._stop_clock()
        self.words.put(text + _CURSOR)

    def end(self, text: str, foot: Content) -> None:
        """Show the whole answer, and what is to be said about it."""
        self._stop_clock()
        self.words.put(text or tr("(nothing)"), muted=not text)
        self.foot.update(foot)
        self.foot.set_class(bool(foot.plain), "-filled")

    def skip(self) -> None:
        """Say that nothing was asked here: the answer before did not come to its end."""
        self.wait(tr("Not asked."))

    def _stop_clock(self) -> None:
        """Count no longer."""
        if self._clock is not None:
            self._clock.stop()
            self._clock = None


class TurnView(Vertical):
    """A question and its answers: beside each other where there is room, else one by one."""

    DEFAULT_CSS = """
    TurnView {
        height: auto; margin-bottom: 1;
        & .question {
            height: auto; margin-bottom: 1; padding: 0 1;
            border-left: outer $accent; background: $foreground 5%;
        }
        & .sides { height: auto; padding: 0 0 0 2; }
        & AnswerView.-base { margin-top: 1; }
        &.-replaced { opacity: 50%; }
    }
    """

    def __init__(self, question: str, sides: Sequence[AnswerView]) -> None:
        super().__init__()
        self._question, self.sides = question, sides

    def compose(self) -> ComposeResult:
        """Lay out question and answers."""
        yield Static(visible(self._question), markup=False, classes="question")
        with Container(classes="sides"):
            yield from self.sides


def foot_words(end: Answered | None) -> Content:
    """Say how fast an answer came, and why it ended where that was not by itself.

    Args:
        end: ``None`` where it was stopped before its end.
    """
    if end is None:
        return Content.styled(tr(_STOPPED), "$text-warning")
    lines = [Content(" · ".join(_figures(end)))]
    if end.finish != "stop":
        words = _STOPPED if end.finish == "cancelled" else _CUT
        lines.insert(0, Content.styled(tr(words), "$text-warning"))
    return Content("\n").join(lines)


def _figures(end: Answered) -> list[str]:
    """Write how fast an answer came, as far as it has tokens."""
    if not end.tokens:
        return [tr("no token")]
    words = [tr("first token {time}", time=_seconds(end.first_token_seconds))]
    if end.tokens > 1:
        words.append(tr("{rate} tokens/s", rate=_rate(end.tokens_per_second)))
    count = trn("{shown} token", "{shown} tokens", end.tokens, shown=f"{end.tokens:,}")
    return [*words, count]


def _seconds(seconds: float) -> str:
    """Write a short time with two decimals."""
    if seconds < _BRIEF_SECONDS:
        return tr("{seconds} s", seconds=f"{seconds:.2f}")
    return human_duration(seconds)


def _rate(rate: float) -> str:
    """Write a rate; a decimal where it is slow."""
    return f"{rate:.1f}" if rate < _BRIEF_SECONDS else f"{rate:,.0f}"
