"""The command palette: everything that can be done, and every task by its name."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text
from textual.command import DiscoveryHit, Hit, Hits, Provider

from engine.errors import LoraDeckError
from engine.language import mark, tr
from screens.format import one_line
from screens.home import HomeScreen
from screens.partner import of_assistant, of_task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from engine.models.types import ModelInfo
    from engine.results.chat.types import Assistant
    from engine.server.wire import DatasetInfo
    from engine.tasks.view import TaskView
    from tui.app import LoraDeckApp

_TASKS_AT_MOST = 200
_AT_HOME = {
    mark("Choose dataset"): ("dataset", mark("Pick the file to train on")),
    mark("Choose model"): ("model", mark("Pick the base model")),
    mark("Show the whole plan"): ("plan", mark("Every parameter, and your own values")),
    mark("Choose device"): ("device", mark("The card or processor to train on")),
    mark("Name the training"): ("name", mark("Give the next training a name")),
    mark("Start training"): ("start", mark("Start what is planned")),
    mark("Show tasks"): ("tasks", mark("Go to the list of tasks")),
    mark("History"): ("history", mark("All tasks: sort, filter, search, compare")),
    mark("Assistants"): ("assistants", mark("Create, edit, and talk to one")),
    mark("Conversations"): ("conversations", mark("Go on with one that was kept")),
    mark("Look at the dataset's rows"): ("rows", mark("Page, search and edit them")),
    mark("Leave out faulty rows"): ("leave_out", mark("Or take them in again")),
}
_TASK_ACTIONS = {
    mark("Pause {name}"): "pause",
    mark("Hold back {name}"): "hold",
    mark("Resume {name}"): "resume",
    mark("Start now {name}"): "start_now",
    mark("Finish early {name}"): "finish",
    mark("Cancel {name}"): "cancel",
    mark("Move up {name}"): "reorder('up')",
    mark("Move down {name}"): "reorder('down')",
    mark("Move first {name}"): "reorder('first')",
    mark("Move last {name}"): "reorder('last')",
    mark("Raise the priority of {name}"): "prioritize(1)",
    mark("Lower the priority of {name}"): "prioritize(-1)",
}
_OF_ADAPTER = {
    mark("Report of {name}"): ("report", mark("What the training was worth")),
    mark("Export {name}"): ("export", mark("As an adapter, merged, or as a GGUF file")),
    mark("Deploy {name} to Ollama"): ("deploy", mark("Make a model of Ollama's of it")),
}


class Command(NamedTuple):
    """One line of the palette."""

    title: str
    run: Callable[[], object]
    help: str


class DeckCommands(Provider):
    """Commands, and what has a name, which is shown as it is and never as markup."""

    _assistants: Sequence[Assistant] = ()
    _models: Sequence[ModelInfo] = ()
    _datasets: Sequence[DatasetInfo] = ()

    async def startup(self) -> None:
        """Ask for what has a name; without the engine nothing has."""
        with suppress(LoraDeckError):
            client = self._deck.session.client
            self._assistants, self._models, self._datasets = await asyncio.gather(
                client.assistants(), client.models(), client.datasets()
            )

    async def discover(self) -> Hits:
        """List the commands, before anything is typed."""
        for command in self._commands():
            yield DiscoveryHit(Text(command.title), command.run, command.title, command.help)

    async def search(self, query: str) -> Hits:
        """Find commands, tasks, models and datasets."""
        matcher = self.matcher(query)
        found = (*self._commands(), *self._tasks(query), *self._chats(query), *self._choices())
        for command in found:
            if (score := matcher.match(command.title)) > 0:
                yield Hit(score, Text(command.title), command.run, command.title, command.help)

    @property
    def _deck(self) -> LoraDeckApp:
        """The app, by its own type."""
        from tui.app import LoraDeckApp

        app = self.app
        assert isinstance(app, LoraDeckApp)  # noqa: S101
        return app

    def _commands(self) -> Iterator[Command]:
        """Give the fixed commands."""
        deck, ways = self._deck, self._deck.ways
        for title, (action, told) in _AT_HOME.items():
            yield Command(tr(title), ways.at_home(action), tr(told))
        told = tr("Exports and deployments, running and ended")
        yield Command(tr("Jobs"), ways.show_jobs, told)
        told = tr("Finished adapters, merged models and GGUF files")
        yield Command(tr("Models on this machine"), ways.show_found, told)
        yield from self._of_screen()
        yield from self._of_task()
        told = tr("Colours, language, keys and more")
        yield Command(tr("Settings"), deck.action_settings, told)
        told = tr("Try other colours; the settings keep them")
        yield Command(tr("Theme"), deck.action_change_theme, told)
        told = tr("Five cards for whoever is new here")
        yield Command(tr("Tour"), deck.action_tour, told)
        yield Command(tr("Help"), deck.action_help, tr("Keys of this screen, and the words used"))
        yield Command(tr("Quit"), deck.leave, tr("Close LoRADeck; trainings go on"))

    def _of_screen(self) -> Iterator[Command]:
        """Give what the present screen's own keys do; Home's are there by their names."""
        screen = self.screen
        if isinstance(screen, HomeScreen):
            return
        told = set()
        for node, binding, enabled, _ in screen.active_bindings.values():
            if node is screen and enabled and binding.id and binding.tooltip not in told:
                told.add(binding.tooltip)
                run = partial(self.app.run_action, binding.action, screen)
                key = tr("Key: {key}", key=self.app.get_key_display(binding))
                yield Command(tr(binding.tooltip), run, key)

    def _of_task(self) -> Iterator[Command]:
        """Give what can be done at Home with the task under the list's cursor."""
        screen = self.screen
        if not isinstance(screen, HomeScreen) or (view := screen.tasks.view) is None:
            return
        name, offered = one_line(view.task.task_name), screen.tasks.allowed()
        for words, action in _TASK_ACTIONS.items():
            if action.partition("(")[0] in offered:
                run = partial(self.app.run_action, action, screen.tasks)
                yield Command(tr(words, name=name), run, tr("The task under the list's cursor"))

    def _choices(self) -> Iterator[Command]:
        """Give a command for each dataset and each base model that the next training can take."""
        ways = self._deck.ways
        for dataset in self._datasets:
            if not dataset.problem:
                words = tr("Choose dataset {name}", name=one_line(dataset.name))
                yield Command(words, ways.taking_dataset(dataset.path), one_line(dataset.path))
        for model in self._models:
            if model.state == "ready":
                words = tr("Choose model {name}", name=one_line(model.name))
                told = tr("As the next training's base model")
                yield Command(words, ways.taking_base(model.name), told)

    def _chats(self, query: str) -> Iterator[Command]:
        """Give a command for each assistant and each finished adapter."""
        ways = self._deck.ways
        done = [view.task for view in self._newest(query) if view.task.status == "completed"]
        for partner in (*map(of_assistant, self._assistants), *map(of_task, done)):
            words = tr("Chat with {name}", name=one_line(partner.target))
            yield Command(words, ways.chatting(partner), one_line(partner.words))

    def _newest(self, query: str) -> list[TaskView]:
        """Give the tasks with a word of the query in their names, else all; the newest first."""
        every, words = self._deck.session.tasks.values(), query.casefold().split()
        named = [
            view for view in every if any(word in view.task.task_name.casefold() for word in words)
        ]
        views = named or every
        newest = sorted(views, key=lambda view: view.task.created_at, reverse=True)
        return newest[:_TASKS_AT_MOST]

    def _tasks(self, query: str) -> Iterator[Command]:
        """Give a command for each task."""
        ways = self._deck.ways
        for view in self._newest(query):
            name = one_line(view.task.task_name)
            words = tr("Open task {name}", name=name)
            yield Command(words, ways.opening(view.task.id), tr("Show the task's screen"))
            if view.task.status == "completed":
                for words, (action, told) in _OF_ADAPTER.items():
                    run = ways.opening(view.task.id, action)
                    yield Command(tr(words, name=name), run, tr(told))
