"""Makes tests/reference/optimizers/*.safetensors: ten steps of torch.optim and of transformers' Adafactor.

Run from the repository's root with the packages of requirements/test.txt:
    .venv/bin/python tests/reference/make_optimizer_fixtures.py
In float32 on one thread: a matrix, a wide matrix, a vector and one number, with gradients that are drawn once. A file
for each set of options (its name says which), which src/train/update_rule_test.cc repeats. In each:
    start.N, grad.STEP.N, after.STEP.N     N = 0 to 3, STEP = 1 to 10
Weight decay, where there is any, is of the matrices alone, as transformers' Trainer does it. The learning rate falls
from step to step, as a schedule's does.
"""
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers.optimization import Adafactor

OUT = Path(__file__).parent / "optimizers"
SHAPES = [(6, 5), (3, 17), (7,), (1,)]
DECAYED = [0, 1]
STEPS = 10
SGD, ADAMW = torch.optim.SGD, torch.optim.AdamW
TRAINER = dict(scale_parameter=False, relative_step=False)  # what transformers' Trainer passes
CASES = {
    "adamw": (ADAMW, dict(betas=(0.9, 0.99), eps=1e-8), 0.1),
    "sgd": (SGD, {}, 0.0),
    "sgd_decay": (SGD, {}, 0.1),
    "sgd_momentum": (SGD, dict(momentum=0.9), 0.1),
    "sgd_dampening": (SGD, dict(momentum=0.8, dampening=0.3), 0.0),
    "sgd_nesterov": (SGD, dict(momentum=0.9, nesterov=True), 0.1),
    "adafactor": (Adafactor, TRAINER, 0.0),
    "adafactor_decay": (Adafactor, dict(TRAINER, clip_threshold=0.5, decay_rate=-0.6), 0.1),
    "adafactor_first_moment": (Adafactor, dict(TRAINER, beta1=0.9), 0.1),
    "adafactor_scaled": (Adafactor, dict(TRAINER, scale_parameter=True, eps=(1e-20, 1e-2)), 0.0),
    "adafactor_relative": (Adafactor, dict(scale_parameter=True, relative_step=True, warmup_init=False), 0.0),
    "adafactor_warmup": (Adafactor, dict(scale_parameter=True, relative_step=True, warmup_init=True), 0.0),
}


def rate(step):
    return 1e-2 * (1 - (step - 1) / STEPS)


def run(make, options, decay):
    generator = torch.Generator().manual_seed(5)
    params = [torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in SHAPES]
    tensors = {f"start.{n}": param.detach().clone() for n, param in enumerate(params)}
    groups = [{"params": [p], "weight_decay": decay if n in DECAYED else 0.0} for n, p in enumerate(params)]
    own_rate = options.get("relative_step", False)
    optimizer = make(groups, lr=None if own_rate else rate(1), **options)
    for step in range(1, STEPS + 1):
        for group in optimizer.param_groups:
            group["lr"] = None if own_rate else rate(step)
        for n, param in enumerate(params):
            # Of very different sizes, so that clipping and the floors of Adafactor matter.
            param.grad = torch.randn(SHAPES[n], generator=generator) * 10.0 ** ((step + n) % 4 - 2)
            tensors[f"grad.{step}.{n}"] = param.grad.clone()
        optimizer.step()
        tensors.update({f"after.{step}.{n}": param.detach().clone() for n, param in enumerate(params)})
    return tensors


if __name__ == "__main__":
    torch.set_num_threads(1)
    OUT.mkdir(exist_ok=True)
    for name, (make, options, decay) in CASES.items():
        save_file(run(make, options, decay), OUT / f"{name}.safetensors")
