"""The file system, as far as it can hold datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import DirectoryTree

from engine.data.endings import is_dataset_name
from engine.text import visible
from screens.draft import is_saved_dataset, leads_on

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rich.text import TextType


class DatasetTree(DirectoryTree):
    """Folders, and the files in them that may be datasets; hidden ones are left out.

    A folder that ``save_to_disk`` wrote stands as one dataset.
    """

    ICON_NODE = "▸ "
    ICON_NODE_EXPANDED = "▾ "
    ICON_FILE = "  "

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor_down", "Down", show=False, id="tree.down", tooltip="Next file"),
        Binding("k", "cursor_up", "Up", show=False, id="tree.up", tooltip="File before"),
        Binding("backspace,minus,u", "parent_folder", "Folder above", show=False, id="tree.above",
                tooltip="Show the folder above"),
        Binding("o", "whole_folder", "Whole folder", show=False, id="tree.folder",
                tooltip="Take the folder with all its files as one dataset"),
    ]  # fmt: skip

    def filter_paths(self, paths: Iterable[Path]) -> Iterable[Path]:
        """Leave out what cannot be or hold a dataset."""
        return [path for path in paths if not path.name.startswith(".") and self._offered(path)]

    def process_label(self, label: TextType) -> Text:
        """Make a file's name safe to show, without markup."""
        return super().process_label(Text(visible(str(label)) or " "))

    def action_parent_folder(self) -> None:
        """Go up one folder."""
        path = self._safe_path()
        if path.parent != path:
            self.path = path.parent

    def action_whole_folder(self) -> None:
        """Take the folder under the cursor as one dataset."""
        node = self.cursor_node
        if node is not None and node.data is not None:
            path = node.data.path
            folder = path if self._safe_is_dir(path) else path.parent
            self.post_message(self.FileSelected(node, folder))

    @staticmethod
    def _safe_is_dir(path: Path) -> bool:
        """Tell whether a path is a folder to look into."""
        return leads_on(path)

    def _safe_path(self) -> Path:
        """Give the folder at the root, absolute."""
        from pathlib import Path

        return Path(self.path).absolute()

    def _offered(self, path: Path) -> bool:
        """Tell whether a path is a folder or may be a dataset."""
        return self._safe_is_dir(path) or is_dataset_name(path.name) or is_saved_dataset(path)
