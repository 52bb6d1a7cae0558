"""The work of a deployment: a GGUF file is made, sent to Ollama, tried there, and named."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from engine.language import mark, tr
from engine.results.export.forms import Adapter, make_gguf, make_merged
from engine.results.export.types import LOSSLESS, Exported
from engine.results.export.work import make_room, refuse
from engine.results.ollama.compare import compare
from engine.results.ollama.deploy import settle, trial
from engine.results.ollama.inputs import DeployInputs
from engine.results.ollama.parameters import basic_parameters, sampling_parameters
from engine.results.ollama.prompting import added_start, learned_template
from engine.results.ollama.server import OllamaServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.jobs.reporter import JobReporter
    from engine.jobs.spec import JobSpec
    from engine.results.export.types import Agreement
    from engine.results.gate.gate import Gate

_MADE = 0.6
"""The share of the whole job that is done once the file is there."""
_ENDS = {
    mark("reading the file"): 0.62,
    mark("sending it to Ollama"): 0.8,
    mark("making the model"): 0.82,
}
"""The shares that are done after each stage that follows."""
_ASKED = 0.98


def work(spec: JobSpec, reporter: JobReporter) -> Exported:
    """Make the file, and the model of it; nothing of what is made here stays.

    Raises:
        LoraDeckError: It cannot be made, or Ollama does not take it.
        JobRefusedError: It was made, and does not speak like the adapter.
    """
    inputs = DeployInputs.model_validate(spec.inputs)
    assert spec.partial is not None  # noqa: S101 - a deployment has a target, though it makes none
    with OllamaServer(inputs.request.host) as server:
        server.check()
        server.check_free(inputs.request.name, replace=inputs.request.replace)
        make_room(spec.partial)
        return _Deployment(inputs, spec.partial, reporter, server).carry_out()


class _Deployment:
    """One deployment under way.

    Args:
        inputs: What is deployed, and how.
        folder: Where to write to meanwhile.
        reporter: Where to tell how far it is.
        server: Where to.
    """

    def __init__(
        self, inputs: DeployInputs, folder: Path, reporter: JobReporter, server: OllamaServer
    ) -> None:
        self._began = time.monotonic()
        self._inputs = inputs
        self._wanted = inputs.request
        self._folder = folder
        self._reporter = reporter
        self._server = server
        self._adapter = Adapter.of(inputs.export)
        self._ends = self._end_texts()

    def carry_out(self) -> Exported:
        """Do all of it."""
        learned = learned_template(self._inputs.export, self._wanted.system)
        file, gate = self._make_file()
        start = added_start(self._inputs.export, file)
        template = learned.without_start(start).as_go() if learned else None
        self._server.check_room(file.stat().st_size)
        basic = basic_parameters(self._ends)
        with trial(self._server, self._wanted.name, file, template, basic, self._stage) as on_trial:
            exported = self._judged(file, [*gate.found, *self._ask(on_trial, gate, start)])
            # Another one may have got that name while this one was made
            self._server.check_free(self._wanted.name, replace=self._wanted.replace)
            self._reporter.commit()
            self._reporter.stage(tr("naming it"), _ASKED, 1.0)
            own = Path(self._inputs.export.adapter)
            drawn = sampling_parameters(self._wanted.sampling, own, self._ends)
            settle(self._server, on_trial, self._wanted.name, self._wanted.system, drawn)
        return exported.model_copy(update={"seconds": time.monotonic() - self._began})

    def _make_file(self) -> tuple[Path, Gate]:
        """Make the GGUF file as an export does; what does not pass is not sent."""
        self._reporter.within(0.0, _MADE)
        merged, made = self._folder / "merged", self._folder / "made"
        gate = make_merged(self._adapter, merged, self._reporter, 0.5)
        self._judged(None, gate.found)
        made.mkdir(mode=0o700)
        file = make_gguf(self._adapter, merged, made, gate, self._reporter)
        self._judged(None, gate.found)
        self._reporter.within(0.0, 1.0)
        return file, gate

    def _ask(self, on_trial: str, gate: Gate, start: str) -> tuple[Agreement, ...]:
        """Ask the model on trial what the adapter was asked."""
        self._reporter.stage(tr("asking Ollama"), _ENDS["making the model"], _ASKED)
        return compare(
            self._server,
            on_trial,
            gate,
            start,
            lossless=self._wanted.quantize in LOSSLESS,
            tell=self._reporter.done,
        )

    def _judged(self, file: Path | None, found: list[Agreement]) -> Exported:
        """Put together what is found; refuse what does not pass, unless that is forced.

        Raises:
            JobRefusedError: With what was found.
        """
        exported = Exported(
            format="gguf",
            quantize=self._wanted.quantize,
            size_bytes=file.stat().st_size if file else 0,
            gate=tuple(found),
            forced=self._wanted.force and any(not one.passed for one in found),
            ollama_name=self._wanted.name if file else "",
        )
        refuse(exported)
        return exported

    def _stage(self, words: str) -> Callable[[float], None]:
        """Begin one of the stages in which the model is made."""
        before = [end for stage, end in _ENDS.items() if end < _ENDS[words]]
        self._reporter.stage(tr(words), max(before, default=_MADE), _ENDS[words])
        return self._reporter.done

    def _end_texts(self) -> list[str]:
        """Give the texts of the tokens that end an answer."""
        tokens = self._adapter.tokenizer.convert_ids_to_tokens(self._adapter.ends)
        return [str(token) for token in tokens]
