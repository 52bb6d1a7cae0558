"""One question, answered by the base model and by the adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from engine.tasks.events import AnswersCompared

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedTokenizerBase

    from engine.data.template import ChatTemplate
    from engine.data.types import Conversation

_LONGEST_ANSWER = 80


def compare_answers(
    model: PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    template: ChatTemplate,
    sample: Conversation,
) -> AnswersCompared:
    """Ask a conversation's first question of the adapter and, without it, of the base; greedily.

    Args:
        model: On any device; left in evaluation mode.
        sample: Its turns up to the first answer are the prompt, that answer the reference.
    """
    model.eval()
    position = next(
        index for index, message in enumerate(sample.messages) if message.role == "assistant"
    )
    prompt = template.render(sample.messages[:position], add_generation_prompt=True)
    adapter_answer = _answer(model, tokenizer, prompt)
    with model.disable_adapter():
        base_answer = _answer(model, tokenizer, prompt)
    return AnswersCompared(
        question=sample.messages[position - 1].content,
        reference=sample.messages[position].content,
        base_answer=base_answer,
        adapter_answer=adapter_answer,
    )


def _answer(model: PeftModel, tokenizer: PreTrainedTokenizerBase, prompt: str) -> str:
    """Generate until the end-of-turn token, or as far as the longest answer."""
    inputs = tokenizer(prompt, add_special_tokens=False, return_tensors="pt").to(model.device)
    with torch.inference_mode():
        output = model.generate(
            **inputs,
            max_new_tokens=_LONGEST_ANSWER,
            do_sample=False,
            use_cache=True,
            pad_token_id=tokenizer.pad_token_id,
        )
    answer = output[0, inputs["input_ids"].shape[1] :]
    return str(tokenizer.decode(answer, skip_special_tokens=True)).strip()
