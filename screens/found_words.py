"""What a scan found, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from engine.language import listed, mark, tr
from engine.text import visible
from screens.format import one_line
from screens.widgets.facts import Fact

if TYPE_CHECKING:
    from engine.models.found import FoundModel, ModelScan


def summary_words(scan: ModelScan) -> str:
    """Say how much was looked at, and what was passed over."""
    words = [tr("{count} folders", count=f"{scan.folders:,}")]
    if scan.unreadable:
        words.append(tr("{count} unreadable", count=f"{scan.unreadable:,}"))
    if scan.links:
        words.append(tr("{count} links not followed", count=f"{scan.links:,}"))
    if scan.cut_short:
        words.append(one_line(scan.cut_short))
    return " · ".join(words)


def detail_lines(found: FoundModel) -> list[Fact | Content]:
    """Tell all that is known of a find."""
    facts = _of_adapter(found) if found.kind == "adapter" else _of_model(found)
    lines: list[Fact | Content] = [
        Fact(tr(name), Content(words)) for name, words in facts.items() if words
    ]
    if found.problem:
        lines.append(Content.styled(f"✗ {visible(found.problem)}", "$text-error"))
    elif found.kind == "adapter" and not found.base_here:
        words = f"▲ {tr('Its base is not on this machine: nothing can be made of it without.')}"
        lines.append(Content.styled(words, "$text-warning"))
    return lines


def _of_adapter(found: FoundModel) -> dict[str, str]:
    """Say where an adapter lies, on what it stands, what it is, and which task made it."""
    base = found.base
    if found.base_path:
        base = tr("{base}, in {folder}", base=base, folder=found.base_path)
    parts = [tr("rank {rank}", rank=found.rank)] if found.rank is not None else []
    parts += [tr("alpha {alpha}", alpha=f"{found.alpha:g}")] if found.alpha is not None else []
    parts += [listed(found.targets)] if found.targets else []
    return {
        mark("path"): one_line(found.path),
        mark("base"): one_line(base) or tr("not named"),
        mark("adapter"): one_line(" · ".join([*parts, *found.variants])),
        mark("task"): one_line(found.task_name),
    }


def _of_model(found: FoundModel) -> dict[str, str]:
    """Say where a model lies and what it is."""
    parts = [found.architecture, found.quantization]
    parts += [tr("made of {base}", base=found.base)] if found.base else []
    parts += [tr("no chat template")] if found.chat_template is False else []
    model = one_line(" · ".join(filter(None, parts)))
    return {mark("path"): one_line(found.path), mark("model"): model}
