"""One base model in memory, and any number of its adapters, switched without reloading."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from peft import PeftConfig, PeftModelForCausalLM
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, DynamicCache

from engine.errors import LoraDeckError
from engine.language import tr
from engine.results.chat.prompt import Speech
from engine.text import fault_of, visible

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from transformers import PreTrainedModel

    from engine.results.chat.wire import Start, Voice

_MOST_ADAPTERS = 16
"""So many stay in memory; the one used longest ago goes first."""
_PEFT_FAILURES = (ValueError, TypeError, KeyError, RuntimeError, AttributeError, OSError)
"""What PEFT raises over an adapter that it cannot load."""


class ChatModel:
    """A base model and its adapters.

    Raises:
        LoraDeckError: It cannot be loaded.
    """

    def __init__(self, start: Start) -> None:
        torch.set_num_threads(max(1, start.cores))
        self._folder = Path(start.base)
        self.base = _load(start)
        self.base.eval()
        self._peft: Any = None
        self._names: dict[Voice, str] = {}
        """PEFT's names for the adapters, the one used last at the end."""
        self._speeches: dict[Voice, Speech] = {}
        self._loaded = 0
        text = self.base.config.get_text_config()
        self.context: int = getattr(text, "max_position_embeddings", None) or 2048
        self.vocabulary = int(self.base.get_input_embeddings().weight.shape[0])

    @property
    def answering(self) -> Any:
        """What generates: the base alone as long as no adapter was loaded."""
        return self._peft or self.base

    @property
    def remembers(self) -> bool:
        """Whether what was read can be kept apart from the model, token by token."""
        configs = self._peft.peft_config.values() if self._peft else ()
        if any(one.is_prompt_learning for one in configs):
            return False  # PEFT puts its own tokens before the prompt
        return bool(self.base._supports_default_dynamic_cache())

    def empty_cache(self) -> DynamicCache:
        """Give a cache with the layers that the model wants."""
        return DynamicCache(config=self.base.config)

    def speech(self, voice: Voice) -> Speech:
        """Give the template and tokenizer with which a voice was trained.

        Raises:
            LoraDeckError: They are damaged.
        """
        if voice not in self._speeches:
            adapter = Path(voice.adapter) if voice.adapter else None
            self._speeches[voice] = Speech(self._folder, adapter)
        return self._speeches[voice]

    def speaking(self, voice: Voice) -> AbstractContextManager[Any]:
        """Let a voice answer inside the block; loads its adapter where it is not there yet.

        Raises:
            LoraDeckError: The adapter cannot be loaded.
        """
        if not voice.adapter:
            return self._peft.disable_adapter() if self._peft else nullcontext()
        if voice not in self._names:
            self._add(voice)
        self._names[voice] = self._names.pop(voice)
        self._peft.set_adapter(self._names[voice])
        return nullcontext()

    def _add(self, voice: Voice) -> None:
        """Load an adapter beside the others, and let those go that it replaces or crowds out."""
        # Module names take no dots, and folders have them
        name, self._loaded = f"adapter{self._loaded}", self._loaded + 1
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                missing = self._load_adapter(Path(voice.adapter), name)
        except _PEFT_FAILURES as error:
            self._drop_name(name)
            raise _not_loadable(voice, str(error) or type(error).__name__) from error
        if missing:
            self._drop_name(name)
            raise _not_loadable(
                voice, tr("{weight} does not fit the base model", weight=missing[0])
            )
        stale = [one for one in self._names if one.adapter == voice.adapter]
        crowd = list(self._names)[: max(0, len(self._names) + 1 - _MOST_ADAPTERS)]
        self._names[voice] = name
        for one in dict.fromkeys([*stale, *crowd]):
            self._drop_name(self._names.pop(one))
            self._speeches.pop(one, None)

    def _load_adapter(self, folder: Path, name: str) -> list[str]:
        """Let PEFT load an adapter; gives the weights that were left out or are lacking."""
        if self._peft is None:
            config = PeftConfig.from_pretrained(str(folder))
            config.inference_mode = True
            self._peft = PeftModelForCausalLM(self.base, config, adapter_name=name)
        found = self._peft.load_adapter(str(folder), adapter_name=name, local_files_only=True)
        self._peft.eval()
        lacking = [key for key in found.missing_keys if f".{name}." in key]
        return [*found.unexpected_keys, *lacking]

    def _drop_name(self, name: str) -> None:
        """Take an adapter out of the model; the last one leaves the base as it was."""
        if self._peft is None or name not in self._peft.peft_config:
            return
        if len(self._peft.peft_config) > 1:
            self._peft.delete_adapter(name)
        else:
            self.base, self._peft = self._peft.unload(), None


def _load(start: Start) -> PreTrainedModel:
    """Load a base model, safetensors only and without code of its own."""
    dtype = getattr(torch, start.dtype)
    quantization = (
        BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype,
        )
        if start.use_4bit
        else None
    )
    try:
        return AutoModelForCausalLM.from_pretrained(
            start.base,
            dtype=dtype,
            quantization_config=quantization,
            device_map={"": "cuda:0" if start.device == "cuda" else start.device},
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
        )
    except (ValueError, OSError, ImportError) as error:
        raise LoraDeckError(
            tr("Model not loadable"),
            f"{visible(start.base)}: {visible(str(error)).splitlines()[0]}",
            tr("Fetch the model again, or choose another one: loradeck models"),
        ) from error


def _not_loadable(voice: Voice, reason: str) -> LoraDeckError:
    """Put an adapter that PEFT refuses into words."""
    first = (visible(reason).splitlines() or [""])[0][:300].rstrip(".")
    return LoraDeckError(
        tr("Adapter not loadable"),
        fault_of(visible(voice.adapter), first),
        tr("Was it trained on this base model?"),
    )
