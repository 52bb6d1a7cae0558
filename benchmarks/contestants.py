"""Whom LoRADeck is measured against: TRL, Unsloth, and the floor that nobody gets under."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, BitsAndBytesConfig
from trl import SFTConfig, SFTTrainer

from benchmarks.child import Mark, peak_memory
from benchmarks.held_out import encoded
from benchmarks.jobs import FloorJob, Outcome, TrlJob
from engine.data.inspect import conversations, inspect_dataset
from engine.data.render import NOT_TRAINED

if TYPE_CHECKING:
    from pathlib import Path

    from engine.data.render import EncodedRow


def run(job: TrlJob | FloorJob) -> Outcome:
    """Let one of them run."""
    torch.set_num_threads(job.cores)
    if isinstance(job, FloorJob):
        return _floor(job)
    trainer = _unsloth_trainer(job) if job.kind == "unsloth" else _trl_trainer(job)
    began = Mark.now()
    trainer.train()
    ended = Mark.now()
    trainer.save_model(str(job.output))
    return _outcome(began, ended)


def _outcome(began: Mark, ended: Mark) -> Outcome:
    """Take the difference of the clocks, and the peak."""
    return Outcome(
        cpu_seconds=ended.cpu - began.cpu,
        wall_seconds=ended.wall - began.wall,
        peak_memory=peak_memory(),
    )


def _trl_trainer(job: TrlJob) -> SFTTrainer:
    """Build the trainer as TRL's documentation does; it loads the model itself."""
    loading = {"quantization_config": _four_bit(), "dtype": "bfloat16"} if job.use_4bit else {}
    return SFTTrainer(
        model=str(job.model),
        args=SFTConfig(**_quiet(job), model_init_kwargs=loading or None),
        train_dataset=_prompts(job.dataset),
        peft_config=LoraConfig(task_type="CAUSAL_LM", **job.lora),
    )


def _unsloth_trainer(job: TrlJob) -> Any:
    """Build the trainer as Unsloth's documentation does."""
    fast = importlib.import_module("unsloth").FastLanguageModel
    model, tokenizer = fast.from_pretrained(
        str(job.model), max_seq_length=job.arguments["max_length"], load_in_4bit=job.use_4bit
    )
    model = fast.get_peft_model(model, use_gradient_checkpointing="unsloth", **job.lora)
    return SFTTrainer(
        model=model,
        args=SFTConfig(**_quiet(job)),
        train_dataset=_prompts(job.dataset),
        processing_class=tokenizer,
    )


def _four_bit() -> BitsAndBytesConfig:
    """Quantize as LoRADeck's plan does."""
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def _quiet(job: TrlJob) -> dict[str, Any]:
    """Keep the trainer from saving, drawing bars and reporting to services."""
    quiet = {"save_strategy": "no", "report_to": "none", "disable_tqdm": True}
    return {"output_dir": str(job.output), **quiet, **job.arguments}


def _prompts(dataset: Path) -> Dataset:
    """Give the rows as TRL wants them to train on the answers alone."""
    shape = inspect_dataset(dataset).shape
    assert shape is not None
    rows = []
    for conversation in conversations(dataset, shape):
        said = [{"role": one.role, "content": one.content} for one in conversation.messages]
        rows.append({"prompt": said[:-1], "completion": said[-1:]})
    return Dataset.from_list(rows)


def _floor(job: FloorJob) -> Outcome:
    """Run the frozen base twice over each row and epoch: forward only, without padding."""
    rows = encoded(job.dataset, job.model)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = AutoModelForCausalLM.from_pretrained(
        job.model, dtype=getattr(torch, job.dtype), device_map={"": device}
    )
    model.eval()
    _forward(model, rows[0])  # the first pass allocates
    began = Mark.now()
    for _ in range(2 * job.passes):
        for row in rows:
            _forward(model, row)
    return _outcome(began, Mark.now())


@torch.inference_mode()
def _forward(model: Any, row: EncodedRow) -> float:
    """Compute one row's loss, with the head on trained tokens only."""
    labels = torch.tensor(row.labels[1:], device=model.device)
    kept = labels != NOT_TRAINED
    inputs = torch.tensor([row.input_ids], device=model.device)
    hidden = model.model(input_ids=inputs, use_cache=False).last_hidden_state[0, :-1]
    logits = model.lm_head(hidden[kept]).float()
    return float(torch.nn.functional.cross_entropy(logits, labels[kept]))
