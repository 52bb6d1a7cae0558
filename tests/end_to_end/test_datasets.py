"""``loradeck datasets``, as a user would go about it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.end_to_end.conftest import CommandLine

pytestmark = pytest.mark.end_to_end


def _editor(folder: Path, python: str) -> str:
    """Make an editor that runs a program over the text ``t`` of the file it is given."""
    script = folder / "editor.py"
    script.write_text(
        "import pathlib, sys\np = pathlib.Path(sys.argv[1])\n"
        f"assert p.stat().st_mode & 0o777 == 0o600\nt = p.read_text()\n{python}\np.write_text(t)\n"
    )
    return f"python3 {script}"


def test_a_dataset_from_first_to_last(
    loradeck: CommandLine, tmp_path: Path, tiny_llama: Path
) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("问题,答案\nq1,The first answer.\nq2,\x1b[31mThe second answer.\n")
    added = loradeck.json("datasets", "add", rows, "--name", "faq")
    assert (added["name"], added["rows"]) == ("faq.csv", 2)
    listed = loradeck.json("datasets", "list")
    assert listed == loradeck.json("datasets")
    assert listed[0]["name"] == "faq.csv"

    first = loradeck.json("datasets", "preview", "faq", "--row", "1")[0]
    assert [one["content"] for one in first["messages"]] == ["q1", "The first answer."]
    shown = loradeck.run("datasets", "preview", "faq.csv", "--model", tiny_llama, "--rows", "2")
    assert "⟦…⟧" in shown
    assert "The first answer." in shown.partition("\n")[2].partition("⟦")[2].partition("⟧")[0]
    assert "\x1b" not in shown
    assert "trained" in shown

    loradeck.environment |= {"VISUAL": _editor(tmp_path, "t = t.replace('first', 'mended')")}
    saved = loradeck.json("datasets", "edit", "faq", "--row", "1")
    assert (saved["name"], saved["rows"]) == ("faq.v2.jsonl", 2)
    assert "mended" in (loradeck.home.datasets / "faq.v2.jsonl").read_text()
    assert "Nothing was changed" in loradeck.run("datasets", "edit", "faq.v2", "--row", "2")
    assert "first" in rows.read_text()
    assert "first" in (loradeck.home.datasets / "faq.csv").read_text()

    target = tmp_path / "out.jsonl"
    done = loradeck.json("datasets", "export", "faq.v2", target, "--as", "messages")
    assert done["rows"] == 2
    turns = [json.loads(line)["messages"] for line in target.read_text().splitlines()]
    assert turns[0][1] == {"role": "assistant", "content": "The mended answer."}
    assert "--force" in loradeck.run("datasets", "export", "faq.v2", target, code=2)
    assert "--yes" in loradeck.run("datasets", "remove", "faq.csv", code=2)
    loradeck.run("datasets", "remove", "faq.csv", "--yes")
    assert [path.name for path in loradeck.home.datasets.iterdir()] == ["faq.v2.jsonl"]


def test_rows_are_added_and_deleted_in_an_editor(loradeck: CommandLine, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    values = [{"instruction": f"q{number}", "output": "An answer."} for number in range(4)]
    rows.write_text("".join(json.dumps(one) + "\n" for one in values))
    change = (
        "import json\nv = json.loads(t)\ndel v[1]\n"
        "v[0]['output'] = 'Changed.'\nv += [v[1], {'instruction': 'new', 'output': 'x y z'}]\n"
        "t = json.dumps(v)"
    )
    loradeck.environment |= {"EDITOR": _editor(tmp_path, change)}
    loradeck.environment["VISUAL"] = ""
    saved = loradeck.json("datasets", "edit", rows)
    lines = (loradeck.home.datasets / saved["name"]).read_text().splitlines()
    assert [json.loads(line)["instruction"] for line in lines] == ["q0", "q2", "q3", "q2", "new"]
    assert json.loads(lines[0])["output"] == "Changed."


def test_what_cannot_be_done_is_said(loradeck: CommandLine, tmp_path: Path, samples: Path) -> None:
    loradeck.environment |= {"VISUAL": "", "EDITOR": ""}
    for arguments, words in (
        (("edit", "alpaca_zh"), "EDITOR"),
        (("preview", "alpaca_exmaple.json"), "alpaca_example.json"),
        (("preview", "/no/such.json"), "/no/such.json"),
        (("preview", "alpaca_zh", "--row", "99"), "12 rows"),
        (("preview", "alpaca_zh", "--map", "instruction=nothing"), "nothing"),
        (("add", samples / "broken" / "empty.json"), "empty"),
        (("add", samples / "alpaca_example.json", "--name", "a/b"), "no name"),
        (("export", "alpaca_zh", "x.xyz"), ".parquet"),
        (("remove", "nothing.json", "--yes"), "nothing.json"),
        (("remove", "../tasks.json", "--yes"), "is no name"),
        (("remove", "alpaca_example.json", "--yes"), "came with the program"),
    ):
        told = loradeck.run("datasets", *arguments, code=2)
        assert words in told, f"{arguments}: {told}"
        assert "Traceback" not in told
    for python, words in (("t = '{broken'", "Line 1, column 2"), ("t = '[1]'", "object")):
        loradeck.environment |= {"EDITOR": _editor(tmp_path, python), "TMPDIR": str(tmp_path)}
        told = loradeck.run("datasets", "edit", "alpaca_zh", "--row", "1", code=2)
        assert words in told, told
        assert "is kept in" in told
    for editor, words in (("false", "status 1"), ("/no/such/editor", "No such file")):
        loradeck.environment["EDITOR"] = editor
        assert words in loradeck.run("datasets", "edit", "alpaca_zh", "--row", "1", code=2)
    assert not list(loradeck.home.datasets.iterdir())
