"""Names and addresses that Ollama would refuse are told before anything is made."""

from __future__ import annotations

import pytest

from engine.errors import LoraDeckError
from engine.results.ollama.host import base_url, is_local
from engine.results.ollama.names import check_model_name, default_name, same_model


@pytest.mark.parametrize(
    "name",
    ["a", "my-model", "my_model:v1.2", "me/my-model:latest", "host:5000/me/m:x", "M" * 80, "_x"],
)
def test_names_that_ollama_takes(name: str) -> None:
    assert check_model_name(name) == name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "the model's name is empty"),
        ("my model", "letters, digits"),
        ("-x", "begins with"),
        (".x", "begins with"),
        ("m:", "the tag is empty"),
        ("m:x:y", "the model's name may hold"),
        ("m:" + "t" * 81, "81 characters"),
        ("m" * 81, "81 characters"),
        ("a.b/m", "the namespace may hold"),
        ("/m", "the namespace is empty"),
        ("a/b/c/d", "two slashes"),
        ("a b/c/d", "no host"),
        ("модель", "letters, digits"),
        ("m\x1b[31m", "letters, digits"),
        ("m:cloud", "ollama.com"),
        ("m:20b-cloud", "ollama.com"),
    ],
)
def test_names_that_it_refuses(name: str, words: str) -> None:
    with pytest.raises(LoraDeckError, match=words) as caught:
        check_model_name(name)
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("adapter", "name"),
    [
        ("my-first", "my-first"),
        ("Mein erster Versuch!", "mein-erster-versuch"),
        ("..x..", "x"),
        ("模型", "adapter"),
        ("a" * 200, "a" * 80),
        ("v1.2:final", "v1.2-final"),
    ],
)
def test_a_name_is_made_of_any_adapters(adapter: str, name: str) -> None:
    assert check_model_name(default_name(adapter)) == name


def test_case_and_a_missing_tag_make_no_other_model() -> None:
    assert same_model("Bot", "bot:latest")
    assert same_model("library/bot", "bot")
    assert not same_model("bot:v2", "bot")
    assert not same_model("me/bot", "bot")


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),  # noqa: S104
        (":8000", "http://127.0.0.1:8000"),
        ("box", "http://box:11434"),
        ("box:8000/", "http://box:8000"),
        ("http://box", "http://box:80"),
        ("https://box/ollama/", "https://box:443/ollama"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("[::]", "http://[::1]:11434"),
        ("::1", "http://[::1]:11434"),
        ("HTTP://Box", "http://box:80"),
    ],
)
def test_addresses_mean_what_ollamas_own_programs_take_them_for(
    given: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OLLAMA_HOST", raising=False)
    assert base_url(given) == url
    monkeypatch.setenv("OLLAMA_HOST", given or "127.0.0.1")
    assert base_url("") == url


@pytest.mark.parametrize(
    "given",
    [
        "ftp://box",
        "box:port",
        "http://me:secret@box",
        "box?x=1",
        "a b",
        "a\nb",
        "[::1",
        "box:99999",
    ],
)
def test_what_is_no_address(given: str) -> None:
    with pytest.raises(LoraDeckError, match="Not an address"):
        base_url(given)


def test_what_is_this_machine() -> None:
    assert is_local("http://127.0.0.1:11434")
    assert is_local("http://[::1]:1")
    assert is_local("http://localhost:1")
    assert not is_local("http://10.0.0.5:11434")
    assert not is_local("https://ollama.example:443")
