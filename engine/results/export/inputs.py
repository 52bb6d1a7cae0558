"""What an export works from, as the server has resolved it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from engine.results.export.types import ExportRequest


class ExportInputs(BaseModel):
    """An adapter, its base and what is to be made of both."""

    model_config = ConfigDict(frozen=True)

    request: ExportRequest
    name: str
    """Of the adapter."""
    adapter: str
    """Its folder."""
    base: str
    """The base's folder; empty where it is not needed, as for a mere copy."""
    base_name: str
    """What the base is called where another machine can find it, as far as that is known."""

    parameters: int = 0
    """Of the base."""

    @property
    def form(self) -> str:
        """Name what is made: ``adapter``, ``merged``, ``gguf q8_0``."""
        wanted = self.request
        return f"gguf {wanted.quantize}" if wanted.format == "gguf" else wanted.format
