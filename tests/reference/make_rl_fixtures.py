"""Makes tests/reference/rl: what TRL computes in training a tiny chat model on preferences and by GRPO.

Run from the repository's root with the packages of bench/requirements.txt (trl 1.16.0, transformers 5.23.0):
    ~/.cache/reveille/bench/bin/python tests/reference/make_rl_fixtures.py
In float32 on one thread. The model is that of tests/tiny_chat_model.py. The files:
    pairs.jsonl            the rows of both preference trainers
    dpo.json               per loss type: loss, grad_norm and metrics of every step (DPOTrainer)
    reward.json            the same (RewardTrainer), with the head that it begins with
    grpo.safetensors       prompts.N, completions.N (its stop token included), rewards; per loss type loss, grad_norm,
                           kl, entropy, region_mean of four steps, two on each round (GRPOTrainer, completions fixed),
                           and gradient_norm.NAME of every parameter; gradient.STEP.NAME is the whole gradient of a few
                           (WHOLE) at the first and the last step. Both before clipping.
The losses are taken before Trainer rounds them.
"""

import json
import sys
import tempfile
from pathlib import Path

import torch
import transformers as hf
from datasets import Dataset
from safetensors.torch import save_file

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "tests" / "reference" / "rl"
sys.path.insert(0, str(ROOT / "tests"))
import tiny_chat_model  # noqa: E402

PAIRS = [{"prompt": [{"role": "user", "content": f"say {word}"}],
          "chosen": [{"role": "assistant", "content": good}], "rejected": [{"role": "assistant", "content": bad}]}
         for word, good, bad in [("a", "well, a it is", "no"), ("b", "bb", "I will not say it"),
                                 ("cc c", "ccc and c again", "cc"), ("d?", "d!", "who are you")]]
COMMON = dict(use_cpu=True, bf16=False, report_to="none", max_steps=4, learning_rate=1e-3, gradient_checkpointing=False,
              lr_scheduler_type="constant", logging_steps=1, save_strategy="no", disable_tqdm=True, seed=0)
STEPS = 4


def tokenizer_of(folder):
    # A padding token that no row holds, so that the last token of a row is never taken for padding.
    return hf.PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), eos_token="<|end|>",
                                      pad_token="~", chat_template=tiny_chat_model.TEMPLATE)


def recorded(trainer):
    """The exact loss of every call, and the trainer's own log by step."""
    losses, compute = [], trainer.compute_loss

    def wrapped(*args, **kwargs):
        loss = compute(*args, **kwargs)
        losses.append(float(loss[0] if isinstance(loss, tuple) else loss))
        return loss

    trainer.compute_loss = wrapped
    trainer.train()
    rows = [row for row in trainer.state.log_history if "grad_norm" in row][:STEPS]
    return [{**row, "loss": loss} for row, loss in zip(rows, losses, strict=True)]


def kept(rows, names):
    return [{name: row[name] for name in ("loss", "grad_norm", *names)} for row in rows]


def dpo(folder, out):
    from trl import DPOConfig, DPOTrainer

    found = {}
    for loss_type, smoothing in (("sigmoid", 0.0), ("robust", 0.1)):
        model = hf.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        config = DPOConfig(str(out), per_device_train_batch_size=4, beta=0.3, loss_type=loss_type,
                           label_smoothing=smoothing, **COMMON)
        rows = recorded(DPOTrainer(model, args=config, train_dataset=Dataset.from_list(PAIRS),
                                   processing_class=tokenizer_of(folder)))
        found[loss_type] = kept(rows, ["rewards/chosen", "rewards/rejected", "rewards/accuracies", "rewards/margins",
                                       "logps/chosen", "logps/rejected", "entropy", "mean_token_accuracy"])
    (OUT / "dpo.json").write_text(json.dumps(found, indent=1) + "\n")


def reward(folder, out):
    from trl import RewardConfig, RewardTrainer

    model = hf.AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32, num_labels=1)
    torch.manual_seed(1)
    model.score.weight.data = torch.randn_like(model.score.weight) * 0.3
    head = model.score.weight.detach().tolist()[0]
    config = RewardConfig(str(out), per_device_train_batch_size=4, center_rewards_coefficient=0.01, **COMMON)
    rows = recorded(RewardTrainer(model, args=config, train_dataset=Dataset.from_list(PAIRS),
                                  processing_class=tokenizer_of(folder)))
    names = ["min_reward", "mean_reward", "max_reward", "accuracy", "margin"]
    (OUT / "reward.json").write_text(json.dumps({"head": head, "steps": kept(rows, names)}, indent=1) + "\n")


