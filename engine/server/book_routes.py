"""Open datasets: page through rows, edit, undo, save."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(tags=["open datasets"])
