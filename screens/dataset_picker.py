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

from engine.errors import LoraDeckError, NotFoundError
from engine.language import mark, tr
from screens.base import DeckScreen, back_binding
from screens.draft import ChosenDataset, absolute, is_there, leads_on, pasted_path
from screens.format import one_line
from screens.layers import ask, open_above
from screens.looking import look_at
from screens.rendering import marked
from screens.widgets.dataset_list import DatasetList
from screens.widgets.dataset_tree import DatasetTree
from screens.widgets.field import PathField
from screens.widgets.line_list import LineList
from screens.widgets.preview import Preview

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from engine.data.types import Inspection
    from engine.server.wire import DatasetInfo
    from screens.messages import EngineStatusChanged
    from screens.session import Session

SETTLE_SECONDS = 0.12  # seconds that the cursor rests before a file is read
_FIRST_SAMPLE = "alpaca_example.json"
_INVITATION = mark("Move to a dataset, or type a path: what is in it appears here.")


class DatasetPicker(DeckScreen[ChosenDataset | None]):
    """Answers with the dataset that was chosen, as it was looked at."""

    HEADING = mark("Dataset")
    CSS_PATH = "dataset_picker.tcss"
    AUTO_FOCUS = "DatasetList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash,tilde", "path", "Path", key_display="/", id="datasets.path",
                tooltip="Type a path; Tab completes it"),
        Binding("e", "rows", "Rows, edit", id="datasets.rows",
                tooltip="Page through the rows, search and edit them"),
        Binding("m", "mapping", "Columns", id="datasets.mapping",
                tooltip="Set which column holds what"),
        Binding("p", "preview", "Preview", id="datasets.preview",
                tooltip="Go to the preview, to scroll it"),
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
        self._mappings: dict[str, dict[str, str]] = {}
        self._looking = ""
        self._refused = ""
        self._wanted = False

    def compose_body(self) -> ComposeResult:
        """Lay out path, lists and preview."""
        with Vertical(id="picker"):
            with Vertical(id="sources"):
                with Vertical(id="path-box") as box:
                    box.border_title = tr("Path")
                    yield PathField("/path/to/data.jsonl", id="path")
                with Vertical(id="lists"):
                    known = DatasetList(tr("No dataset at hand."), id="known")
                    known.border_title = tr("Recent, managed, samples")
                    yield known
                    files = DatasetTree(Path.cwd(), id="files")
                    files.border_title = tr("Files")
                    files.guide_depth = 2
                    yield files
            yield Preview(id="preview")

    def on_mount(self) -> None:
        """Ask for the known datasets."""
        self.preview.say(tr(_INVITATION))
        if self.session.ahead.take():
            self.known.action_choose()
        self._list()

    @work(group="list", exclusive=True, exit_on_error=False)
    async def _list(self, path: str = "") -> None:
        """Show the known datasets, those that can be read first; go to the one at a path."""
        if self.session.status.state != "ready":
            return  # asked again once it is
        found = await self.session.client.datasets()
        found.sort(key=_place)  # which leaves the recent ones in their order
        self.known.show({dataset.path: dataset for dataset in found})
        if path in self.known.items:
            self.known.cursor = path

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
        if event.value and typed.suffix and is_there(typed):
            self._look(str(typed))

    def _look(self, path: str, *, choose: bool = False) -> None:
        """Look at a dataset, and choose it once that is done; a look that runs goes on."""
        if self._wanted and not choose:
            self.session.ahead.forget()
        self._wanted = choose
        if path == self._looking:
            return
        if self._shown is not None and self._shown.path == path:
            self._stop_looking()
            self._name_preview(path)
            self.preview.put(self._shown, mapping=bool(self.mapping_of(path)))
            self._answer_if_wanted()
            self._mark()
            return
        self._looking = path
        self._inspect(path)

    @work(group="look", exclusive=True, exit_on_error=False)
    async def _inspect(self, path: str) -> None:
        """Read a dataset, once the cursor rests on it, and show what it is, or what is wrong."""
        await asyncio.sleep(SETTLE_SECONDS)
        self._name_preview(path)
        self._shown, self._refused = None, ""
        self.preview.say(tr("Reading…"))
        mapping = self.mapping_of(path)
        try:
            self._shown = await look_at(self.session, path, mapping, self.preview.progress)
        except LoraDeckError as error:
            self._refused, self._wanted = path, False
            self.session.ahead.forget()
            self.preview.refuse(error, mapping=not isinstance(error, NotFoundError))
        else:
            self.preview.put(self._shown, mapping=bool(mapping))
        finally:
            if self._looking == path:
                self._looking = ""
        self._answer_if_wanted()
        self._mark()

    @work(group="mask", exclusive=True, exit_on_error=False)
    async def _mark(self) -> None:
        """Show the first row as the chosen base model gets it."""
        if self._shown is None or not self._shown.preview:
            return
        shown, row = self._shown, self._shown.preview[0]
        text = await marked(self.session, row, self.session.length)
        if self._shown is shown:
            model = one_line(self.session.base_model)
            title = tr("row {row} as {model} gets it", row=f"{row.row:,}", model=model)
            self.preview.put_row(title if model else tr("the mask"), text)

    def _stop_looking(self) -> None:
        """Break a look off: the engine ends its work on it."""
        self.workers.cancel_group(self, "look")
        self._looking = ""

    def _answer_if_wanted(self) -> None:
        """Answer with a dataset that was chosen and can be read; what cannot stays in words."""
        if self._wanted and self._shown is not None:
            path = self._shown.path
            self.dismiss(ChosenDataset(self._shown, self.mapping_of(path)))

    def mapping_of(self, path: str) -> dict[str, str]:
        """Tell which column holds what in a dataset, as far as the user has set it."""
        return self._mappings.get(path, {})

    def _name_preview(self, path: str) -> None:
        """Say which file the preview shows."""
        from textual.content import Content

        from screens.format import one_line

        self.preview.border_title = Content(tr("Preview · {name}", name=one_line(Path(path).name)))

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
        if leads_on(path):
            self.files.path = path
            self.set_focus(self.files)
        else:
            self._choose(str(path))

    def _choose(self, path: str) -> None:
        """Answer with a dataset, once it has been looked at; more Enters are for what follows."""
        if self._wanted and path == self._present:
            self.session.ahead.keep(self)
        else:
            self._look(path, choose=True)

    def on_paste(self, event: events.Paste) -> None:
        """Choose the dataset whose path was pasted, or that was dropped on the terminal."""
        event.stop()
        if (path := pasted_path(event.text)) is not None:
            self.path.value = path
            self._choose(path)

    # What the user does with the dataset in the preview

    @property
    def _present(self) -> str:
        """The path of the dataset that the preview is about."""
        if self._shown is not None:
            return self._shown.path
        return self._looking or self._refused

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_mapping(self) -> None:
        """Let the user say which column holds what, and look again."""
        from screens.mapping_dialog import MappingDialog

        path, shown = self._present, self._shown
        if not path:
            self.notify(tr(_INVITATION), markup=False)
            return
        shape = shown.shape if shown else None
        columns = shown.columns if shown else ()
        mapping = self.mapping_of(path) or (shape.columns if shape else {})
        dialog = MappingDialog(shown.dataset_type if shown else "", mapping, columns)
        answer = await ask(self, dialog)
        if answer is not None:
            self._mappings[path] = answer
            self._stop_looking()
            self._shown = None
            self._look(path)

    def action_rows(self) -> None:
        """Open the dataset's rows."""
        if self._shown is None:
            later = tr("Its rows can be opened once it has been read.")
            self.notify(later if self._present else tr(_INVITATION), markup=False)
            return
        from screens.dataset import DatasetScreen

        path = self._shown.path
        self._wanted = False
        open_above(self, DatasetScreen(self.session, path, self.mapping_of(path), self._saved))

    def _saved(self, saved: DatasetInfo) -> None:
        """Show a version that was saved from the rows."""
        self._mappings[saved.path] = self.mapping_of(self._present)
        self._list(saved.path)

    # Moving

    def action_path(self) -> None:
        """Begin a path."""
        if not self.path.value:
            self.path.value = str(Path.cwd()).rstrip("/") + "/"
        self.set_focus(self.path)
        self.path.action_end()

    def action_preview(self) -> None:
        """Go to the preview."""
        self.set_focus(self.preview)

    def action_back(self) -> None:
        """Go back without a choice."""
        self.session.ahead.forget()
        self.dismiss(None)


def _place(dataset: DatasetInfo) -> tuple[bool, bool, bool, bool, str]:
    """Order datasets: recent ones as they come, managed ones by name, samples, broken ones."""
    name = "" if dataset.recent else dataset.name
    other = not dataset.recent and name != _FIRST_SAMPLE
    return bool(dataset.problem), dataset.sample, not dataset.recent, other, name
