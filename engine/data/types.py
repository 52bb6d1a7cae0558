"""What a dataset becomes once it is read: conversations, findings, an inspection."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

DatasetType = Literal["alpaca", "sharegpt", "messages", "prompt_completion", "text", "preference"]
Role = Literal["system", "user", "assistant", "tool"]
Level = Literal["error", "warning", "note"]


class ToolCall(BaseModel):
    """An assistant's call of a function."""

    model_config = ConfigDict(frozen=True)

    name: str
    arguments: dict[str, Any] | str
    """As most templates want them, an object; a text only where it is no JSON object."""


class Message(BaseModel):
    """One turn of a conversation, as chat templates want it."""

    model_config = ConfigDict(frozen=True)

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    """Of an assistant; its content may be empty then."""
    name: str = ""
    """Of a tool's answer: the function that gave it."""


class Conversation(BaseModel):
    """One dataset row in normal form."""

    model_config = ConfigDict(frozen=True)

    row: int
    """The row's number in its file, counted from 1."""
    messages: tuple[Message, ...]
    tools: tuple[dict[str, Any], ...] = ()
    """The functions the assistant may call, as JSON schemas in OpenAI's form."""
    plain: bool = False
    """A plain text: its one assistant message is trained whole, without a chat template."""


class Shape(BaseModel):
    """How rows are to be read: their type, and which column holds what."""

    model_config = ConfigDict(frozen=True)

    dataset_type: DatasetType
    columns: dict[str, str]
    """The row's column for each field of the type, e.g. ``{"instruction": "问题"}``; only those
    that the rows have."""
    guessed: bool = False
    """Whether a column's name had to be interpreted; then the user is shown the mapping."""


class Finding(BaseModel):
    """Something about the rows that the user should know, with what to do."""

    model_config = ConfigDict(frozen=True)

    level: Level
    """An ``error`` refuses the start; ``warning`` and ``note`` are advice."""
    code: str
    """A stable identifier, e.g. ``empty-answer``."""
    message: str
    hint: str
    count: int
    """How many rows are concerned."""
    rows: tuple[int, ...]
    """The first of those rows, counted from 1; at most ten."""


class Histogram(BaseModel):
    """How a measure is spread over the rows."""

    model_config = ConfigDict(frozen=True)

    p50: int
    p95: int
    p99: int
    longest: int
    total: int
    bins: tuple[tuple[int, int], ...]
    """At most 20 pairs, ascending: the largest value of the bin, and how many rows fall in it."""


def is_few(count: int, rows: int) -> bool:
    """Tell whether so many rows are left out without asking: at most one in a hundred."""
    return count * 100 <= rows


class Inspection(BaseModel):
    """What looking at a dataset file found, before any tokenizer is involved."""

    model_config = ConfigDict(frozen=True)

    path: str
    dataset_type: DatasetType
    rows: int
    """All rows of the file, those with faults among them."""
    faulty: int = 0
    """Rows that cannot train: with an error finding."""
    findings: tuple[Finding, ...]
    sha256: str
    """Of the file's bytes; of a folder, of its files' names and bytes."""
    size_bytes: int
    container: str = ""
    """What the file is, for people: ``JSONL``, ``CSV in GB18030``, ``Parquet``, ``JSON, gzip``."""
    shape: Shape | None = None
    """How the rows are read."""
    columns: tuple[str, ...] = ()
    """The columns that the first rows have, for a mapping."""
    turns: Histogram | None = None
    characters: Histogram | None = None
    languages: tuple[tuple[str, float], ...] = ()
    """ISO 639-1 codes with their share of the sampled rows, largest first."""
    preview: tuple[Conversation, ...] = ()
    """The first rows that can train; at most three."""

    @property
    def can_train(self) -> bool:
        """Tell whether a run may start as it is: with no faulty row, or at most one in a hundred.

        Those few are left out, and counted.
        """
        if not any(finding.level == "error" for finding in self.findings):
            return True
        return self.faulty > 0 and is_few(self.faulty, self.rows)


