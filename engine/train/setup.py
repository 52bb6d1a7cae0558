"""Loads the base model and builds the trainer as the plan says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from bitsandbytes.nn import Linear4bit
from peft import LoraConfig
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.trainer_callback import EarlyStoppingCallback
from trl import SFTConfig

from engine.errors import LoraDeckError
from engine.language import tr
from engine.train.callback import ReportingCallback
from engine.train.deck_trainer import DeckTrainer
from engine.train.memory_limit import Shrinker
from engine.train.packing import keep_rows_apart
from engine.train.room import Room
from engine.train.rows import collate
from engine.train.sampling import Sampler

if TYPE_CHECKING:
    from pathlib import Path

    from engine.plan.parameters import TrainingParams
    from engine.plan.types import Device, Plan
    from engine.train.adjustments import Adjustments
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
    model = AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=dtype,
        quantization_config=quantization,
        attn_implementation=plan.training_params.attn_implementation,
        device_map=_device_map(plan.device),
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
    )
    _keep_trainable(model)
    return model


def _keep_trainable(model: PreTrainedModel) -> None:
    """Keep bitsandbytes from packing 4-bit weights on a CPU in the first evaluation.

    The packed form has no backward pass: what comes after it would train on wrong gradients.
    """
    for module in model.modules():
        if isinstance(module, Linear4bit):
            module.support_avx512bf16_for_cpu = False


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
    adjustments: Adjustments,
) -> DeckTrainer:
    """Put the trainer together over rows that are tokenized and masked already."""
    params = adjustments.apply(spec.plan.training_params)
    longest = int(prepared.lengths.max())
    trainer = DeckTrainer(
        pass_tokens=adjustments.budget(params.batch_size * longest, longest),
        packed=keep_rows_apart(model),
        longest_row=longest,
        checkpoints_kept=params.save_total_limit,
        on_saving=reporter.sync,
        on_shrunk=Shrinker(spec, reporter, adjustments),
        model=model,
        args=_arguments(spec, params),
        data_collator=collate,
        train_dataset=prepared.train,
        eval_dataset=prepared.evaluation,
        processing_class=tokenizer,
        peft_config=LoraConfig(
            r=params.lora_rank,
            lora_alpha=params.lora_alpha,
            lora_dropout=params.lora_dropout,
            target_modules=_targets(params, model),
            task_type="CAUSAL_LM",
        ),
    )
    trainer.add_callback(ReportingCallback(reporter, trainer, prepared, Room(spec)))
    if prepared.prompts:
        trainer.add_callback(Sampler(reporter, trainer, tokenizer, prepared.prompts[0]))
    if params.early_stopping_patience:
        trainer.add_callback(EarlyStoppingCallback(params.early_stopping_patience))
    return trainer


def _targets(params: TrainingParams, model: PreTrainedModel) -> str | list[str]:
    """Name the layers that get an adapter, as PEFT wants them."""
    if params.target_modules == "all-linear":
        return "all-linear"
    names = {
        name.rpartition(".")[2]
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and "attn" in name.lower()
    }
    if not names:
        raise LoraDeckError(
            tr("No attention layers found"),
            tr(
                "{model} names none of its linear layers as its attention's.",
                model=type(model).__name__,
            ),
            tr("Set target_modules=all-linear"),
        )
    return sorted(names)


def _arguments(spec: TaskSpec, params: TrainingParams) -> SFTConfig:
    """Say every argument whose default differs from the plan.

    A batch of the data loader is a whole optimizer step: the trainer makes the passes.
    """
    device, evaluates = spec.plan.device, params.eval_rows > 0
    return SFTConfig(
        output_dir=str(spec.checkpoints),
        per_device_train_batch_size=params.effective_batch,
        gradient_accumulation_steps=1,
        num_train_epochs=params.num_epochs,
        max_steps=params.max_steps,
        learning_rate=params.learning_rate,
        lr_scheduler_type=params.lr_scheduler_type,
        warmup_steps=params.warmup_steps,
        weight_decay=params.weight_decay,
        max_grad_norm=params.max_grad_norm,
        optim=_optimizer(params, device),
        seed=params.seed,
        max_length=params.max_seq_length,
        gradient_checkpointing=params.gradient_checkpointing,
        use_cpu=device.kind == "cpu",
        # The weights lie in the plan's number format already; float16 needs the loss scaler
        bf16=False,
        fp16=params.dtype == "float16",
        eval_strategy="steps" if evaluates else "no",
        eval_steps=params.save_steps if evaluates else None,
        load_best_model_at_end=evaluates,
        metric_for_best_model="eval_loss" if evaluates else None,
        greater_is_better=False if evaluates else None,
        save_strategy="steps",
        save_steps=params.save_steps,
        logging_steps=1,
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        report_to="none",
        remove_unused_columns=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        dataloader_pin_memory=False,
    )


def _optimizer(params: TrainingParams, device: Device) -> str:
    """Name the optimizer; on a CPU torch's AdamW goes through memory once rather than seven times.

    The demo model's adapter of rank 32: 0.03 CPU-seconds a step rather than 0.09.
    """
    fused = params.optim == "adamw_torch" and device.kind == "cpu"
    return "adamw_torch_fused" if fused else params.optim


def _device_map(device: Device) -> dict[str, str]:
    """Put the whole model on the one device that this process sees."""
    return {"": "cuda:0" if device.kind == "cuda" else device.kind}
