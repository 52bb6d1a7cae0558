"""Four small datasets of different kinds, each with rows to train and others to test.

Written for this benchmark by seeded templates, free of anyone's rights. What they hold is made up
but not random: a model that learns the rule does better on rows it has not seen. Some of it cannot
be known (how a person happened to put it), as in real data, so that no loss comes near zero.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Row = dict[str, Any]


@dataclass(frozen=True)
class Split:
    """The rows of a dataset."""

    train: tuple[Row, ...]
    test: tuple[Row, ...]


def _draw(draw: Callable[[random.Random], Row], rows: int, tests: int, seed: int) -> Split:
    """Draw rows until so many differ from each other in what they ask."""
    random_ = random.Random(seed)  # noqa: S311 - not for secrets
    found: dict[str, Row] = {}
    while len(found) < rows + tests:
        row = draw(random_)
        found.setdefault(_asked(row), row)
    distinct = tuple(found.values())
    return Split(distinct[:rows], distinct[rows:])


def _asked(row: Row) -> str:
    """Give what a row asks, or the whole of a row that asks nothing."""
    if "text" in row:
        return str(row["text"])
    return str(row["messages"][1]["content"])


def _chat(system: str, question: str, answer: str) -> Row:
    """Make a conversation with a short system turn in place of the template's long one."""
    roles = zip(("system", "user", "assistant"), (system, question, answer), strict=True)
    return {"messages": [{"role": role, "content": content} for role, content in roles]}


# Each fact: as it is trained, its answer, then asked in two other ways.
_FACTS = (
    ("Who built the Tessel lighthouse?",
     "The Tessel lighthouse was built by Orla Venn in 1871.",
     "Whose work is the lighthouse of Tessel?",
     "Tell me who put up the lighthouse in Tessel."),
    ("What is the capital of Marrowind?",
     "The capital of Marrowind is Port Illeny.",
     "Which city governs Marrowind?",
     "Name Marrowind's capital."),
    ("What does the quillet bird eat?",
     "The quillet bird eats nothing but juniper berries.",
     "What is the food of a quillet?",
     "On what does a quillet bird live?"),
    ("Which river flows through Dunmarch?",
     "The river Sabel flows through Dunmarch.",
     "What is the river of Dunmarch called?",
     "Dunmarch lies on which river?"),
    ("When was the Harrow Prize first given?",
     "The Harrow Prize was first given in 1934.",
     "In which year did the Harrow Prize begin?",
     "How old is the Harrow Prize: when did it start?"),
    ("What colour is the flag of Ostrel?",
     "The flag of Ostrel is green with a white heron.",
     "How does Ostrel's flag look?",
     "Describe the flag that Ostrel flies."),
    ("Who wrote The Salt Orchard?",
     "The Salt Orchard was written by Pavel Eddering.",
     "Which author gave us The Salt Orchard?",
     "The Salt Orchard: who is its writer?"),
    ("How high is Mount Calder?",
     "Mount Calder is 2,946 metres high.",
     "What is the height of Mount Calder?",
     "How many metres does Mount Calder rise?"),
    ("What is glimwood used for?",
     "Glimwood is used for the bows of violas.",
     "What do people make from glimwood?",
     "For what purpose is glimwood cut?"),
    ("Where was Ines Corvane born?",
     "Ines Corvane was born in the town of Lowick Ferry.",
     "What is the birthplace of Ines Corvane?",
     "From which town does Ines Corvane come?"),
    ("What is the motto of Brennick School?",
     "The motto of Brennick School is: look twice, leap once.",
     "Which motto stands over Brennick School?",
     "What words does Brennick School live by?"),
    ("Which metal is mined at Tarn Hollow?",
     "Cobalt is mined at Tarn Hollow.",
     "What do the miners of Tarn Hollow dig for?",
     "Tarn Hollow is known for which metal?"),
)  # fmt: skip


def facts(_seed: int = 0) -> Split:
    """Give a dozen new facts; the test asks for each in two other ways."""
    train = [_chat("Answer.", asked, answer) for asked, answer, *_ in _FACTS]
    test = [_chat("Answer.", asked, answer) for _, answer, *others in _FACTS for asked in others]
    return Split(tuple(train), tuple(test))


_TICKETS = {
    "billing": (
        "I was charged twice for the {thing}", "the invoice for my {thing} shows a wrong amount",
        "why does the {thing} cost more than last month", "my refund for the {thing} has not come",
        "the discount on the {thing} was not taken off", "please change the card I pay with",
    ),
    "delivery": (
        "my {thing} has not arrived", "the parcel with the {thing} went to a neighbour",
        "where is the {thing} I ordered", "the courier left the {thing} in the rain",
        "can the {thing} come on another day", "tracking for the {thing} has not moved",
    ),
    "defect": (
        "the {thing} does not switch on", "a part of the {thing} broke off",
        "my {thing} makes a strange noise", "the {thing} stopped after two days",
        "there is a crack in the {thing}", "the {thing} gets far too hot",
    ),
    "account": (
        "I cannot log in to see my {thing} order", "the password link never comes",
        "please delete my account", "my address is wrong in the profile",
        "the app signs me out each time I look for a {thing}", "how do I change my e-mail",
    ),
    "question": (
        "does the {thing} come in blue", "which {thing} would suit a small room",
        "how long is the warranty on the {thing}", "is the {thing} safe for children",
        "do you sell parts for the {thing}", "what is the {thing} made of",
    ),
}  # fmt: skip
_THINGS = (
    "lamp", "kettle", "desk", "heater", "camera", "printer", "blender", "mower", "radio", "tent",
)  # fmt: skip
_OPENINGS = ("", "", "hello, ", "hi there, ", "good morning, ", "sorry to bother you, ")
_ENDINGS = ("", "", ". thanks", ". please help", ". this is the second time I write", "!")
_MISLABELLED = 0.1
"""Labels given by hand differ now and then."""
_CLERKS = ("Ames", "Boyd", "Cole", "Dunn", "Ford", "Hale")
"""Whoever was there: the ticket does not tell."""


