"""TRL's SFTTrainer on rows in a file: seconds and non-pad tokens of every optimiser step.

Its best configuration on a CPU: batches of rows of like length (as good as length grouping gets: all rows
are sorted, the batches shuffled), prompt/completion rows, fused AdamW, no checkpoints, no logging. The first
batches come twice: once to warm up, then all rows once.
"""
import json
import random
import sys
import tempfile
import time

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import SFTConfig, SFTTrainer


class Clock(TrainerCallback):
    def __init__(self):
        self.at = []

    def on_train_begin(self, *_, **__):
        self.at.append(time.perf_counter())

    def on_step_end(self, *_, **__):
        self.at.append(time.perf_counter())


def grouped_rows(path, tokenizer, batch, warmup):
    rows = [json.loads(line)["messages"] for line in open(path)]
    length = lambda m: len(tokenizer(tokenizer.apply_chat_template(m, tokenize=False))["input_ids"])
    rows.sort(key=length)
    batches = [rows[at:at + batch] for at in range(0, len(rows), batch)]
    random.Random(1).shuffle(batches)
    batches = batches[:warmup] + batches
    return Dataset.from_list([{"prompt": m[:-1], "completion": m[-1:]} for group in batches for m in group])


def peft_config():
    from peft import LoraConfig
    return LoraConfig(r=8, lora_alpha=16, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM")


def main(settings):
    torch.set_num_threads(settings["threads"])
    tokenizer = AutoTokenizer.from_pretrained(settings["model"])
    rows = grouped_rows(settings["rows"], tokenizer, settings["batch"], settings["warmup"])
    model = AutoModelForCausalLM.from_pretrained(settings["model"], dtype=getattr(torch, settings["dtype"]))
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        config = SFTConfig(output_dir=folder, per_device_train_batch_size=settings["batch"], num_train_epochs=1,
                           use_cpu=True, bf16=settings["autocast"], learning_rate=5e-5, max_length=1024,
                           activation_checkpointing=settings.get("checkpointing", False), report_to="none",
                           save_strategy="no", logging_strategy="no", disable_tqdm=True,
                           train_sampling_strategy="sequential", dataloader_pin_memory=False)
        trainer = SFTTrainer(model=model, args=config, train_dataset=rows, processing_class=tokenizer,
                             callbacks=[clock], peft_config=peft_config() if settings.get("lora") else None)
        trainer.train()
    lengths = [len(ids) for ids in trainer.train_dataset["input_ids"]]
    batch = settings["batch"]
    steps = [{"tokens": sum(lengths[i * batch:(i + 1) * batch]), "seconds": after - before}
             for i, (before, after) in enumerate(zip(clock.at, clock.at[1:]))]
    trained = {str(p.dtype) for p in trainer.model.parameters() if p.requires_grad}
    print(json.dumps({"steps": steps, "trained": sorted(trained), "optimizer": str(config.optim)}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
