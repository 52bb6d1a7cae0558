"""Chats, assistants and OpenAI's interface, over real sockets, with the official client."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
import openai
import pytest

from engine.errors import (
    ConflictError,
    EngineUnavailableError,
    ForbiddenError,
    LoraDeckError,
    NotFoundError,
)
from engine.language import speaking
from engine.results.chat.types import (
    Answered,
    Assistant,
    ChatMessage,
    ChatRequest,
    Conversation,
    Loading,
    Piece,
    Sampling,
)
from engine.server.client import EngineClient
from engine.tasks.record import Status
from tests.engine.chat.fake_process import Processes, use_fakes
from tests.engine.server.real import Served, served
from tests.engine.tasks.make import record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from engine.home import Home

QUESTION: Any = [{"role": "user", "content": "one two"}]


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Processes:
    return use_fakes(monkeypatch)


@pytest.fixture
async def engine(
    home: Home, monkeypatch: pytest.MonkeyPatch, tiny_llama: Path, processes: Processes
) -> AsyncIterator[Served]:
    """A served home with a base model, a completed task and its adapter."""
    (home.models / "tiny").symlink_to(tiny_llama)
    async with served(home, monkeypatch) as one:
        write_adapter(home.adapter("verses"), "tiny")
        for name, status in (("verses", Status.COMPLETED), ("waiting", Status.PENDING)):
            task = record(id=name[:4], task_name=name, base_model="tiny", status=status)
            home.task(task.id).mkdir()
            one.service.store.put(task)
        yield one


def write_adapter(folder: Path, base: str, **config: Any) -> Path:
    """Write an adapter with one pair of matrices for the tiny model."""
    folder.mkdir(parents=True)
    written = {"peft_type": "LORA", "base_model_name_or_path": base, "r": 2, **config}
    (folder / "adapter_config.json").write_text(json.dumps(written))
    layer = "base_model.model.model.layers.0.self_attn.q_proj"
    header = {
        f"{layer}.lora_A.weight": {"dtype": "F32", "shape": [2, 64], "data_offsets": [0, 512]},
        f"{layer}.lora_B.weight": {"dtype": "F32", "shape": [64, 2], "data_offsets": [512, 1024]},
    }
    text = json.dumps(header).encode()
    content = len(text).to_bytes(8, "little") + text + bytes(1024)
    (folder / "adapter_model.safetensors").write_bytes(content)
    return folder


@pytest.fixture
async def client(engine: Served) -> AsyncIterator[EngineClient]:
    async with EngineClient(engine.home) as one:
        yield one


def local_openai(engine: Served) -> openai.AsyncOpenAI:
    """The official client over the Unix socket."""
    transport = httpx.AsyncHTTPTransport(uds=str(engine.home.socket))
    http = httpx.AsyncClient(transport=transport)
    return openai.AsyncOpenAI(
        api_key="-", base_url="http://engine/v1", http_client=http, max_retries=0
    )


def remote_openai(engine: Served, token: str | None = None) -> openai.AsyncOpenAI:
    """The official client over the network."""
    return openai.AsyncOpenAI(
        api_key=token or engine.token,
        base_url=f"http://127.0.0.1:{engine.port}/v1",
        http_client=httpx.AsyncClient(trust_env=False),
        max_retries=0,
    )


def question(target: str, **given: Any) -> ChatRequest:
    """A question to somebody."""
    messages = (ChatMessage(role="user", content="one two"),)
    return ChatRequest(target=target, messages=messages, **given)


async def test_whoever_is_named_answers(
    client: EngineClient, processes: Processes, engine: Served, tmp_path: Path
) -> None:
    folder = write_adapter(tmp_path / "another", "tiny")
    write_adapter(engine.home.adapter("lone"), "tiny")
    targets = ("tiny", "verses", "vers", "lone", str(folder))
    for target in targets:
        events = [event async for event in client.chat(question(target))]
        assert isinstance(events[-1], Answered), events
        assert [one.text for one in events if isinstance(one, Piece)] == ["one ", "two "]
    (process,) = processes.all
    names = [one.voice.adapter.rpartition("/")[2] for one in process.asked]
    assert names == ["", "verses", "verses", "lone", "another"]
    status = await client.chat_status()
    assert (status.loaded, status.adapters) == (True, ("verses", "lone", "another"))
    _ = [one async for one in client.chat(question("verses", base=True))]
    assert process.asked[-1].voice.adapter == ""
    assert not (await client.unload_chat()).loaded


async def test_the_model_speaks_to_each_in_the_language_of_whoever_asks(
    client: EngineClient, processes: Processes, engine: Served
) -> None:
    with speaking("zh_CN"):
        theirs = EngineClient(engine.home)
    async with theirs as chinese:
        for asker in (chinese, client):
            _ = [event async for event in asker.chat(question("tiny"))]
    (process,) = processes.all
    assert process.started.language == "zh_CN"
    assert [one.language for one in process.asked] == ["zh_CN", "en"]


async def test_an_assistant_brings_its_prompt_and_settings(
    client: EngineClient, processes: Processes
) -> None:
    kept = Assistant(
        name="poet",
        base_model="tiny",
        adapter="verses",
        system="Rhyme.",
        sampling=Sampling(temperature=0, max_tokens=9),
    )
    assert await client.create_assistant(kept) == kept
    with pytest.raises(ConflictError):
        await client.create_assistant(kept)
    assert await client.assistants() == [kept]
    _ = [one async for one in client.chat(question("poet"))]
    other = question("poet", system="Speak plainly.", sampling=Sampling(seed=1))
    _ = [one async for one in client.chat(other)]
    first, second = processes.all[0].asked
    assert [one.content for one in first.messages] == ["Rhyme.", "one two"]
    assert (first.sampling, first.voice.adapter[-7:]) == (kept.sampling, "/verses")
    assert second.messages[0].content == "Speak plainly."
    assert second.sampling.seed == 1
    changed = kept.model_copy(update={"system": ""})
    assert await client.put_assistant(changed) == await client.assistant("poet") == changed
    await client.delete_assistant("poet")
    with pytest.raises(NotFoundError):
        await client.assistant("poet")


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("nobody", "no base model"),
        ("waiting", "has made no adapter"),
        ("/no/such/folder", "does not exist"),
        ("org/absent", "not on this machine yet"),
        ("", "no base model"),
    ],
)
async def test_who_cannot_answer_is_told_before_anything_is_loaded(
    client: EngineClient, processes: Processes, target: str, words: str
) -> None:
    with pytest.raises(LoraDeckError, match=words):
        _ = [one async for one in client.chat(question(target))]
    assert not processes.all


async def test_what_cannot_be_asked_is_told_before_the_stream_begins(
    client: EngineClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = ChatMessage(role="assistant", content="x")
    with pytest.raises(LoraDeckError, match="No question"):
        await anext(client.chat(ChatRequest(target="tiny", messages=(answered,))))
    with pytest.raises(NotFoundError, match="~nobody-of-this-name"):
        await anext(client.chat(question("~nobody-of-this-name/x")))
    monkeypatch.setattr("engine.server.chat_service._MOST_WAITING", 0)
    with pytest.raises(LoraDeckError, match="Too many questions"):
        await anext(client.chat(question("tiny")))


async def test_an_engine_that_ends_in_the_midst_leaves_no_half_answer(
    client: EngineClient, processes: Processes
) -> None:
    processes.endless = True
    stream = client.chat(question("tiny"))
    while not isinstance(await anext(stream), Piece):
        pass
    await client.stop()
    with pytest.raises(EngineUnavailableError, match="ended before the answer"):
        async for _ in stream:
            pass


async def test_adapters_of_no_use_are_told(
    client: EngineClient, engine: Served, processes: Processes, tmp_path: Path
) -> None:
    home = engine.home
    write_adapter(home.adapter("homeless"), "/gone/model")
    wide = write_adapter(home.adapter("wide"), "tiny") / "adapter_model.safetensors"
    wide.write_bytes(wide.read_bytes().replace(b"[2, 64]", b"[2, 65]"))
    deep = write_adapter(home.adapter("deep"), "tiny") / "adapter_model.safetensors"
    layer = b"layers.0.self_attn.q_proj.lora_A"
    deep.write_bytes(deep.read_bytes().replace(layer, layer.replace(b"0", b"9")))
    cut = write_adapter(home.adapter("cut"), "tiny") / "adapter_model.safetensors"
    cut.write_bytes(cut.read_bytes()[:-1])
    torn = write_adapter(home.adapter("torn"), "tiny") / "adapter_config.json"
    torn.write_text("{")
    pickled = write_adapter(home.adapter("pickled"), "tiny") / "adapter_model.safetensors"
    pickled.rename(pickled.with_name("adapter_model.bin"))
    for target, words in {
        "homeless": "'homeless' was trained on '/gone/model'",
        "wide": "does not fit this base model: .*q_proj has the size 64 x 64",
        "deep": "there is no model.layers.9",
        "cut": "cut short",
        "torn": "is damaged",
        "pickled": "pickles can run code",
    }.items():
        with pytest.raises(LoraDeckError, match=words):
            _ = [one async for one in client.chat(question(target))]
        bound = Assistant(name="x", base_model="tiny", adapter=target)
        if target != "homeless":
            with pytest.raises(LoraDeckError, match=words):
                await client.create_assistant(bound)
    assert not processes.all


async def test_closing_the_stream_ends_the_answer(
    client: EngineClient, engine: Served, processes: Processes
) -> None:
    processes.endless = True
    stream = client.chat(question("tiny"))
    while not isinstance(await anext(stream), Piece):
        pass
    await stream.aclose()  # type: ignore[attr-defined]
    while engine.service.chats.status().idle_seconds == 0:
        await asyncio.sleep(0)
    assert processes.all[0].cancelled == [1]


async def test_conversations_are_kept(client: EngineClient) -> None:
    messages = (ChatMessage(role="user", content="What is it?"),)
    kept = await client.save_conversation(
        Conversation(id="a-1", target="poet", title="", messages=messages)
    )
    assert kept.title == "What is it?"
    assert await client.conversations() == [await client.conversation("a-1")] == [kept]
    await client.delete_conversation("a-1")
    with pytest.raises(NotFoundError):
        await client.conversation("a-1")
    with pytest.raises(LoraDeckError, match="No id"):
        await client.conversation("a.b")


async def test_over_the_network_nobody_goes_by_a_path(engine: Served, tmp_path: Path) -> None:
    folder = str(write_adapter(tmp_path / "another", "tiny"))
    async with engine.remote() as http:
        body = {"target": folder, "messages": QUESTION}
        assert (await http.post("/chat", json=body)).status_code == ForbiddenError.http_status
        for field in ("base_model", "adapter"):
            bound = {"name": "x", "base_model": "tiny", "adapter": "verses", field: folder}
            for method, path in (("POST", "/assistants"), ("PUT", "/assistants/x")):
                assert (await http.request(method, path, json=bound)).status_code == 403
    async with remote_openai(engine) as ai:
        with pytest.raises(openai.PermissionDeniedError):
            await ai.chat.completions.create(model=folder, messages=QUESTION)


@pytest.mark.parametrize("connect", [local_openai, remote_openai])
async def test_openais_client_gets_whole_answers(
    engine: Served, processes: Processes, connect: Any
) -> None:
    engine.service.assistants.put(
        Assistant(name="poet", base_model="tiny", adapter="verses", system="Rhyme.")
    )
    ai = connect(engine)
    write_adapter(engine.home.adapter("anothers"), "tiny")
    listed = [one.id async for one in await ai.models.list()]
    assert listed == ["poet", "anothers", "verses", "tiny"]
    assert (await ai.models.retrieve("verses")).id == "verses"
    whole = await ai.chat.completions.create(
        model="poet",
        messages=[{"role": "user", "content": [{"type": "text", "text": "one two"}]}],
        temperature=0,
        top_p=0.5,
        max_completion_tokens=7,
        seed=3,
        stop="x",
        extra_body={"top_k": 4},
    )
    assert whole.choices[0].message.content == "one two "
    assert whole.choices[0].finish_reason == "stop"
    assert whole.usage is not None
    assert (whole.usage.prompt_tokens, whole.usage.completion_tokens) == (3, 2)
    asked = processes.all[0].asked[-1]
    assert asked.messages[0].content == "Rhyme."
    assert asked.sampling == Sampling(
        temperature=0, top_p=0.5, top_k=4, max_tokens=7, seed=3, stop=("x",)
    )
    stream = await ai.chat.completions.create(
        model="tiny", messages=QUESTION, stream=True, stream_options={"include_usage": True}
    )
    chunks = [one async for one in stream]
    texts = [one.choices[0].delta.content for one in chunks if one.choices]
    assert texts == ["", "one ", "two ", None]
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 5
    await ai.close()


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"model": "nobody"}, openai.NotFoundError, "no base model"),
        ({"n": 2}, openai.BadRequestError, "n: one answer"),
        ({"temperature": -1}, openai.BadRequestError, "temperature"),
        ({"stop": ["x"] * 17}, openai.BadRequestError, "stop"),
        ({"messages": []}, openai.BadRequestError, "messages"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, openai.BadRequestError, "last"),
        ({"tools": [{"type": "function"}]}, openai.BadRequestError, "functions"),
        ({"response_format": {"type": "json_object"}}, openai.BadRequestError, "plain text"),
        ({"presence_penalty": 1}, openai.BadRequestError, "repetition_penalty"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            openai.BadRequestError,
            "no image_url",
        ),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_openais_client_gets_errors_that_it_knows(
    engine: Served, wrong: dict[str, Any], error: Any, words: str, stream: bool
) -> None:
    ai = local_openai(engine)
    with pytest.raises(error, match=words) as raised:
        await ai.chat.completions.create(
            **({"model": "tiny", "messages": QUESTION} | wrong), stream=stream
        )
    assert raised.value.type == "invalid_request_error"
    await ai.close()


async def test_openais_client_without_the_token_is_turned_away(engine: Served) -> None:
    async with remote_openai(engine, "wrong") as ai:
        with pytest.raises(openai.AuthenticationError):
            await ai.models.list()


async def test_openais_client_may_leave(engine: Served, processes: Processes) -> None:
    processes.endless = True
    ai = local_openai(engine)
    stream = await ai.chat.completions.create(model="tiny", messages=QUESTION, stream=True)
    while (await anext(aiter(stream))).choices[0].delta.content != "two ":
        pass
    await stream.close()
    while engine.service.chats.status().idle_seconds == 0:
        await asyncio.sleep(0)
    whole = asyncio.ensure_future(ai.chat.completions.create(model="tiny", messages=QUESTION))
    while len(processes.all[0].asked) < 2:
        await asyncio.sleep(0)
    whole.cancel()
    while len(processes.all[0].cancelled) < 2:
        await asyncio.sleep(0)
    await ai.close()


async def test_what_goes_wrong_within_a_stream_is_an_error_too(
    engine: Served, processes: Processes
) -> None:
    processes.endless = True
    ai = local_openai(engine)
    stream = await ai.chat.completions.create(model="tiny", messages=QUESTION, stream=True)
    while (await anext(aiter(stream))).choices[0].delta.content != "two ":
        pass
    await engine.service.chats.unload()
    with pytest.raises(openai.APIError, match="Chat ended"):
        async for _ in stream:
            pass
    await ai.close()


async def test_a_stream_says_that_the_model_is_being_loaded(client: EngineClient) -> None:
    events = [event async for event in client.chat(question("tiny"))]
    assert events[0] == Loading(message="tiny is being loaded.")
