"""One question, answered by the base model and by the adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from engine.tasks.events import AnswersCompared

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedTokenizerBase

    from engine.results.sample import Sample

_LONGEST_ANSWER = 80


def compare_answers(
    model: PeftModel, tokenizer: PreTrainedTokenizerBase, sample: Sample
) -> AnswersCompared:
    """Ask a question of the adapter and, without it, of the base; greedily.

    Args:
        model: On any device; left in evaluation mode.
    """
    model.eval()
    prompt = torch.tensor([sample.prompt_ids], device=model.device)
    adapter_answer = _answer(model, tokenizer, prompt)
    with model.disable_adapter():
        base_answer = _answer(model, tokenizer, prompt)
    return AnswersCompared(
        question=sample.question,
        reference=sample.reference,
        base_answer=base_answer,
        adapter_answer=adapter_answer,
    )


def _answer(model: PeftModel, tokenizer: PreTrainedTokenizerBase, prompt: torch.Tensor) -> str:
    """Generate until the end-of-turn token, or as far as the longest answer."""
    with torch.inference_mode():
        output = model.generate(
            input_ids=prompt,
            attention_mask=torch.ones_like(prompt),
            max_new_tokens=_LONGEST_ANSWER,
            do_sample=False,
            use_cache=True,
            pad_token_id=tokenizer.pad_token_id,
        )
    answer = output[0, prompt.shape[1] :]
    return str(tokenizer.decode(answer, skip_special_tokens=True)).strip()