class Scanning(BaseModel):
    """How far an inspection is, and what it has found so far."""

    model_config = ConfigDict(frozen=True)

    rows: int
    """Rows looked at so far."""
    share: float | None
    """Of the file's bytes, 0 to 1; ``None`` where that cannot be known."""
    findings: tuple[Finding, ...] = ()
    inspection: Inspection | None = None
    """The result, in the last of them."""


class RenderedRow(BaseModel):
    """A row as the model gets it: what is trained, and what is not."""

    model_config = ConfigDict(frozen=True)

    text: str
    trained_spans: tuple[tuple[int, int], ...]
    """Start and end in ``text``, in characters, of what the trained tokens stand for."""
    tokens: int
    trained: int
    """Of those, tokens that the loss is computed on."""
    cut_at: int | None = None
    """Where a length limit cuts ``text``, in characters; ``None`` where it does not."""
    fault: str = ""
    """Why the row cannot train, with ``text`` empty; or empty."""
    notes: tuple[str, ...] = ()
    """What the model's chat template made of the row that the user may not expect."""


class BookInfo(BaseModel):
    """A dataset that is open for paging and editing: a copy; the file is never touched."""

    model_config = ConfigDict(frozen=True)

    id: str
    path: str
    """The file it was made from."""
    shape: Shape
    rows: int
    changes: int
    """Edits since it was opened or saved that can be undone."""
    last_change: str = ""
    """What undo would take back: ``edit of row 3``."""
    codes: dict[str, int]
    """The codes of the findings that rows bear, with how many rows bear each."""
    complete: bool = True
    """Whether the file is read to its end; until then rows are added while others are shown."""
    share: float | None = 1.0
    """Of the file, how much is read, 0 to 1; ``None`` where that cannot be known."""
    unreadable: int = 0
    """Rows that cannot be read at all: shown with their fault, and left out when saving."""
    problem: str = ""
    """Why the file could not be read to its end; then it cannot be saved. Or empty."""


class BookRow(BaseModel):
    """One row of an open dataset."""

    model_config = ConfigDict(frozen=True)

    id: int
    """Stays the same while other rows come and go."""
    number: int
    """Its place, counted from 1."""
    value: dict[str, Any]
    """As it stands in the file."""
    codes: tuple[str, ...]
    """Of the findings that name it; after an edit, of the checks that look at one row alone."""
    summary: str
    """One line: its first question or text."""
    fault: str = ""
    """Why it cannot train; or empty."""
    edited: bool = False


class BookPage(BaseModel):
    """Some rows of an open dataset, in order."""

    model_config = ConfigDict(frozen=True)

    offset: int
    """How many matching rows come before."""
    total: int
    """How many rows match."""
    rows: tuple[BookRow, ...]


class Lengths(BaseModel):
    """Token counts of rendered rows: with the model's own template and tokenizer."""

    model_config = ConfigDict(frozen=True)

    rows: int
    """Rows in the file that can train."""
    measured: int
    """Rows that were tokenized; fewer than ``rows`` where the file is large."""
    p50: int
    p95: int
    p99: int
    longest: int
    total: int
    """Tokens in the measured rows."""
    trained: int
    """Of those, tokens that the loss is computed on: the answers and their end-of-turn token."""
    counts: tuple[int, ...]
    """Every measured row's tokens, ascending: what a length limit would cut is read off here."""
    starts: tuple[tuple[int, int], ...] = ()
    """Of each measured row, the tokens before its first trained one and its number, most first."""
    findings: tuple[Finding, ...] = ()
    """About the rows with this model: no trained token, no end-of-turn token, over its context,
    its special tokens in the text, refused by its template."""
    estimated_total: int = 0
    """Tokens of all rows, by the measured tokens a character; ``total`` where all are measured."""
    estimated_trained: int = 0
    """Of those, trained ones."""
    error: float = 0.0
    """How far off the estimate may be, as a share: half the width of its 95 % interval; 0 where
    all rows were measured."""
    histogram: Histogram | None = None
    """Of the measured rows' tokens."""
    over_context: int = 0
    """Measured rows with more tokens than the model's context."""
