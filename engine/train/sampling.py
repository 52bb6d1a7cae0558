"""One question, asked again and again while the training goes on: what is being learned shows."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback

from engine.results.answering import answer
from engine.results.report.curves import SAMPLE
from engine.tasks.events import SampleAnswered
from engine.train.memory_limit import is_out_of_memory
from engine.train.spec import StoppedError

if TYPE_CHECKING:
    from transformers import (
        PreTrainedTokenizerBase,
        TrainerControl,
        TrainerState,
        TrainingArguments,
    )

    from engine.results.prompts import Prompt
    from engine.train.deck_trainer import DeckTrainer
    from engine.train.spec import Reporter

log = logging.getLogger(__name__)
SHARE = 0.02
"""Of a run's time, what all its samples together may cost."""
_MOST = 8
_LONGEST, _ROOM = 48, 8
"""Tokens of a sample, at most; and by how many it may be longer than the dataset's answer."""


class Allowance:
    """Spreads samples over a run, as many as keep to their share of its time.

    Args:
        places: How many moments of the run a sample can be taken at.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._taken: int | None = None
        self._spent = self._cost = 0.0
        self.closed = False
        """Whether none is taken any more."""

    def takes(self, place: int, run_seconds: float) -> bool:
        """Tell whether to take one at a place, counted from 0.

        Args:
            run_seconds: How long the whole run takes, as far as is known by now.
        """
        if self.closed:
            return False
        stride = -(-self._places // _MOST)
        if self._cost:
            affordable = int(self.left(run_seconds) / self._cost)
            if not affordable:
                return False
            stride = max(stride, -(-(self._places - place) // affordable))
        return self._taken is None or place - self._taken >= stride

    def left(self, run_seconds: float) -> float:
        """Give the seconds that samples may still take."""
        return SHARE * run_seconds - self._spent

    def took(self, place: int, seconds: float) -> None:
        """Count a sample that was taken."""
        self._taken = place
        self._spent += seconds
        self._cost = max(self._cost, seconds)


class _Watch:
    """Breaks an answer off that would take longer than it may, as soon as that shows.

    Args:
        seconds: What it may take.
        tokens: Of the longest answer.
    """

    def __init__(self, seconds: float, tokens: int) -> None:
        self._may, self._tokens = seconds, tokens
        self._began = self._first = time.monotonic()
        self._said = 0

    def spent(self) -> float:
        """Give the seconds so far."""
        return time.monotonic() - self._began

    def breaks(self) -> bool:
        """Tell, at each token, whether the whole answer would take too long."""
        self._said += 1
        if self._said == 1:  # before it the whole question was read
            self._first = time.monotonic()
        each = (time.monotonic() - self._first) / max(1, self._said - 1)
        return self.spent() + each * max(0, self._tokens - self._said) > self._may


class Sampler(TrainerCallback):  # type: ignore[misc]
    """Lets the adapter answer a question at evaluations; without them, at checkpoints.

    What it answered goes into the trainer's history, and so into its checkpoints.
    """

    def __init__(
        self,
        reporter: Reporter,
        trainer: DeckTrainer,
        tokenizer: PreTrainedTokenizerBase,
        prompt: Prompt,
    ) -> None:
        self._reporter, self._trainer, self._tokenizer = reporter, trainer, tokenizer
        self._prompt = prompt
        expected = tokenizer(prompt.reference, add_special_tokens=False)["input_ids"]
        self._limit = min(_LONGEST, len(expected) + _ROOM)
        self._allowance = Allowance(0)
        self._began = self._step_seconds = 0.0
        self._steps = 0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Count the moments that are to come."""
        self._allowance = Allowance(-(-state.max_steps // int(args.save_steps)))

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Start the clock of a step."""
        self._began = time.monotonic()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Ask, where it is time to and nobody wants the training to stop."""
        self._step_seconds += time.monotonic() - self._began
        self._steps += 1
        if state.global_step % int(args.save_steps) or control.should_training_stop:
            return
        place = state.global_step // int(args.save_steps) - 1
        run_seconds = self._step_seconds / self._steps * state.max_steps
        if self._allowance.takes(place, run_seconds):
            watch = _Watch(self._allowance.left(run_seconds), self._limit)
            said = self._answer(watch)
            if said is None:
                self._allowance.closed = True
            else:
                self._allowance.took(place, watch.spent())
                self._tell(said, state, watch.spent())

    def _answer(self, watch: _Watch) -> str | None:
        """Let the adapter answer; ``None`` where it takes too long, or too much memory."""
        try:
            with self._trainer.generating() as model:
                (said,) = answer(
                    model,
                    self._tokenizer,
                    [self._prompt],
                    self._limit,
                    lambda: watch.breaks() or self._reporter.stop_requested,
                )
        except StoppedError:
            return None
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            log.warning("samples are left out: %s", error)
            return None
        return said.text

    def _tell(self, said: str, state: TrainerState, seconds: float) -> None:
        """Keep an answer in the history, and report it."""
        epoch = float(state.epoch or 0.0)
        state.log_history.append({"step": state.global_step, "epoch": epoch, SAMPLE: said})
        self._reporter.report(
            SampleAnswered(
                step=state.global_step,
                epoch=epoch,
                question=self._prompt.question,
                answer=said,
                reference=self._prompt.reference,
                seconds=seconds,
            )
        )
