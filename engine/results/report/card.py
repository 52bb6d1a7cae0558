"""The model card beside an adapter: what it is, and the report on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from engine.language import speaking
from engine.results.report.markdown import parameter_table, report_body
from engine.text import human_count, visible

if TYPE_CHECKING:
    from engine.plan.types import Plan
    from engine.results.report.types import Report
    from engine.train.spec import TaskSpec


@speaking("en")
def card(spec: TaskSpec, report: Report | None) -> str:
    """Write the model card: what the adapter was trained on, from, how, and what that was worth.

    Args:
        report: ``None`` where it could not be made.
    """
    plan = spec.plan
    size = human_count(plan.model.shape.parameters) if plan.model.shape else "unknown size"
    return f"""---
library_name: peft
base_model: {json.dumps(plan.model.name, ensure_ascii=False)}
tags: [lora, sft, loradeck]
---

# {visible(spec.task_name)}

A LoRA adapter for {visible(plan.model.name)} ({size}), trained by LoRADeck on the answers of
{plan.dataset.rows} rows ({plan.dataset.dataset_type}){_began(plan)}.

{report_body(report) if report else _unjudged(plan)}"""


def _unjudged(plan: Plan) -> str:
    """Say what is known of an adapter without a report."""
    return f"""It was not judged. Dataset SHA-256: `{plan.dataset.sha256}`

{parameter_table(plan.training_params.model_dump(mode="json"))}
"""


def _began(plan: Plan) -> str:
    """Say which adapter the training started from, where it did not start anew."""
    return f", starting from the adapter {Path(plan.adapter).name}" if plan.adapter else ""
