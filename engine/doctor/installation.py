"""Python and its packages: versions, and builds that fit the driver. Imports none of them."""

from __future__ import annotations

import importlib.util
import platform
import re
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from engine.doctor.check import Check, ok, problem, warning
from engine.language import listed, mark, tr
from engine.plan.nvidia import driver_versions
from engine.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

_NVIDIA = "0x10de"
_DISPLAY = "0x03"
BUILDS = mark("Install the build of torch for your driver: https://pytorch.org/get-started")
_PACKAGES, _DRIVER = mark("packages"), mark("driver")


def check_installation(system: Path = Path("/")) -> Iterator[Check]:
    """Look at what is installed.

    Args:
        system: Where the file system begins; another folder in tests.
    """
    # An older interpreter could not have loaded this file
    yield ok(mark("python"), platform.python_version())
    yield _packages()
    cuda = _torch_version("cuda")
    yield from _driver(cuda, system)
    yield from _bitsandbytes(cuda)


def _packages() -> Check:
    """Compare what is installed with the ranges that were tested."""
    try:
        wanted = [Requirement(line) for line in metadata.requires("loradeck") or []]
    except metadata.PackageNotFoundError:
        return problem(_PACKAGES, tr("loradeck itself is not installed"), "make setup")
    needed = [item for item in wanted if item.marker is None or item.marker.evaluate()]
    wrong = [words for item in needed if (words := _mismatch(item))]
    if wrong:
        hint = tr("pip install -c constraints.txt -e . installs the tested set.")
        return problem(_PACKAGES, "; ".join(wrong), hint)
    torch = metadata.version("torch")
    words = tr(
        "all {count} within their tested ranges; torch {torch}", count=len(needed), torch=torch
    )
    return ok(_PACKAGES, words)


def _mismatch(wanted: Requirement) -> str:
    """Say what is wrong with one package; nothing where it fits."""
    try:
        found = metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        return tr("{name} is missing", name=wanted.name)
    if wanted.specifier.contains(found, prereleases=True):
        return ""
    return tr(
        "{name} {version} is outside {range}",
        name=wanted.name,
        version=found,
        range=wanted.specifier,
    )


def _driver(cuda: str, system: Path) -> Iterator[Check]:
    """Compare NVIDIA's driver with the CUDA that torch was built for.

    A driver runs what was built for its own major version of CUDA and for older ones (NVIDIA,
    "CUDA Compatibility").
    """
    found = driver_versions()
    if found is None:
        if _has_card(system):
            words = tr("an NVIDIA card is there, but no driver answers")
            hint = tr("Look with: nvidia-smi. In a container: docker run --gpus all")
            yield warning(_DRIVER, words, hint)
        return
    driver, newest = found
    told = {"version": visible(driver), "newest": f"{newest[0]}.{newest[1]}", "cuda": cuda}
    if not cuda:
        return  # the device's check tells that a card is not used
    if int(cuda.partition(".")[0]) > newest[0]:
        words = tr(
            "NVIDIA {version}, for CUDA up to {newest}, is too old for torch's CUDA {cuda}", **told
        )
        yield problem(_DRIVER, words, tr("Update the driver. Or: {instead}", instead=tr(BUILDS)))
    else:
        words = tr("NVIDIA {version}, for CUDA up to {newest}; torch is built for {cuda}", **told)
        yield ok(_DRIVER, words)


def _has_card(system: Path) -> bool:
    """Tell whether a graphics card of NVIDIA's is on the bus."""
    for device in (system / "sys/bus/pci/devices").glob("*"):
        try:
            vendor = (device / "vendor").read_text().strip()
            kind = (device / "class").read_text()
        except OSError:
            continue
        if vendor == _NVIDIA and kind.startswith(_DISPLAY):
            return True
    return False


def _torch_version(kind: str) -> str:
    """Read which ``cuda`` or ``hip`` torch was built for; empty for none."""
    folder = _package("torch")
    try:
        text = (folder / "version.py").read_text(encoding="utf-8") if folder else ""
    except OSError:
        return ""
    found = re.search(rf"^{kind}\b[^=\n]*= '(\d+\.\d+)", text, re.MULTILINE)
    return found.group(1) if found else ""


def _bitsandbytes(cuda: str) -> Iterator[Check]:
    """Look for bitsandbytes' own library for the CUDA of torch, as it would itself."""
    folder = _package("bitsandbytes")
    if folder is None:
        return  # the packages' check tells
    hip = _torch_version("hip")
    wanted = f"cuda{cuda}" if cuda else f"rocm{hip}" if hip else "cpu"
    names = [path.stem.partition("_")[2] for path in sorted(folder.glob("libbitsandbytes_*"))]
    # The same major version does: its first digits stand before the minor version's
    major = wanted.partition(".")[0]
    fitting = [name for name in names if name.startswith(major)]
    if fitting:
        version = metadata.version("bitsandbytes")
        words = tr("{version}, with its library for {wanted}", version=version, wanted=wanted)
        yield ok("bitsandbytes", words)
    else:
        there = listed(names) or tr("none")
        words = tr("no library for {wanted}; it has: {names}", wanted=wanted, names=there)
        hint = tr("4-bit weights need one: pip install --force-reinstall bitsandbytes")
        yield warning("bitsandbytes", visible(words), hint)


def _package(name: str) -> Path | None:
    """Find a package's folder without importing it."""
    found = importlib.util.find_spec(name)
    return Path(found.origin).parent if found and found.origin else None
