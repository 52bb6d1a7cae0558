"""The facts of a report in words, which its document, the command line and the screens share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.language import listed, mark, tr
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
    told = {"rows": report.judged_rows, "tokens": report.judged_tokens}
    if report.judged_on == "held-out":
        return tr(
            "On held-out rows, which the training has not seen: {rows:,} rows, {tokens:,} trained"
            " tokens of answers.",
            **told,
        )
    return tr(
        "On rows that it was trained on, as none were held out: {rows:,} rows, {tokens:,} trained"
        " tokens of answers.",
        **told,
    )


def compared_rows(report: Report) -> Iterator[tuple[str, str, str]]:
    """Set the scores of base and adapter side by side."""
    base, adapter = report.base, report.adapter
    yield tr("Loss"), f"{base.loss:.4f}", f"{adapter.loss:.4f}"
    yield tr("Perplexity"), _perplexity(base.perplexity), _perplexity(adapter.perplexity)
    yield tr("Token accuracy"), f"{base.token_accuracy:.1%}", f"{adapter.token_accuracy:.1%}"
    if report.base_chrf is not None and report.adapter_chrf is not None:
        scores = f"{report.base_chrf:.1f}", f"{report.adapter_chrf:.1f}"
        yield tr("Answers' chrF (0 to 100)"), *scores
    if report.exact_of:
        base_met, met = (
            tr("{part} of {whole}", part=part, whole=report.exact_of)
            for part in (report.base_exact, report.adapter_exact)
        )
        yield tr("Short answers met exactly"), base_met, met


def answers_words(report: Report) -> str:
    """Say how many answers were asked for and how many ended."""
    if not report.asked:
        return tr("Each is the likeliest at every token; none of them had an end to find.")
    return tr(
        "Each is the likeliest at every token. {ended} of {asked} of the adapter's answers ended by"
        " themselves, within {longest} tokens.",
        ended=report.ended,
        asked=report.asked,
        longest=report.longest_answer,
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
        yield tr("Columns"), listed(columns)
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
    yield tr("Versions"), listed(f"{name} {number}" for name, number in report.versions.items())


def _perplexity(value: float) -> str:
    """Write a perplexity, which has no upper bound."""
    return f"{value:.2f}" if value < 1e5 else f"{value:.1e}"
