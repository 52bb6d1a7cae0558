"""What a deployment works from, as the server has resolved it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from engine.results.export.inputs import ExportInputs
from engine.results.export.types import DeployRequest


class DeployInputs(BaseModel):
    """An adapter and its base, and the model that is to be made of both."""

    model_config = ConfigDict(frozen=True)

    export: ExportInputs
    """How the GGUF file is made that the model is of."""
    request: DeployRequest
    """With the model's name and the host written out."""
