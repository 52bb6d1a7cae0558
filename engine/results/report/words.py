"""The facts of a report in words, which its document, the command line and the screens share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.language import mark, tr
from engine.text import human_bytes, human_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.results.report.types import Report

OVERFITTING = {
    "none": mark("none to be seen"),
    "slight": mark("slight"),
    "strong": mark("strong"),
    "unknown": mark("not to be told: it takes two evaluations on held-out rows"),
}


def judged_words(report: Report) -> str:
    """Say on which rows the scores were measured."""
    rows = f"{report.judged_rows:,} rows, {report.judged_tokens:,} trained tokens of answers"
    if report.judged_on == "held-out":
        return f"On held-out rows, which the training has not seen: {rows}."
    return f"On rows that it was trained on, as none were held out: {rows}."


def compared_rows(report: Report) -> Iterator[tuple[str, str, str]]:
    """Set the scores of base and adapter side by side."""
    base, adapter = report.base, report.adapter
    yield "Loss", f"{base.loss:.4f}", f"{adapter.loss:.4f}"
    yield "Perplexity", _perplexity(base.perplexity), _perplexity(adapter.perplexity)
    yield "Token accuracy", f"{base.token_accuracy:.1%}", f"{adapter.token_accuracy:.1%}"
    if report.base_chrf is not None and report.adapter_chrf is not None:
        yield "Answers' chrF (0 to 100)", f"{report.base_chrf:.1f}", f"{report.adapter_chrf:.1f}"
    if report.exact_of:
        of = f"of {report.exact_of}"
        yield (
            "Short answers met exactly",
            f"{report.base_exact} {of}",
            f"{report.adapter_exact} {of}",
        )


def answers_words(report: Report) -> str:
    """Say how many answers were asked for and how many ended."""
    if not report.asked:
        return "Each is the likeliest at every token; none of them had an end to find."
    return (
        "Each is the likeliest at every token. "
        f"{report.ended} of {report.asked} of the adapter's answers ended by themselves, "
        f"within {report.longest_answer} tokens."
    )


def facts(report: Report) -> Iterator[tuple[str, str]]:
    """Give what it takes to judge the run, and to make it again."""
    yield tr("Base model"), report.base_model
    if report.started_from:
        yield tr("Started from"), report.started_from
    dataset = tr(
        "{file} ({kind}, {rows:,} rows)",
        file=report.dataset_file,
        kind=report.dataset_type,
        rows=report.dataset_rows,
    )
    yield tr("Dataset"), dataset
    yield tr("Dataset SHA-256"), report.dataset_sha256
    if columns := [f"{field}={name}" for field, name in report.mapping.items() if field != name]:
        yield tr("Columns"), ", ".join(columns)
    yield tr("Seed"), str(report.training_params.get("seed", ""))
    steps = tr(
        "{steps:,}; the result is that of step {best:,}",
        steps=report.steps,
        best=report.best_step,
    )
    yield tr("Steps"), steps
    yield tr("Training loss, last epoch"), f"{report.train_loss:.4f}"
    yield tr("Overfitting"), tr(OVERFITTING[report.overfitting])
    yield tr("Time"), human_duration(report.seconds)
    yield tr("Device"), report.device
    yield tr("Peak memory"), human_bytes(report.peak_memory)
    yield tr("Versions"), ", ".join(f"{name} {number}" for name, number in report.versions.items())


def _perplexity(value: float) -> str:
    """Write a perplexity, which has no upper bound."""
    return f"{value:.2f}" if value < 1e5 else f"{value:.1e}"
