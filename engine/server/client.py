"""The engine's client: what the dashboard, the command line and scripts talk through."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

import httpx
from pydantic import TypeAdapter

from engine import __version__
from engine.data.types import Inspection, Lengths, Scanning
from engine.errors import (
    ConflictError,
    DiskFullError,
    EngineUnavailableError,
    ForbiddenError,
    LoraDeckError,
    NotFoundError,
    OtherVersionError,
)
from engine.language import spoken, tr
from engine.machine_load import MachineLoad
from engine.models.found import ModelScan
from engine.models.types import ModelInfo
from engine.plan.types import Device, Plan
from engine.server.book_client import BookClient
from engine.server.chat_client import ChatCalls
from engine.server.dataset_wire import InspectRequest, MeasureRequest, ScanStep
from engine.server.job_client import JobCalls
from engine.server.launch import ensure_server
from engine.server.task_client import TaskCalls, quoted, task_path
from engine.server.wire import (
    PREFIX,
    DatasetInfo,
    EngineInfo,
    ModelScanRequest,
    PlanRequest,
    PullRequest,
    TrainRequest,
)
from engine.tasks.events import EVENT, Event
from engine.tasks.record import TaskRecord
from engine.tasks.view import TasksUpdate

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from engine.home import Home

_ERRORS = {
    kind.http_status: kind
    for kind in (
        ForbiddenError,
        NotFoundError,
        ConflictError,
        EngineUnavailableError,
        DiskFullError,
    )
}
_QUICK_SECONDS = 5.0
_SLOW_SECONDS = 180.0  # a plan reads and tokenizes the dataset first
_SCAN_SECONDS = 3600.0  # many gigabytes; ``scan`` tells how far it is
_DEVICES = TypeAdapter(list[Device])
_MODELS = TypeAdapter(list[ModelInfo])
_DATASETS = TypeAdapter(list[DatasetInfo])


class EngineClient(TaskCalls, JobCalls, ChatCalls):
    """One connection to a home's engine server, in the language that is spoken; a context manager.

    Every call raises ``LoraDeckError`` with words for the user: what the engine answered, or
    ``EngineUnavailableError`` where it cannot be reached.
    """

    def __init__(self, home: Home) -> None:
        transport = httpx.AsyncHTTPTransport(uds=str(home.socket))
        self.home = home
        self._http = httpx.AsyncClient(
            transport=transport,
            base_url="http://engine" + PREFIX,
            headers={"Accept-Language": spoken()},
        )
        self.books = BookClient(self.call)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def connect(self) -> EngineInfo:
        """Reach the home's engine server, starting one where none runs.

        Raises:
            LoraDeckError: The home cannot be written.
            EngineUnavailableError: The server does not start.
            OtherVersionError: One of another version runs.
        """
        await ensure_server(self.home)
        try:
            return await self.info()
        except EngineUnavailableError:
            await ensure_server(self.home)  # the one that answered was just ending
            return await self.info()

    async def info(self) -> EngineInfo:
        """Ask a server that runs already for its state.

        Raises:
            EngineUnavailableError: None answers.
            OtherVersionError: It is of another version.
        """
        info = await self.call("GET", "/engine", timeout=_QUICK_SECONDS)
        version = info.get("version") if isinstance(info, dict) else None
        if version != __version__:
            raise OtherVersionError(
                tr("Engine of another version"),
                tr(
                    "The running engine is version {running}, this program is {ours}.",
                    running=version,
                    ours=__version__,
                ),
                tr("Stop it with: loradeck engine stop  (running trainings go on)."),
            )
        return EngineInfo.model_validate(info)

    async def machine_load(self) -> MachineLoad:
        """Ask how busy the machine is; the engine looks at most once a second."""
        return MachineLoad.model_validate(await self.call("GET", "/engine/load"))

    async def devices(self) -> list[Device]:
        """List what a training can compute on; a plan takes the first one by itself."""
        return _DEVICES.validate_python(await self.call("GET", "/engine/devices"))

    async def stop(self) -> None:
        """Ask the server to end; workers go on."""
        await self.call("POST", "/engine/stop", timeout=_QUICK_SECONDS)

    async def models(self) -> list[ModelInfo]:
        """List the base models at hand, and the demo model."""
        return _MODELS.validate_python(await self.call("GET", "/models"))

    async def model(self, name: str) -> ModelInfo:
        """Find a base model by its name, hub id or path; while one is pulled, its progress.

        Raises:
            NotFoundError: Nothing of that name; the nearest names are given.
        """
        return ModelInfo.model_validate(await self.call("GET", "/models/find?name=" + quoted(name)))

    async def pull(self, name: str) -> ModelInfo:
        """Start fetching or converting a base model that is not ready; ``model`` tells how far."""
        return ModelInfo.model_validate(
            await self.call("POST", "/models/pull", PullRequest(model=name).model_dump())
        )

    async def stop_pull(self, name: str) -> ModelInfo:
        """End the fetching or converting of a base model."""
        return ModelInfo.model_validate(
            await self.call("POST", "/models/pull/stop", PullRequest(model=name).model_dump())
        )

    async def scan_models(self, path: str = "") -> ModelScan:
        """Find adapters, merged models and GGUF files in the home and the cache, or in a folder.

        Raises:
            NotFoundError: There is no such folder; ``path`` is absolute.
        """
        body = ModelScanRequest(path=path).model_dump()
        return ModelScan.model_validate(await self.call("POST", "/models/scan", body))

    async def datasets(self) -> list[DatasetInfo]:
        """List the home's datasets and the samples."""
        return _DATASETS.validate_python(await self.call("GET", "/datasets"))

    async def inspect(self, path: str, mapping: dict[str, str] | None = None) -> Inspection:
        """Detect a dataset's format and check its rows; ``path`` is absolute."""
        body = InspectRequest(path=path, mapping=mapping).model_dump()
        answer = await self.call("POST", "/datasets/inspect", body, timeout=_SCAN_SECONDS)
        return Inspection.model_validate(answer)

    async def scan(
        self, path: str, mapping: dict[str, str] | None = None
    ) -> AsyncGenerator[Scanning, None]:
        """Do so and yield how far it is; the last has the inspection. Closing this ends it."""
        body = InspectRequest(path=path, mapping=mapping).model_dump()
        async with self.stream("/datasets/scan", "POST", body) as lines:
            async for data in lines:
                step = ScanStep.model_validate_json(data)
                if step.error is not None:
                    words = step.error.title, step.error.message, step.error.hint
                    raise _ERRORS.get(step.status, LoraDeckError)(*words)
                if step.scanning is not None:
                    yield step.scanning

    async def measure(
        self, path: str, model: str, mapping: dict[str, str] | None = None
    ) -> Lengths:
        """Count a dataset's tokens with a base model's own template and tokenizer."""
        body = MeasureRequest(path=path, model=model, mapping=mapping).model_dump()
        answer = await self.call("POST", "/datasets/measure", body, timeout=_SCAN_SECONDS)
        return Lengths.model_validate(answer)

    async def plan(self, request: PlanRequest) -> Plan:
        """Decide every parameter of a run."""
        body = request.model_dump(include=set(PlanRequest.model_fields))
        return Plan.model_validate(await self.call("POST", "/plan", body))

    async def train(self, request: TrainRequest) -> TaskRecord:
        """Create a task; it starts when there is room for it."""
        return TaskRecord.model_validate(await self.call("POST", "/train", request.model_dump()))

    async def events(
        self, task_id: str, after: int = 0, *, follow: bool = True, tail: int = 0
    ) -> AsyncIterator[Event]:
        """Yield a task's events with ``seq > after``; with ``follow``, until the task has ended.

        Args:
            tail: How many of those that are there already to yield at most; 0 for all.
        """
        path = f"{task_path(task_id)}/events?after={after}&tail={tail}"
        path += f"&follow={str(follow).lower()}"
        async with self.stream(path) as lines:
            async for data in lines:
                yield EVENT.validate_json(data)

    async def watch(self) -> AsyncIterator[TasksUpdate]:
        """Yield all tasks, thousands in parts, then what changed, at most five times a second."""
        async with self.stream("/watch") as lines:
            async for data in lines:
                yield TasksUpdate.model_validate_json(data)

    async def call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        timeout: float = _SLOW_SECONDS,  # noqa: ASYNC109 - httpx's own
    ) -> Any:
        """Send one request and give its JSON, or raise the error it answered."""
        try:
            response = await self._http.request(method, path, json=body, timeout=timeout)
        except httpx.TransportError as error:
            raise _unreachable(error) from error
        if response.is_error:
            raise _as_error(response)
        return response.json() if response.content else None

    @asynccontextmanager
    async def stream(
        self, path: str, method: str = "GET", body: dict[str, Any] | None = None
    ) -> AsyncIterator[AsyncIterator[str]]:
        """Open an event stream and give its data lines."""
        # Between two events of an idle engine lies a keep-alive comment every 15 seconds.
        timeout = httpx.Timeout(10.0, read=60.0)
        try:
            async with self._http.stream(method, path, json=body, timeout=timeout) as response:
                if response.is_error:
                    await response.aread()
                    raise _as_error(response)
                yield (
                    line[5:] async for line in response.aiter_lines() if line.startswith("data:")
                )
        except httpx.TransportError as error:
            raise _unreachable(error) from error


def _unreachable(error: httpx.TransportError) -> EngineUnavailableError:
    """Put a transport failure into words."""
    return EngineUnavailableError(
        tr("Engine not reachable"),
        tr("The engine server does not answer ({kind}).", kind=type(error).__name__),
        tr("See: loradeck engine status"),
    )


def _as_error(response: httpx.Response) -> LoraDeckError:
    """Turn an error answer back into the error that the engine raised."""
    try:
        body = response.json()
        words = body["title"], body["message"], body.get("hint", "")
    except (json.JSONDecodeError, KeyError, TypeError):
        words = (
            tr("Engine error"),
            tr("The engine answered {status}.", status=response.status_code),
            tr("See engine.log."),
        )
    return _ERRORS.get(response.status_code, LoraDeckError)(*words)
