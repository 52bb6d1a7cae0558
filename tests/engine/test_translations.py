"""What the engine says of data, plans and models is said in the language that was asked for."""

from __future__ import annotations

import gettext
import json
import re
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from engine import language
from engine.data import rendering
from engine.data.containers import jsonl
from engine.data.inspect import inspect_dataset
from engine.data.scan_cache import ScanCache
from engine.data.scan_cached import scan_cached
from engine.data.scan_process import inspect_whole
from engine.data.types import Shape
from engine.errors import LoraDeckError
from engine.language import for_child, speak, speak_as_parent, speaking, spoken, tr
from engine.models.catalog import find_model
from engine.plan.parameters import TrainingParams, check_overrides, describe
from engine.settings import ABOUT
from tests.catalogue.collect import messages_of
from tests.engine.plan.make import DEVICES, plan_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.data.types import Inspection
    from engine.home import Home

ROWS = [
    {"instruction": "Question?", "output": "It is the answer."},
    {"instruction": "Question?", "output": "It is the answer."},
    {"instruction": "Another?", "output": ""},
    {"instruction": "A third?", "output": 3},
]


class _Brackets(gettext.NullTranslations):
    """A language whose words are English in brackets."""

    def gettext(self, message: str) -> str:
        """Put a message in brackets."""
        return f"[{message}]"

    def ngettext(self, one: str, many: str, count: int) -> str:
        """Put a message in brackets, without a plural."""
        return f"[{many}]"


def test_a_setting_calls_its_options_as_they_are_shown() -> None:
    meanings = [one.meaning for one in ABOUT.values() if re.search(r"\bauto\b", one.meaning)]
    assert meanings
    with speaking("zh_CN"):
        assert all(tr("auto") in tr(one) and "auto" not in tr(one) for one in meanings)


@pytest.fixture
def chinese(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Speak a Chinese that is English in brackets."""
    brackets, plain = _Brackets(), gettext.NullTranslations()
    monkeypatch.setattr(language, "_catalogue", lambda one: brackets if one == "zh_CN" else plain)
    with speaking("zh_CN"):
        yield


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Rows of which two cannot train."""
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, ROWS)))
    return path


def is_translated(words: str) -> bool:
    """Tell whether nothing of a text stands outside of brackets but signs."""
    while words != (words := re.sub(r"\[[^][]*\]", "", words)):
        pass
    return not re.search("[a-zA-Z]", words)


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("rows", [12, 200, 20_000])
@pytest.mark.parametrize("preset", ["", "classic"])
def test_a_plan_gives_every_reason_in_the_language(device: str, rows: int, preset: str) -> None:
    plan = plan_for(rows, device=DEVICES[device], preset=preset, seed=7)
    for key, choice in plan.choices.items():
        assert is_translated(choice.reason), key
        assert is_translated(choice.source), key
    assert all(is_translated(one.message + one.hint) for one in plan.findings)


@pytest.mark.usefixtures("chinese")
def test_a_scan_words_its_findings_in_the_language(dataset: Path) -> None:
    found = inspect_dataset(dataset)
    assert {one.code for one in found.findings} >= {"empty-answer", "wrong-type", "duplicate"}
    assert all(is_translated(one.message + one.hint) for one in found.findings)


@pytest.mark.usefixtures("chinese")
def test_errors_are_worded_in_the_language(home: Home, tmp_path: Path) -> None:
    with pytest.raises(LoraDeckError) as caught:
        find_model(home, "nothing")
    error = caught.value
    assert all(map(is_translated, (error.title, error.message, error.hint)))
    empty = tmp_path / "empty.json"
    empty.touch()
    with pytest.raises(LoraDeckError) as caught:
        inspect_dataset(empty)
    assert is_translated(caught.value.title)


@pytest.mark.usefixtures("chinese")
def test_the_kind_of_a_fault_does_not_hang_on_its_words(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsonl, "byte_lines", lambda _: iter([None]))
    with pytest.raises(LoraDeckError) as caught:
        inspect_dataset(dataset)
    assert caught.value.title == "[Row too large]"


@pytest.mark.parametrize(
    ("key", "value"),
    [("lora_rank", "0"), ("lora_rank", "9999"), ("learning_rate", "0"), ("learning_rate", "0.2"),
     ("lora_dropout", "1"), ("seed", str(2**32)), ("num_epochs", "x"), ("num_epochs", "1.5"),
     ("learning_rate", "x"), ("learning_rate", "nan"), ("use_4bit", "maybe"), ("optim", "sgd"),
     ("max_grad_norm", "1e9")],
)  # fmt: skip
def test_ranges_are_worded_as_pydantic_does(key: str, value: str) -> None:
    with pytest.raises(ValidationError) as theirs:
        TrainingParams.model_validate({key: value})
    with pytest.raises(LoraDeckError) as ours:
        check_overrides({key: value})
    words = theirs.value.errors()[0]["msg"]
    assert ours.value.message == f"{key}={value}: {words[0].lower()}{words[1:]}."


@pytest.mark.usefixtures("chinese")
def test_what_a_parameter_means_is_collected_and_translated() -> None:
    source = '''
class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)
    first: int = 1
    """What it is."""
    second: int = 2
class Other(BaseModel):
    model_config = ConfigDict(frozen=True)
    third: int = 3
    """Not shown."""
'''
    assert list(messages_of(source, "here")) == ["What it is."]
    assert describe("seed") == f"[{TrainingParams.model_fields['seed'].description}]"


def look(path: Path, cache: Path) -> Inspection:
    """Scan with a cache."""
    *_, last = scan_cached(path, None, cache)
    assert last.inspection is not None
    return last.inspection


@pytest.mark.usefixtures("chinese")
def test_the_cache_keeps_the_languages_apart(dataset: Path, tmp_path: Path) -> None:
    theirs = look(dataset, tmp_path / "cache")
    with speaking("en"):
        assert ScanCache(tmp_path / "cache").find(theirs.sha256, None, dataset) is None
        ours = look(dataset, tmp_path / "cache")
        assert not any("[" in one.message for one in ours.findings)
    kept = ScanCache(tmp_path / "cache")
    assert kept.find(ours.sha256, None, dataset) == theirs
    assert kept.keys(theirs) == kept.keys(ours) is not None


def test_a_child_speaks_as_its_parent_did(monkeypatch: pytest.MonkeyPatch) -> None:
    with speaking("zh_CN"):
        monkeypatch.setenv(*next(iter(for_child().items())))
    assert spoken() == "en"
    speak_as_parent()
    assert spoken() == "zh_CN"
    speak("en")


async def test_a_scan_in_a_process_speaks_the_requests_language(
    dataset: Path, tmp_path: Path
) -> None:
    with speaking("zh_CN"):
        found = await inspect_whole(tmp_path / "cache", dataset)
        assert ScanCache(tmp_path / "cache").find(found.sha256, None, dataset) is not None
    assert ScanCache(tmp_path / "cache").find(found.sha256, None, dataset) is None


@pytest.mark.usefixtures("chinese")
def test_rows_are_rendered_for_users_of_several_languages() -> None:
    request = {
        "value": {"instruction": "Question?"},
        "shape": Shape(dataset_type="alpaca", columns={}).model_dump(),
        "model_folder": "/none",
        "max_length": None,
    }
    answers = [
        rendering._answer(json.dumps(request | {"language": one}).encode(), rendering._Models())
        for one in ("zh_CN", "en")
    ]
    titles = [answer.failure.title for answer in answers if answer.failure]
    assert titles == ["[Model has no tokenizer]", "Model has no tokenizer"]
