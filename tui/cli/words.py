"""The engine's names of states and kinds, which the command line shows: marked for translation."""

from __future__ import annotations

from engine.language import mark

MODEL_STATES = mark("ready"), mark("absent"), mark("downloading"), mark("converting")
MODEL_SOURCES = mark("home"), mark("folder"), mark("cache"), mark("hub")
FOUND_KINDS = mark("adapter"), mark("merged"), mark("base")
LEVELS = mark("error"), mark("warning"), mark("note")
PHASES = mark("preparing"), mark("loading"), mark("training"), mark("answering"), mark("saving")
