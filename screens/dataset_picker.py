"""Choosing a dataset: a typed path, the known ones, the file system, and a preview."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import DirectoryTree, Input, Tree

from engine.data.types import Inspection
from engine.errors import LoraDeckError
from screens.base import DeckScreen, back_binding
from screens.draft import absolute, pasted_path
from screens.widgets.dataset_list import DatasetList
from screens.widgets.dataset_tree import DatasetTree
from screens.widgets.field import PathField
from screens.widgets.line_list import LineList
from screens.widgets.preview import Preview

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from screens.messages import EngineStatusChanged
    from screens.session import Session

SETTLE_SECONDS = 0.12  # seconds that the cursor rests before a file is read
_INVITATION = "Move to a dataset, or type a path: what is in it appears here."


class DatasetPicker(DeckScreen[Inspection | None]):
    """Answers with the inspection of the dataset that was chosen."""

    HEADING = "Dataset"
    CSS_PATH = "dataset_picker.tcss"
    AUTO_FOCUS = "DatasetList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash,tilde", "path", "Path", key_display="/", id="datasets.path",
                tooltip="Type a path; Tab completes it"),
        Binding("right,l", "app.focus_next", "Next", show=False, id="datasets.next",
                tooltip="Next field"),
        Binding("left,h", "app.focus_previous", "Previous", show=False, id="datasets.previous",
                tooltip="Field before"),
        back_binding(),
    ]  # fmt: skip

    path = query_one(PathField)
    known = query_one(DatasetList)
    files = query_one(DatasetTree)
    preview = query_one(Preview)

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._shown: Inspection | None = None

    def compose_body(self) -> ComposeResult:
        """Lay out path, lists and preview."""
        with Vertical(id="picker"):
            with Vertical(id="sources"):
                with Vertical(id="path-box") as box:
                    box.border_title = "Path"
                    yield PathField("/path/to/data.jsonl", id="path")
                with Vertical(id="lists"):
                    known = DatasetList("No dataset at hand.", id="known")
                    known.border_title = "Samples and datasets"
                    yield known
                    files = DatasetTree(Path.cwd(), id="files")
                    files.border_title = "Files"
                    files.guide_depth = 2
                    yield files
            yield Preview(id="preview")

    def on_mount(self) -> None:
        """Ask for the known datasets."""
        self.preview.say(_INVITATION)
        self._list()

    @work(group="list", exclusive=True, exit_on_error=False)
    async def _list(self) -> None:
        """Show the known datasets, those that can be read first."""
        found = await self.session.client.datasets()
        found.sort(key=lambda dataset: (bool(dataset.problem), dataset.sample, dataset.name))
        self.known.show({dataset.path: dataset for dataset in found})

    def on_engine_status_changed(self, message: EngineStatusChanged) -> None:
        """Ask again once the engine is there."""
        super().on_engine_status_changed(message)
        if self.session.status.state == "ready":
            self._list()

    # Looking

    @on(LineList.Highlighted, "#known")
    def _known_highlighted(self, event: LineList.Highlighted) -> None:
        """Look at the dataset under the cursor."""
        if event.key is not None:
            self._look(event.key)

    @on(Tree.NodeHighlighted, "#files")
    def _file_highlighted(self, event: Tree.NodeHighlighted[object]) -> None:
        """Look at the file under the cursor."""
        path = getattr(event.node.data, "path", None)
        if self.files.has_focus and path is not None and not event.node.allow_expand:
            self._look(absolute(str(path)))

    @on(Input.Changed, "#path")
    def _path_typed(self, event: Input.Changed) -> None:
        """Look at what was typed, once it is a file."""
        event.stop()
        typed = Path(absolute(event.value))
        if event.value and typed.suffix and typed.is_file():
            self._look(str(typed))

    @work(group="look", exclusive=True, exit_on_error=False)
    async def _look(self, path: str) -> None:
        """Read a file when the cursor rests on it, and show what it is."""
        await asyncio.sleep(SETTLE_SECONDS)
        await self._inspected(path)

    async def _inspected(self, path: str) -> Inspection | None:
        """Read a file and show what it is, or what is wrong with it."""
        self._name_preview(path)
        if self._shown is not None and self._shown.path == path:
            return self._shown
        self._shown = None
        self.preview.say("Reading…")
        try:
            self._shown = await self.session.client.inspect(path)
        except LoraDeckError as error:
            self.preview.refuse(error)
        else:
            self.preview.put(self._shown)
        return self._shown

    def _name_preview(self, path: str) -> None:
        """Say which file the preview shows."""
        from textual.content import Content

        from screens.format import one_line

        self.preview.border_title = Content(f"Preview · {one_line(Path(path).name)}")

    # Choosing

    @on(LineList.Chosen, "#known")
    def _known_chosen(self, event: LineList.Chosen) -> None:
        """Choose a known dataset."""
        self._choose(event.key)

    @on(DirectoryTree.FileSelected)
    def _file_chosen(self, event: DirectoryTree.FileSelected) -> None:
        """Choose a file."""
        event.stop()
        self._choose(absolute(str(event.path)))

    @on(Input.Submitted, "#path")
    def _path_given(self, event: Input.Submitted) -> None:
        """Choose the typed path; a folder is opened in the tree."""
        event.stop()
        path = Path(pasted_path(event.value) or absolute(event.value))
        if not event.value.strip():
            return
        if path.is_dir():
            self.files.path = path
            self.set_focus(self.files)
        else:
            self._choose(str(path))

    @work(group="look", exclusive=True, exit_on_error=False)
    async def _choose(self, path: str) -> None:
        """Answer with a dataset that can be read; what cannot stays in the preview, in words."""
        inspection = await self._inspected(path)
        if inspection is not None:
            self.dismiss(inspection)

    def on_paste(self, event: events.Paste) -> None:
        """Choose the dataset whose path was pasted, or that was dropped on the terminal."""
        event.stop()
        if (path := pasted_path(event.text)) is not None:
            self.path.value = path
            self._choose(path)

    # Moving

    def action_path(self) -> None:
        """Begin a path."""
        if not self.path.value:
            self.path.value = str(Path.cwd()).rstrip("/") + "/"
        self.set_focus(self.path)
        self.path.action_end()

    def action_back(self) -> None:
        """Go back without a choice."""
        self.dismiss(None)
