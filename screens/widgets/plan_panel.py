"""The plan of a run in one quiet panel: what it will do, what it needs, what it would cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from engine.language import listed, mark, tr
from engine.text import human_count
from screens.format import fitted, one_line, rate_words
from screens.widgets.facts import hung
from screens.widgets.findings import error_text, finding_text

if TYPE_CHECKING:
    from textual import events

    from engine.plan.types import Plan
    from screens.next_plan import NextPlan, Wishes

_TWO_COLUMNS = 70
_GAP = 2
_LABEL = 16
_PARAMS_WIDTH = 33
_TALL = 36  # lines of a terminal in which the reasons have room
_VALUE = 12
_NAMES = {
    "num_epochs": mark("epochs"),
    "batch_size": mark("effective batch"),
    "learning_rate": mark("learning rate"),
    "lora_rank": mark("rank"),
    "max_seq_length": mark("length"),
}
_INVITATION = mark("Choose a dataset and a base model: how the run will go appears here.")
Fact = tuple[str, Content]


class PlanPanel(Static):
    """Shows a plan, that one is being made, or why there is none."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(markup=False, id=id)
        self.border_title = tr("Plan")
        self.plan: Plan | None = None
        self.waiting = False
        self._note = Content()

    def invite(self) -> None:
        """Say what the panel is for."""
        self.plan, self.waiting, self.border_subtitle = None, False, ""
        self._note = Content.styled(tr(_INVITATION), "$muted")
        self._draw()

    def put(self, made: NextPlan) -> None:
        """Show a plan, that one is being made, or why there is none."""
        self.plan, self.waiting = made.plan, made.outcome is None
        told = made.wishes.words, tr("p: the whole plan")
        self.border_subtitle = Content(" · ".join(filter(None, told)))
        if made.refusal is not None:
            self._note = Content("\n").join([error_text(made.refusal), *_undoing(made.wishes)])
        else:
            self._note = Content.styled(tr("Planning…"), "$muted")
        self._draw()

    @property
    def ready(self) -> bool:
        """Tell whether there is a plan that nothing speaks against."""
        if self.plan is None or self.plan.device.hypothetical:
            return False
        return not any(finding.level == "error" for finding in self.plan.findings)

    def on_resize(self, _: events.Resize) -> None:
        """Put the facts into one column or two."""
        self._draw()

    def _draw(self) -> None:
        """Draw what there is."""
        if self.plan is None:
            self.update(self._note)
            return
        width = self.content_size.width
        material, params = _material(self.plan), _params(self.plan)
        if width < _TWO_COLUMNS:
            lines = [*_column(material, _LABEL), *_column(_named(params), _LABEL)]
        elif self.app.size.height < _TALL:
            lines = _side_by_side(_column(material, 9), _column(_named(params), _LABEL), width)
        else:
            lines = [*_column(material, _LABEL), *_explained(params, self.plan)]
        lines = [line.truncate(width, ellipsis=True) for line in lines]
        lines += [hung(finding_text(finding), width) for finding in self.plan.findings]
        self.update(Content("\n").join(lines))


def _material(plan: Plan) -> list[Fact]:
    """List what the run works on and needs."""
    from screens.sums import device_words, memory_words, time_words

    rows = tr("{rows} rows", rows=f"{plan.train_rows:,}")
    steps = filter(None, (f"{plan.total_steps:,}", time_words(plan)))
    return [
        (tr("dataset"), Content(listed((plan.dataset.dataset_type, rows)))),
        (tr("model"), Content(_model_words(plan))),
        (tr("device"), device_words(plan.device)),
        (tr("memory"), memory_words(plan.memory)),
        (tr("steps"), Content(listed(steps))),
    ]


def _params(plan: Plan) -> dict[str, Content]:
    """List the parameters that matter most, by their keys."""
    params = plan.training_params
    batch = f"{params.effective_batch}"
    if params.gradient_accumulation_steps > 1:
        batch += f"  ({params.batch_size} × {params.gradient_accumulation_steps})"
    facts = {
        "num_epochs": f"{params.num_epochs}",
        "batch_size": batch,
        "learning_rate": rate_words(params.learning_rate),
        "lora_rank": f"{params.lora_rank}",
        "max_seq_length": _length_words(plan),
    }
    return {key: Content(words) for key, words in facts.items()}


def _named(params: dict[str, Content]) -> list[Fact]:
    """Give parameters their names."""
    return [(tr(_NAMES[key]), words) for key, words in params.items()]


def _model_words(plan: Plan) -> str:
    """Write the model with its size and number format."""
    shape = plan.model.shape
    size = [human_count(shape.parameters)] if shape else []
    bits = tr("4-bit") if plan.training_params.use_4bit else plan.training_params.dtype
    return listed((one_line(plan.model.name), *size, bits))


def _length_words(plan: Plan) -> str:
    """Write the length limit and what it cuts."""
    tokens = tr("{count} tokens", count=f"{plan.training_params.max_seq_length:,}")
    return f"{tokens}, {tr('{rows} cut', rows=f'{plan.rows_cut:,}')}" if plan.rows_cut else tokens


def _undoing(wishes: Wishes) -> list[Content]:
    """Say how to undo what may have refused the plan."""
    if not wishes.words:
        return []
    words = tr("{wishes}: p shows it and takes it back.", wishes=wishes.words)
    return [Content.styled(words, "$text-warning")]


def _column(facts: list[Fact], label_width: int) -> list[Content]:
    """Draw facts beneath each other."""
    return [
        Content.assemble((fitted(label, label_width), "$muted"), words) for label, words in facts
    ]


def _explained(params: dict[str, Content], plan: Plan) -> list[Content]:
    """Draw parameters with the reason for each."""
    lines = []
    for key, words in params.items():
        choice = plan.choices.get(key)
        name = fitted(tr(_NAMES[key]), _LABEL)
        value = words.pad_right(max(_VALUE - words.cell_length, 0))
        reason = f"  {one_line(choice.reason)}" if choice else ""
        lines.append(Content.assemble((name, "$muted"), value, (reason, "$muted")))
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
