"""The plan of a run in one quiet panel: what it will do, what it needs, what it would cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from engine.text import human_bytes, human_count
from screens.format import one_line, rate_words
from screens.widgets.findings import error_text, finding_text

if TYPE_CHECKING:
    from textual import events

    from engine.errors import LoraDeckError
    from engine.plan.types import Device, Plan

_TWO_COLUMNS = 70
_BAR = 5
_GAP = 2
_LABEL = 16
_PARAMS_WIDTH = 33
_TALL = 36  # lines of a terminal in which the reasons have room
_VALUE = 12
_KEYS = {
    "epochs": "num_epochs",
    "effective batch": "batch_size",
    "learning rate": "learning_rate",
    "rank": "lora_rank",
    "length": "max_seq_length",
}
Fact = tuple[str, Content]


class PlanPanel(Static):
    """Shows a plan, that one is being made, or why there is none."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(markup=False, id=id)
        self.border_title = "Plan"
        self.plan: Plan | None = None
        self.waiting = False
        self._note = Content()

    def invite(self) -> None:
        """Say what the panel is for."""
        self._say(
            Content.styled("Choose a dataset and a base model: how the run will go appears here.",
                           "$muted")
        )  # fmt: skip

    def wait(self) -> None:
        """Say that a plan is being made."""
        self._say(Content.styled("Planning…", "$muted"), waiting=True)

    def refuse(self, error: LoraDeckError) -> None:
        """Say why there is no plan."""
        self._say(error_text(error))

    def put(self, plan: Plan) -> None:
        """Show a plan."""
        self.plan, self.waiting = plan, False
        self._draw()

    @property
    def ready(self) -> bool:
        """Tell whether there is a plan that nothing speaks against."""
        return self.plan is not None and not any(
            finding.level == "error" for finding in self.plan.findings
        )

    def on_resize(self, _: events.Resize) -> None:
        """Put the facts into one column or two."""
        self._draw()

    def _say(self, words: Content, *, waiting: bool = False) -> None:
        """Show words in place of a plan."""
        self.plan, self._note, self.waiting = None, words, waiting
        self._draw()

    def _draw(self) -> None:
        """Draw what there is."""
        if self.plan is None:
            self.update(self._note)
            return
        width = self.content_size.width
        material, params = _material(self.plan), _params(self.plan)
        if width < _TWO_COLUMNS:
            lines = [*_column(material, _LABEL), *_column(params, _LABEL)]
        elif self.app.size.height < _TALL:
            lines = _side_by_side(_column(material, 9), _column(params, _LABEL), width)
        else:
            lines = [*_column(material, _LABEL), *_explained(params, self.plan)]
        lines = [line.truncate(width, ellipsis=True) for line in lines]
        lines += [finding_text(finding) for finding in self.plan.findings]
        self.update(Content("\n").join(lines))


def _material(plan: Plan) -> list[Fact]:
    """List what the run works on and needs."""
    return [
        ("dataset", Content(f"{plan.dataset.dataset_type}, {plan.train_rows} rows")),
        ("model", Content(_model_words(plan))),
        ("device", Content(_device_words(plan.device))),
        ("memory", _memory(plan)),
        ("steps", Content(f"{plan.total_steps}")),
    ]


def _params(plan: Plan) -> list[Fact]:
    """List the parameters that matter most."""
    params = plan.training_params
    batch = f"{params.effective_batch}"
    if params.gradient_accumulation_steps > 1:
        batch += f"  ({params.batch_size} × {params.gradient_accumulation_steps})"
    facts = {
        "epochs": f"{params.num_epochs}",
        "effective batch": batch,
        "learning rate": rate_words(params.learning_rate),
        "rank": f"{params.lora_rank}",
        "length": _length_words(plan),
    }
    return [(label, Content(words)) for label, words in facts.items()]


def _model_words(plan: Plan) -> str:
    """Write the model with its size and number format."""
    shape = plan.model.shape
    size = f", {human_count(shape.parameters)}" if shape else ""
    bits = "4-bit" if plan.training_params.use_4bit else plan.training_params.dtype
    return f"{one_line(plan.model.name)}{size}, {bits}"


def _device_words(device: Device) -> str:
    """Write where the run computes."""
    if device.kind == "cpu":
        return f"CPU, {device.cores} core{'s' * (device.cores != 1)}"
    return one_line(device.name)


def _length_words(plan: Plan) -> str:
    """Write the length limit and what it cuts."""
    cut = f", {plan.rows_cut} cut" if plan.rows_cut else ""
    return f"{plan.training_params.max_seq_length} tokens{cut}"


def _memory(plan: Plan) -> Content:
    """Draw the memory needed beside what is free."""
    needed, free = plan.memory.total, plan.memory.free
    filled = max(1, min(_BAR, round(_BAR * needed / free))) if free else _BAR
    style = "$primary" if plan.memory.fits else "$error"
    words = f" {human_bytes(needed)} of {human_bytes(free)} free"
    return Content.assemble(
        ("━" * filled, style), ("─" * (_BAR - filled), "$faint"),
        words if plan.memory.fits else (f"{words} ✗ too little", "$text-error"),
    )  # fmt: skip


def _column(facts: list[Fact], label_width: int) -> list[Content]:
    """Draw facts beneath each other."""
    return [Content.assemble((label.ljust(label_width), "$muted"), words) for label, words in facts]


def _explained(params: list[Fact], plan: Plan) -> list[Content]:
    """Draw parameters with the reason for each."""
    lines = []
    for label, words in params:
        choice = plan.choices.get(_KEYS[label])
        value = words.pad_right(max(_VALUE - words.cell_length, 0))
        reason = f"  {one_line(choice.reason)}" if choice else ""
        lines.append(Content.assemble((label.ljust(_LABEL), "$muted"), value, (reason, "$muted")))
    return lines


def _side_by_side(left: list[Content], right: list[Content], width: int) -> list[Content]:
    """Put two columns of the same height beside each other."""
    room = max(width - _GAP - _PARAMS_WIDTH, width // 2)
    return [
        Content.assemble(
            one.truncate(room, ellipsis=True, pad=True),
            " " * _GAP,
            two.truncate(width - room - _GAP, ellipsis=True),
        )
        for one, two in zip(left, right, strict=True)
    ]
