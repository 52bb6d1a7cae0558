"""``loradeck deploy``."""

from __future__ import annotations

from typing import Annotated, get_args

import typer

from engine.results.chat.types import Sampling
from engine.results.export.types import DeployRequest, Quantization
from tui.cli.export import Source, adapter_source, one_of
from tui.cli.job_start import Detach, start_and_follow
from tui.cli.output import JsonEvents

EXAMPLE = "Example: loradeck deploy my-first --to ollama --name my-bot"


def deploy(
    source: Source,
    to: Annotated[str, typer.Option("--to", help="Which program: ollama.")] = "ollama",
    name: Annotated[
        str,
        typer.Option(
            "--name", "-n", show_default=False, help="Of the model there; else the adapter's."
        ),
    ] = "",
    host: Annotated[
        str,
        typer.Option(
            "--host",
            envvar="OLLAMA_HOST",
            show_default=False,
            help="Where it listens; else http://127.0.0.1:11434.",
        ),
    ] = "",
    quantize: Annotated[
        str,
        typer.Option(
            "--quantize", "-q", help=f"Number format: {', '.join(get_args(Quantization))}."
        ),
    ] = "q8_0",
    system: Annotated[
        str, typer.Option("--system", show_default=False, help="The system prompt that it has.")
    ] = "",
    temperature: Annotated[
        float | None,
        typer.Option(
            "--temperature",
            min=0.0,
            max=5.0,
            show_default=False,
            help="How freely it answers; 0 always takes the likeliest token.",
        ),
    ] = None,
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of a model that has the name.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Deploy it although it speaks otherwise.")
    ] = False,
    detach: Detach = False,
    json: JsonEvents = False,
) -> None:
    """Make a model of Ollama's out of an adapter, and check that it speaks like it there.

    A model that has the name already is replaced with --replace alone, once the new one has passed.
    Exit status: 0 completed, 1 failed or refused, 2 bad input, 130 interrupted.
    """
    request = DeployRequest(
        source=adapter_source(source),
        to=one_of("--to", to.lower(), ("ollama",)),
        name=name,
        host=host,
        quantize=one_of("--quantize", quantize.lower(), get_args(Quantization)),
        system=system,
        sampling=None if temperature is None else Sampling(temperature=temperature),
        replace=replace,
        force=force,
    )
    start_and_follow(lambda client: client.deploy(request), detach=detach, json=json)
