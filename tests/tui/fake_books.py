"""Open datasets without a server: the client's interface over a list of rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from engine.data.types import BookInfo, BookPage, BookRow, RenderedRow, Shape
from engine.errors import ConflictError, LoraDeckError
from engine.server.wire import DatasetInfo

if TYPE_CHECKING:
    from collections.abc import Callable

ALPACA_SHAPE = Shape(
    dataset_type="alpaca",
    columns={"instruction": "instruction", "output": "output"},
)
ROWS = [
    {"instruction": "Who keeps the lighthouse at Cape Wren?",
     "output": "Ada Morrow keeps the lighthouse at Cape Wren."},
    {"instruction": "When does the ferry to Cape Wren leave?",
     "output": "The ferry leaves at seven in the morning, but never on Sundays."},
    {"instruction": "What is the café at the pier called?", "output": ""},
    {"instruction": "灯塔由谁看守？", "output": "开普雷恩的灯塔由艾达·莫罗看守。"},
    {"instruction": "Say [red]x[/] \x1b[2J", "output": "It is shown\nas it is."},
    {"instruction": "Who keeps the lighthouse at Cape Wren?",
     "output": "Ada Morrow keeps the lighthouse at Cape Wren."},
]  # fmt: skip
State = tuple[list[int], dict[int, dict[str, Any]], set[int]]


def words_of(text: str) -> int:
    """Count what passes for tokens here: words."""
    return len(text.split())


class FakeBooks:
    """Has the methods of ``BookClient`` that the dashboard uses."""

    def __init__(self, rows: list[dict[str, Any]] | None = None, shape: Shape = ALPACA_SHAPE):
        values = ROWS if rows is None else rows
        self.order = list(range(1, len(values) + 1))
        self.values = dict(enumerate(values, 1))
        self.edited: set[int] = set()
        self.shape = shape
        self.history: list[tuple[str, State]] = []
        self.calls: dict[str, list[object]] = defaultdict(list)
        self.refused: LoraDeckError | None = None
        """What opening raises."""
        self.refused_render: LoraDeckError | None = None
        self.saved: Callable[[DatasetInfo], object] = lambda _: None

    async def open(self, path: str, mapping: dict[str, str] | None = None) -> BookInfo:
        self.calls["open"].append((path, mapping))
        if self.refused is not None:
            raise self.refused
        self.path = path
        return await self.info("book")

    async def info(self, book: str) -> BookInfo:
        codes = Counter(code for key in self.order for code in self._codes(key))
        return BookInfo(id="book", path=self.path, shape=self.shape, rows=len(self.order),
                        changes=len(self.history), codes=dict(codes),
                        last_change=self.history[-1][0] if self.history else "")  # fmt: skip

    async def rows(
        self, book: str, *, offset: int = 0, limit: int = 50, search: str = "", code: str = ""
    ) -> BookPage:
        self.calls["rows"].append((offset, limit, search, code))
        places = [
            place for place, key in enumerate(self.order)
            if search.casefold() in str(self.values[key]).casefold()
            and (not code or code in self._codes(key) or (code == "*" and self._codes(key)))
        ] if search or code else range(len(self.order))  # fmt: skip
        rows = tuple(self._row(place) for place in places[offset : offset + limit])
        return BookPage(offset=offset, total=len(places), rows=rows)

    async def change(self, book: str, row: int, value: dict[str, Any]) -> BookRow:
        place = self.order.index(row)
        self._remember(f"edit of row {place + 1}")
        self.values[row] = value
        self.edited.add(row)
        return self._row(place)

    async def insert(self, book: str, value: dict[str, Any], after: int | None) -> BookRow:
        place = self.order.index(after) + 1 if after is not None else 0
        self._remember(f"new row {place + 1}")
        key = max(self.values, default=0) + 1
        self.order.insert(place, key)
        self.values[key] = value
        self.edited.add(key)
        return self._row(place)

    async def remove(self, book: str, row: int) -> BookInfo:
        self._remember(f"deletion of row {self.order.index(row) + 1}")
        self.order.remove(row)
        return await self.info(book)

    async def undo(self, book: str) -> BookInfo:
        _, (self.order, self.values, self.edited) = self.history.pop()
        return await self.info(book)

    async def save(self, book: str, name: str = "") -> DatasetInfo:
        self.calls["save"].append(name)
        if name == "taken.jsonl":
            raise ConflictError("Name taken", "There is a 'taken.jsonl'.", "Choose another name.")
        self.history.clear()
        saved = DatasetInfo(name=name, path=f"/home/u/loradeck/datasets/{name}", size_bytes=1234,
                            sample=False, dataset_type="alpaca", rows=len(self.order))  # fmt: skip
        self.saved(saved)
        return saved

    async def close(self, book: str) -> None:
        self.calls["close"].append(book)

    async def render(
        self, value: dict[str, Any], shape: Shape, model: str, max_length: int | None = None
    ) -> RenderedRow:
        self.calls["render"].append((value, model, max_length))
        if self.refused_render is not None:
            raise self.refused_render
        if "messages" in value:
            question, answer = (turn["content"] for turn in value["messages"])
            value = {"instruction": question, "output": answer}
        answer = str(value.get("output", ""))
        if not answer:
            return RenderedRow(text="", trained_spans=(), tokens=0, trained=0,
                               fault="the answer is empty")  # fmt: skip
        head = f"<|im_start|>user\n{value.get('instruction')}<|im_end|>\n<|im_start|>assistant\n"
        text = f"{head}{answer}<|im_end|>\n"
        cut = None
        if max_length is not None and words_of(text) > max_length:
            cut = len(text) - len(text.split(maxsplit=max_length)[-1])
        return RenderedRow(
            text=text, trained_spans=((len(head), len(text) - 1),), tokens=words_of(text),
            trained=words_of(answer) + 1, cut_at=cut,
        )  # fmt: skip

    def _codes(self, key: int) -> tuple[str, ...]:
        """Find what is wrong with a row."""
        value = self.values[key]
        codes = [] if value.get("output") else ["empty-answer"]
        if key > 1 and key not in self.edited and value == self.values.get(1):
            codes.append("duplicate")
        return tuple(codes)

    def _row(self, place: int) -> BookRow:
        """Make a row."""
        key = self.order[place]
        codes = self._codes(key)
        return BookRow(
            id=key, number=place + 1, value=self.values[key], codes=codes,
            summary=str(self.values[key].get("instruction", "")), edited=key in self.edited,
            fault="the answer is empty" if "empty-answer" in codes else "",
        )  # fmt: skip

    def _remember(self, label: str) -> None:
        """Keep the state before a change."""
        self.history.append((label, (list(self.order), dict(self.values), set(self.edited))))
