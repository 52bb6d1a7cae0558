"""What all tests share: a home of their own, a tiny model, the samples."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import sample_datasets
from engine.home import Home
from tests.tiny_llama import make_tiny_llama

# Whatever the developer's locale is; for the processes that tests start, too
os.environ["LORADECK_LANGUAGE"] = "en"


@pytest.fixture(autouse=True)
def _no_home_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test fail that has no home of its own and reaches for the user's."""
    monkeypatch.setenv("LORADECK_HOME", os.devnull)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A fresh home, named in the environment as a user would."""
    root = tmp_path / "home"
    monkeypatch.setenv("LORADECK_HOME", str(root))
    return Home(root).prepare()


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny random Llama."""
    return make_tiny_llama(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of the sample datasets."""
    return Path(sample_datasets.__file__).parent
