"""Follows an export or a deployment to its end, and shows what the gate found."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from engine.errors import EngineUnavailableError
from engine.language import tr
from engine.text import human_bytes, human_duration, visible
from tui.cli.output import print_json_line, print_table, print_text
from tui.cli.session import with_engine

if TYPE_CHECKING:
    from engine.jobs.types import Job
    from engine.results.export.types import Agreement, Exported
    from engine.server.client import EngineClient


class _Shown(Protocol):
    """Shows a job as it moves."""

    def show(self, job: Job) -> None:
        """Show how it stands."""

    def close(self) -> None:
        """Leave the terminal in order."""


def follow_job_to_end(job: Job, *, json: bool) -> None:
    """Follow a job and leave with its exit status: 0 completed, 1 not, 130 interrupted."""
    try:
        ended = with_engine(lambda client: _follow(client, job, json=json))
    except KeyboardInterrupt:
        settle_job_interrupt(job)
        raise typer.Exit(130) from None
    if not json:
        print_ended(ended)
    raise typer.Exit(0 if ended.state == "completed" else 1)


def settle_job_interrupt(job: Job) -> None:
    """After Ctrl-C: ask on a terminal whether the job goes on; without one it does."""
    title = visible(job.title)
    goes_on = tr("'{title}' goes on. See: loradeck jobs follow {id}", title=title, id=job.id)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        typer.echo(goes_on, err=True)
        return
    question = "\n" + tr("Leave it running, or cancel it? [L/c]")
    try:
        answer = typer.prompt(question, default="l", show_default=False, err=True)
    except typer.Abort:
        answer = "l"
    if answer.strip().lower().startswith("c"):
        with_engine(lambda client: client.cancel_job(job.id))
        typer.echo(tr("'{name}' is being cancelled.", name=title), err=True)
    else:
        typer.echo(goes_on, err=True)


def print_ended(job: Job) -> None:
    """Say how a job ended, what it has made, and what the gate found."""
    if job.exported:
        _print_gate(job.exported)
    if job.state == "completed" and job.exported:
        print_text(_made(job))
        return
    print_text(tr("'{name}' is {state}.", name=job.title, state=tr(job.state)))
    if job.error_title:
        print_text(tr("{name}: {words}", name=job.error_title, words=job.message))
    if job.hint:
        print_text(job.hint)


async def _follow(client: EngineClient, job: Job, *, json: bool) -> Job:
    """Show a job until it has ended; the engine may end meanwhile, the job does not."""
    shown: _Shown = _JsonLines() if json else _Bar() if sys.stderr.isatty() else _Lines()
    if job.ended:
        shown.show(job)
    try:
        while not job.ended:
            try:
                async for moved in client.follow_job(job.id):
                    job = moved
                    shown.show(job)
            except EngineUnavailableError:
                await client.connect()
    finally:
        shown.close()
    return job


class _JsonLines:
    """One JSON object a line, each the job as it stands."""

    def show(self, job: Job) -> None:
        """Print it."""
        print_json_line(job.model_dump(mode="json"))

    def close(self) -> None:
        """Nothing is open."""


class _Lines:
    """A line for each stage."""

    def __init__(self) -> None:
        self._stage = ""

    def show(self, job: Job) -> None:
        """Print the stage where it is another one."""
        if job.stage != self._stage and not job.ended:
            self._stage = job.stage
            print_text(tr("{name}: {words}", name=job.title, words=job.stage))
            sys.stdout.flush()

    def close(self) -> None:
        """Nothing is open."""


class _Bar:
    """A line with bar and share, on standard error."""

    def __init__(self) -> None:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            TextColumn("{task.percentage:>3.0f} %", markup=False),
            TimeElapsedColumn(),
        )
        console = Console(stderr=True, markup=False, highlight=False)
        self._bar = Progress(*columns, console=console, transient=True)
        self._bar.start()
        self._row = self._bar.add_task(tr("starting"), total=None)

    def show(self, job: Job) -> None:
        """Move the bar."""
        total = None if job.progress is None else 1.0
        self._bar.update(
            self._row, description=visible(job.stage), completed=job.progress or 0.0, total=total
        )

    def close(self) -> None:
        """Take the bar away."""
        self._bar.stop()


def _print_gate(exported: Exported) -> None:
    """Print the gate's figures, and where a form first differs."""
    if not exported.gate:
        return
    print_table(
        (tr("FORM"), tr("TOKENS"), tr("Δ MEAN"), tr("Δ MAX"), tr("ANSWERS"), tr("RESULT")),
        (_row(one) for one in exported.gate),
    )
    for one in exported.gate:
        if one.problem:
            print_text(tr("{name}: {words}", name=one.name, words=one.problem))
        if not one.passed and one.prompt:
            print_text("  " + tr("asked: {text}", text=one.prompt))
            print_text("  " + tr("adapter: {text}", text=one.expected))
            print_text("  " + tr("{name}: {words}", name=one.name, words=one.found))


def _row(one: Agreement) -> tuple[str, ...]:
    """Write what was found of one form."""
    agreed = tr("passed") if one.judged else tr("shown")
    return (
        one.name,
        tr("{part} of {whole}", part=one.agreeing, whole=one.tokens),
        "" if one.logprob_mean is None else f"{one.logprob_mean:.3f}",
        "" if one.logprob_max is None else f"{one.logprob_max:.3f}",
        tr("{part} of {whole}", part=one.same_answers, whole=one.prompts),
        agreed if one.passed else tr("REFUSED"),
    )


def _made(job: Job) -> str:
    """Say what a completed job has made."""
    made = job.exported
    assert made is not None  # noqa: S101 - a completed job has made something
    where = made.path or made.ollama_name
    size = f" ({human_bytes(made.size_bytes)})" if made.size_bytes else ""
    took = human_duration((job.ended_at or job.created_at) - job.created_at)
    words = tr("{what}, after {time}.", what=f"{where}{size}", time=took)
    return f"{words} {tr('It did not pass, and was forced.')}" if made.forced else words