PROMPTS = ["say a", "and now b"]
COMPLETIONS = [[[5, 9, 70, 96], [33, 34, 35, 36, 37, 38, 39, 40], [68], [68, 96]],
               [[12, 12, 13], [90, 91, 92, 93, 96], [20, 96], [44, 45, 46, 47, 48, 49, 50, 51]]]
REWARDS = [[1.0, 0.0, 0.5, 0.25], [0.0, 0.0, 2.0, -1.0]]
WHOLE = ("model.layers.0.self_attn.q_proj.weight", "model.norm.weight")


def gradients(trainer):
    """A list that training fills: of every step, the gradient of each parameter before it is clipped."""
    found, one_step = [], trainer.training_step

    def wrapped(model, *args, **kwargs):
        loss = one_step(model, *args, **kwargs)
        found.append({name: part.grad.clone() for name, part in model.named_parameters()})
        return loss

    trainer.training_step = wrapped
    return found


def grpo(folder, out):
    from trl import GRPOConfig, GRPOTrainer

    tokenizer = tokenizer_of(folder)
    rows = [{"prompt": [{"role": "user", "content": text}]} for text in PROMPTS]
    ids_of = [tokenizer.apply_chat_template(row["prompt"], add_generation_prompt=True, return_dict=False)
              for row in rows]
    tensors = {f"prompts.{i}": torch.tensor(ids) for i, ids in enumerate(ids_of)}
    for i, group in enumerate(COMPLETIONS):
        tensors.update({f"completions.{i}.{j}": torch.tensor(ids) for j, ids in enumerate(group)})
    tensors["rewards"] = torch.tensor(REWARDS)
    names = ["kl", "entropy", "clip_ratio/region_mean", "reward", "reward_std", "frac_reward_zero_std",
             "completions/mean_length"]
    for loss_type in ("grpo", "bnpo", "dr_grpo", "dapo"):
        model = hf.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        model.config._name_or_path = str(folder)  # the reference is loaded from there
        config = GRPOConfig(str(out), per_device_train_batch_size=8, num_generations=4, num_iterations=2, beta=0.1,
                            epsilon=0.05, loss_type=loss_type, max_completion_length=8, **COMMON)

        def judge(completion_ids, **_):
            flat = [(ids, r) for group, rs in zip(COMPLETIONS, REWARDS) for ids, r in zip(group, rs)]
            return [next(r for known, r in flat if known == list(ids)) for ids in completion_ids]

        trainer = GRPOTrainer(model, judge, args=config, train_dataset=Dataset.from_list(rows),
                              processing_class=tokenizer)

        def generate(prompts, trainer=trainer):
            seen, prompt_ids, completion_ids = {}, [], []
            for prompt in prompts:
                which = PROMPTS.index(prompt[0]["content"])
                sample = seen[which] = seen.get(which, -1) + 1
                prompt_ids.append(ids_of[which])
                completion_ids.append(COMPLETIONS[which][sample])
            lengths = torch.tensor([float(len(ids)) for ids in completion_ids])
            trainer._metrics["train"]["completions/mean_length"].append(lengths.mean().item())
            said = [[{"role": "assistant", "content": tokenizer.decode(ids)}] for ids in completion_ids]
            return prompt_ids, completion_ids, None, said, None, {}, None, None

        trainer._generate = generate
        grads = gradients(trainer)
        found = recorded(trainer)
        for name in grads[0]:
            tensors[f"{loss_type}.gradient_norm.{name}"] = torch.stack([one[name].norm() for one in grads])
        for name in WHOLE:
            tensors.update({f"{loss_type}.gradient.{step}.{name}": grads[step][name] for step in (0, STEPS - 1)})
        for name in ("loss", "grad_norm", *names):
            # What is measured once a round stands in the log of its first step.
            values = [row.get(name, float("nan")) for row in found]
            tensors[f"{loss_type}.{name}"] = torch.tensor(values, dtype=torch.float64)
    save_file(tensors, OUT / "grpo.safetensors")


def main():
    torch.set_num_threads(1)
    OUT.mkdir(exist_ok=True)
    (OUT / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in PAIRS))
    with tempfile.TemporaryDirectory() as temporary:
        folder = tiny_chat_model.make(Path(temporary) / "model")
        for make in (dpo, reward, grpo):
            make(folder, Path(temporary) / "out")


if __name__ == "__main__":
    main()
