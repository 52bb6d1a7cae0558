"""What a look at one thing gives, and how other programs are asked."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from typing import Literal

from pydantic import BaseModel, ConfigDict

from engine.language import mark

Status = Literal["ok", "warning", "problem"]
STATUSES = mark("ok"), mark("warning"), mark("problem")


class Check(BaseModel):
    """One thing that was looked at."""

    model_config = ConfigDict(frozen=True)

    name: str
    """The same in any language, for programs; marked for translation."""
    status: Status
    """``problem`` keeps LoRADeck from working; ``warning`` may surprise."""
    detail: str
    hint: str = ""
    """What to do; a command where there is one."""


def ok(name: str, detail: str, hint: str = "") -> Check:
    """Say that a thing is as it should be."""
    return Check(name=name, status="ok", detail=detail, hint=hint)


def warning(name: str, detail: str, hint: str) -> Check:
    """Say that a thing may surprise."""
    return Check(name=name, status="warning", detail=detail, hint=hint)


def problem(name: str, detail: str, hint: str) -> Check:
    """Say that a thing keeps LoRADeck from working."""
    return Check(name=name, status="problem", detail=detail, hint=hint)


def output(*command: str) -> str:
    """Run a command and give what it printed; empty where it fails or is not there."""
    with suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""
    return ""