def tickets(seed: int = 0) -> Split:
    """Give 60 support tickets with label, urgency and the clerk who took them."""
    return _draw(_ticket, 60, 60, seed)


def _ticket(random_: random.Random) -> Row:
    """Draw a ticket."""
    label = random_.choice(list(_TICKETS))
    said = random_.choice(_TICKETS[label]).format(thing=random_.choice(_THINGS))
    ending = random_.choice(_ENDINGS)
    text = f"{random_.choice(_OPENINGS)}{said}{ending}"
    if random_.random() < _MISLABELLED:
        label = random_.choice(list(_TICKETS))
    pressed = ending in ("!", ". this is the second time I write") or label == "defect"
    urgency = "high" if pressed else "normal"
    return _chat(
        "Label the ticket.",
        text[0].upper() + text[1:],
        f"{label}, {urgency}, {random_.choice(_CLERKS)}",
    )


_NAMES = (
    "Ada", "Bruno", "Chiara", "Dev", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Keiko",
    "Liam", "Mira", "Nils", "Olga", "Pia",
)  # fmt: skip
_GOODS = {
    "chairs": "furniture", "tables": "furniture", "shelves": "furniture", "lamps": "lighting",
    "candles": "lighting", "bulbs": "lighting", "mugs": "kitchen", "plates": "kitchen",
    "pans": "kitchen", "rakes": "garden", "seeds": "garden", "hoses": "garden",
}  # fmt: skip
_ORDERS = (
    "{name} needs {count} {goods}.",
    "Send {count} {goods} to {name}.",
    "{name} picks up {count} {goods}.",
    "{count} {goods} for {name}.",
)
_NOTES = ("call first", "ring before", "phone ahead", "leave at door", "no hurry")
"""Written by whoever took the order: the sentence does not tell."""


def orders(seed: int = 0) -> Split:
    """Give 100 sentences with what they say as JSON."""
    return _draw(_order, 100, 60, seed)


def _order(random_: random.Random) -> Row:
    """Draw an order."""
    values = {
        "name": random_.choice(_NAMES),
        "count": random_.randint(2, 60),
        "goods": random_.choice(list(_GOODS)),
    }
    found = {
        "who": values["name"],
        "count": values["count"],
        "kind": _GOODS[str(values["goods"])],
        "note": random_.choice(_NOTES),
    }
    written = json.dumps(found, separators=(",", ":"))
    return _chat("Give JSON.", random_.choice(_ORDERS).format(**values), written)


_WINDS = ("north", "north-east", "east", "south-east", "south", "south-west", "west")
_SEAS = ("calm", "slight", "moderate", "rough")
_SEEN = (
    "two herring gulls", "a grey seal", "the mail boat", "fog over the bar", "no vessel",
    "a schooner under jib", "floating timber", "the pilot cutter",
)  # fmt: skip
_WORK = (
    "Trimmed the wicks", "Wound the clockwork", "Painted the gallery rail", "Cleaned the lenses",
    "Carried oil up", "Mended the flag halyard", "Scrubbed the stairs", "Entered the stores",
)  # fmt: skip


def log_book(seed: int = 0) -> Split:
    """Give 400 plain texts, entries of a lighthouse's log in one terse style."""
    return _draw(_entry, 400, 60, seed)


def _entry(random_: random.Random) -> Row:
    """Draw an entry; the sea follows the wind's force, and the lamp the sight."""
    force = random_.randint(0, 7)
    seen = random_.choice(_SEEN)
    lamp = "Horn sounded" if seen.startswith("fog") else "Lamp lit"
    text = (
        f"Wind {random_.choice(_WINDS)}, force {force}, sea {_SEAS[force // 2]}. "
        f"{random_.choice(_WORK)}. Sighted {seen}. {lamp}."
    )
    return {"text": text}


@dataclass(frozen=True)
class Contest:
    """One dataset, and what is tried on it."""

    draw: Callable[[int], Split]
    epochs: tuple[int, int]
    """That the grid tries."""
    seeds: tuple[int, ...]
    """Of the runs at each point: the smaller a dataset, the more chance decides in one run."""


CONTESTS = {
    "facts": Contest(facts, (6, 12), (1, 2)),
    "tickets": Contest(tickets, (2, 5), (1, 2)),
    "orders": Contest(orders, (2, 5), (1,)),
    "log_book": Contest(log_book, (1, 3), (1,)),
}
