"""The home: closed to others, the user's own, on a disk that knows locks."""

from __future__ import annotations

import os
import shlex
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

from engine.doctor.check import Check, ok, problem, warning
from engine.language import listed, mark, tr
from engine.text import some, visible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.home import Home

_OTHERS = 0o077
"""The permission bits of everybody but the owner."""
_OVER_A_NETWORK = (
    *("nfs", "cifs", "smb", "9p", "drvfs", "lustre", "gpfs", "beegfs", "ceph", "afs", "glusterfs"),
    *("fuse.sshfs", "fuse.ceph", "fuse.glusterfs", "fuse.s3fs", "fuse.rclone"),
)
_PERMISSIONS = mark("permissions")


def check_home_folder(home: Home) -> Iterator[Check]:
    """Look at the home's folder."""
    if home.root.exists() and not home.root.is_dir():
        words = tr("{path} is a file, no folder", path=visible(str(home.root)))
        yield problem(_PERMISSIONS, words, "export LORADECK_HOME=FOLDER")
        return
    yield _permissions(home)
    yield from _owners(home)
    yield from _file_system(home)


def _permissions(home: Home) -> Check:
    """Make sure that nobody else can reach the home or the server's socket."""
    private = [path for path in (home.run, home.socket.parent, home.socket) if _is_open(path)]
    paths = list(dict.fromkeys([*private, *([home.root] if _is_open(home.root) else [])]))
    if not paths:
        return ok(_PERMISSIONS, tr("the home is closed to others"))
    names = listed(visible(str(path)) for path in paths)
    words = tr("open to other users: {names}", names=names)
    # Whoever reaches the socket can start trainings; the rest can only be read
    report = problem if private else warning
    return report(_PERMISSIONS, words, f"chmod go= {shlex.join(map(str, paths))}")


def _is_open(path: Path) -> bool:
    """Tell whether others may do anything with a path."""
    with suppress(OSError):
        return bool(path.stat().st_mode & _OTHERS)
    return False


def _owners(home: Home) -> Iterator[Check]:
    """Find files that somebody else owns, as one ``sudo loradeck`` leaves them."""
    folders = (home.root, home.run, home.tasks, home.models, home.models / "lora", home.datasets)
    foreign = [path for folder in folders for path in _children(folder) if not _is_ours(path)]
    if foreign:
        words = tr("not yours: {names}", names=some([visible(path.name) for path in foreign]))
        hint = f"sudo chown -R {os.getuid()}:{os.getgid()} {shlex.quote(str(home.root))}"
        yield problem(mark("owner"), words, hint)


def _children(folder: Path) -> list[Path]:
    """List a folder; nothing where that is not possible."""
    with suppress(OSError):
        return sorted(folder.iterdir())
    return []


def _is_ours(path: Path) -> bool:
    """Tell whether a path belongs to this user, or is gone by now."""
    try:
        return path.lstat().st_uid == os.getuid()
    except OSError:
        return True


def _file_system(home: Home) -> Iterator[Check]:
    """Find out whether the home lies on another machine's disk."""
    kind = _kind_of(home.root)
    if not kind.startswith(_OVER_A_NETWORK):
        return
    words = tr(
        "the home lies on {kind}: locks may not hold there, and sockets may not work",
        kind=visible(kind),
    )
    hint = tr("export LORADECK_HOME=FOLDER, a folder on a local disk")
    yield warning(mark("file system"), words, hint)


def _kind_of(path: Path) -> str:
    """Name the kind of file system that a path lies on; empty where that is not known."""
    mounts = {part.mountpoint: part.fstype for part in psutil.disk_partitions(all=True)}
    place = path.resolve()
    return next((mounts[str(one)] for one in (place, *place.parents) if str(one) in mounts), "")
