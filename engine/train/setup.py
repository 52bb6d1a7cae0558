"""Loads the base model and builds TRL's trainer as the plan says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from peft import LoraConfig
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from trl import SFTConfig, SFTTrainer

from engine.plan.memory import CHECKPOINTS_KEPT
from engine.train.callback import ReportingCallback

if TYPE_CHECKING:
    from pathlib import Path

    from engine.plan.parameters import TrainingParams
    from engine.plan.types import Device, Plan
    from engine.train.prepare import Prepared
    from engine.train.spec import Reporter, TaskSpec


def load_base(plan: Plan, folder: Path) -> PreTrainedModel:
    """Load the base model's weights in the plan's number format, safetensors only."""
    dtype = getattr(torch, plan.training_params.dtype)
    quantization = (
        BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype,
        )
        if plan.training_params.use_4bit
        else None
    )
    return AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=dtype,
        quantization_config=quantization,
        device_map=_device_map(plan.device),
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
    )


def load_tokenizer(prepared: Prepared, folder: Path) -> PreTrainedTokenizerBase:
    """Load the tokenizer to be saved with the adapter, with the template that was trained on."""
    tokenizer = AutoTokenizer.from_pretrained(
        folder, trust_remote_code=False, local_files_only=True
    )
    tokenizer.chat_template = prepared.template.source
    return tokenizer


def build_trainer(
    spec: TaskSpec,
    prepared: Prepared,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    reporter: Reporter,
) -> SFTTrainer:
    """Put TRL's SFTTrainer together over rows that are tokenized and masked already."""
    params = spec.plan.training_params
    return SFTTrainer(
        model=model,
        args=_arguments(spec),
        train_dataset=prepared.train,
        eval_dataset=prepared.evaluation,
        processing_class=tokenizer,
        peft_config=LoraConfig(
            r=params.lora_rank,
            lora_alpha=params.lora_alpha,
            lora_dropout=params.lora_dropout,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        ),
        callbacks=[ReportingCallback(reporter)],
    )


def _arguments(spec: TaskSpec) -> SFTConfig:
    """Say every argument whose default differs from the plan."""
    params, device = spec.plan.training_params, spec.plan.device
    return SFTConfig(
        output_dir=str(spec.checkpoints),
        per_device_train_batch_size=params.batch_size,
        per_device_eval_batch_size=params.batch_size,
        gradient_accumulation_steps=params.gradient_accumulation_steps,
        num_train_epochs=params.num_epochs,
        max_steps=params.max_steps,
        learning_rate=params.learning_rate,
        lr_scheduler_type=params.lr_scheduler_type,
        warmup_steps=params.warmup_steps,
        weight_decay=params.weight_decay,
        max_grad_norm=params.max_grad_norm,
        optim=params.optim,
        seed=params.seed,
        max_length=params.max_seq_length,
        gradient_checkpointing=params.gradient_checkpointing,
        **_precision(params, device),
        eval_strategy="epoch" if params.eval_rows else "no",
        save_strategy="steps",
        save_steps=params.save_steps,
        save_total_limit=CHECKPOINTS_KEPT - 1,
        logging_steps=1,
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        report_to="none",
        dataset_kwargs={"skip_prepare_dataset": True},
        dataloader_pin_memory=device.kind == "cuda",
    )


def _precision(params: TrainingParams, device: Device) -> dict[str, bool]:
    """Set the mixed precision flags; TRL turns bf16 on unless told otherwise."""
    on_cpu = device.kind == "cpu"
    return {
        "use_cpu": on_cpu,
        "bf16": params.dtype == "bfloat16",
        "fp16": params.dtype == "float16",
    }


def _device_map(device: Device) -> dict[str, str]:
    """Put the whole model on the one device that this process sees."""
    return {"": "cuda:0" if device.kind == "cuda" else device.kind}
