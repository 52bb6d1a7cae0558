"""The home folder: where everything that LoRADeck keeps has its place."""

from __future__ import annotations

import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path

from engine.errors import LoraDeckError
from engine.language import tr
from engine.text import check_utf8, visible

_SOCKET_PATH_LIMIT = 100  # the kernel's is 104 to 108 bytes with the final zero


@dataclass(frozen=True)
class Home:
    """Paths below one home folder. Nothing outside this class joins them by hand."""

    root: Path

    @classmethod
    def locate(cls) -> Home:
        """Find the home: ``$LORADECK_HOME``, else the platform's data folder."""
        given = os.environ.get("LORADECK_HOME")
        try:
            root = Path(given).expanduser() if given else user_data_path("loradeck", False)
        except RuntimeError as error:
            raise LoraDeckError(
                tr("Home not found"),
                f"LORADECK_HOME={given}: {error}",
                tr("Name a folder of your own."),
            ) from error
        return cls(Path(check_utf8(str(root.absolute()))))

    @property
    def store_file(self) -> Path:
        """The task records."""
        return self.root / "tasks.json"

    @property
    def settings_file(self) -> Path:
        """The user's settings."""
        return self.root / "settings.toml"

    @property
    def tour_mark(self) -> Path:
        """Is there once the tour of the dashboard was shown."""
        return self.root / "tour-seen"

    @property
    def token_file(self) -> Path:
        """The hash of the token that opens the interface over the network."""
        return self.root / "token.sha256"

    @property
    def datasets(self) -> Path:
        """Uploaded and managed datasets."""
        return self.root / "datasets"

    def dataset(self, name: str) -> Path:
        """One dataset of the home, a file or a folder."""
        return _child(self.datasets, name)

    @property
    def models(self) -> Path:
        """Base models, a folder each, and ``lora/``."""
        return self.root / "models"

    @property
    def cache(self) -> Path:
        """What looking at datasets found; may be deleted at any time."""
        return self.root / "cache"

    @property
    def calibrations(self) -> Path:
        """What runs on this machine have measured; may be deleted at any time."""
        return self.root / "calibrations.json"

    @property
    def encoded(self) -> Path:
        """Datasets as tokens, by content; may be deleted at any time."""
        return self.cache / "encoded"

    @property
    def tasks(self) -> Path:
        """A folder for each task."""
        return self.root / "tasks"

    def task(self, task_id: str) -> Path:
        """The folder of one task: its plan, journal, log, lock and checkpoints."""
        return _child(self.tasks, task_id)

    def removed_task(self, task_id: str) -> Path:
        """Where the folder of a task lies from its removal until its files are gone."""
        return _child(self.tasks, f".removed-{task_id}")

    def adapter(self, task_name: str) -> Path:
        """The folder of a task's finished adapter."""
        return _child(self.models / "lora", task_name)

    def partial_adapter(self, task_id: str) -> Path:
        """The folder in which a task's adapter is written before it gets its name."""
        return _child(self.models / "lora", f".partial-{task_id}")

    @property
    def jobs(self) -> Path:
        """A folder for each job: an export or a deployment."""
        return self.root / "jobs"

    def job(self, job_id: str) -> Path:
        """The folder of one job: its specification, journal, log and lock."""
        return _child(self.jobs, job_id)

    @property
    def exports(self) -> Path:
        """What was exported without a place of its own being named, a folder each."""
        return self.root / "exports"

    def export(self, name: str) -> Path:
        """The folder of one export."""
        return _child(self.exports, name)

    @property
    def assistants_file(self) -> Path:
        """The assistants."""
        return self.root / "assistants.json"

    @property
    def chats(self) -> Path:
        """The conversations, a file each."""
        return self.root / "chats"

    @property
    def chat_log(self) -> Path:
        """What the libraries of the process that holds a chat's model have said."""
        return self.run / "chat.log"

    @property
    def run(self) -> Path:
        """The engine server's lock, log and (where its path is short enough) socket."""
        return self.root / "run"

    @property
    def socket(self) -> Path:
        """The engine server's socket; in a short place where the home's path is too long for one.

        That place hangs on nothing but user and home: every client must find the same.
        """
        near = self.run / "engine.sock"
        if len(os.fsencode(near)) <= _SOCKET_PATH_LIMIT:
            return near
        import hashlib  # not needed to show the dashboard

        key = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        return Path(f"/tmp/loradeck-{os.getuid()}") / key / "engine.sock"  # noqa: S108 - claimed

    def prepare(self) -> Home:
        """Create the folders, for the user alone, and check that they can be written.

        Raises:
            LoraDeckError: The home cannot be created or written, or belongs to someone else.
        """
        folders = (
            self.root,
            self.run,
            self.datasets,
            self.models,
            self.models / "lora",
            self.tasks,
            self.jobs,
            self.exports,
            self.cache,
            self.socket.parent,
        )
        try:
            for folder in folders:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.run.chmod(0o700)
            with tempfile.TemporaryFile(dir=self.root):
                pass
        except OSError as error:
            raise LoraDeckError(
                tr("Home not writable"),
                tr(
                    "{path} cannot be written: {reason}.",
                    path=self.root,
                    reason=error.strerror or error,
                ),
                tr("Make the folder writable, or name another one: export LORADECK_HOME=FOLDER"),
            ) from error
        if self.socket.parent != self.run:
            self._claim(self.socket.parent.parent)
        self._claim(self.socket.parent)
        return self

    def _claim(self, folder: Path) -> None:
        """Close the socket's folder to others; refuse one that somebody else made."""
        found = folder.lstat()  # a link may lead to any folder of the user's
        if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode):
            raise LoraDeckError(
                tr("Folder of another user"),
                tr("{path} belongs to somebody else, or is a link.", path=folder),
                tr("Remove it, or take a home with a short path: export LORADECK_HOME=FOLDER"),
            )
        folder.chmod(0o700)


def _child(folder: Path, name: str) -> Path:
    """Join a name that may come from a client or a damaged store, and refuse to leave the folder.

    Raises:
        LoraDeckError: The name has path parts in it.
    """
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise LoraDeckError(
            tr("Name not usable"),
            tr("'{name}' is no name.", name=visible(name)),
            tr("Take one without folders."),
        )
    return folder / name
