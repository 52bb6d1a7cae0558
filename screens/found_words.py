"""What a scan found, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from engine.text import visible
from screens.format import one_line
from screens.widgets.facts import Fact

if TYPE_CHECKING:
    from engine.models.found import FoundModel, ModelScan


def summary_words(scan: ModelScan) -> str:
    """Say how much was looked at, and what was passed over."""
    words = [f"{scan.folders:,} folders"]
    words += [f"{scan.unreadable:,} unreadable"] if scan.unreadable else []
    words += [f"{scan.links:,} links not followed"] if scan.links else []
    words += [one_line(scan.cut_short)] if scan.cut_short else []
    return " · ".join(words)


def detail_lines(found: FoundModel) -> list[Fact | Content]:
    """Tell all that is known of a find."""
    facts = _of_adapter(found) if found.kind == "adapter" else _of_model(found)
    lines: list[Fact | Content] = [
        Fact(name, Content(words)) for name, words in facts.items() if words
    ]
    if found.problem:
        lines.append(Content.styled(f"✗ {visible(found.problem)}", "$text-error"))
    elif found.kind == "adapter" and not found.base_here:
        words = "▲ Its base is not on this machine: nothing can be made of it without."
        lines.append(Content.styled(words, "$text-warning"))
    return lines


def _of_adapter(found: FoundModel) -> dict[str, str]:
    """Say where an adapter lies, on what it stands, what it is, and which task made it."""
    base = f"{found.base}, in {found.base_path}" if found.base_path else found.base
    parts = [f"rank {found.rank}"] if found.rank is not None else []
    parts += [f"alpha {found.alpha:g}"] if found.alpha is not None else []
    parts += [", ".join(found.targets)] if found.targets else []
    return {
        "path": one_line(found.path),
        "base": one_line(base) or "not named",
        "adapter": one_line(" · ".join([*parts, *found.variants])),
        "task": one_line(found.task_name),
    }


def _of_model(found: FoundModel) -> dict[str, str]:
    """Say where a model lies and what it is."""
    parts = [found.architecture, found.quantization]
    parts += [f"made of {found.base}"] if found.base else []
    parts += ["no chat template"] if found.chat_template is False else []
    return {"path": one_line(found.path), "model": one_line(" · ".join(filter(None, parts)))}
