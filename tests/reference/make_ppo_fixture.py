"""Makes tests/reference/rl/ppo.safetensors: PPO in plain PyTorch, written from the papers' equations.

Run from the repository's root with the packages of requirements/test.txt:
    .venv/bin/python tests/reference/make_ppo_fixture.py
Current TRL has no PPO trainer to compare with. Two rounds of two passes over four fixed completions (they stand in
the file as ids), on tests/reference/models/llama3 in float32, with a value head on its last hidden states that
begins at zero. Gradients are those before clipping: step.gradient_norm.NAME of every parameter and, of a few (WHOLE)
at the first and the last step, step.gradient.STEP.NAME.
arXiv 1707.06347 (clipped objective, eq. 7), 1506.02438 (GAE, eq. 16), 2009.01325 (KL in the reward), and OpenAI's
lm-human-preferences (clipped values, whitening, half of the squared error).
"""

from pathlib import Path

import torch
import transformers as hf
from safetensors.torch import save_file

HERE = Path(__file__).parent
PROMPTS = [[97, 20, 31, 98], [97, 44, 98], [97, 1, 2, 3, 98], [97, 60, 98]]
COMPLETIONS = [[5, 9, 70, 96], [33, 34, 35, 36, 37, 38, 39, 40], [68, 96], [90, 91, 92, 96]]
SCORES = [1.0, -0.5, 0.25, 2.0]
KL_COEF, CLIP, CLIP_VALUE, VF_COEF, GAMMA, LAMBDA = 0.2, 0.05, 0.02, 0.1, 0.99, 0.9
ROUNDS, EPOCHS, RATE = 2, 2, 1e-3
WHOLE = ("model.layers.0.self_attn.q_proj.weight", "model.layers.2.mlp.down_proj.weight", "model.norm.weight",
         "v_head.weight", "v_head.bias")


def look(model, head, bias, prompt, completion):
    """log p and V of every token of the completion, and the entropy where it was chosen."""
    ids = torch.tensor(prompt + completion)
    hidden = model.model(ids[None], use_cache=False).last_hidden_state[0][len(prompt) - 1 : -1]
    log_p = model.lm_head(hidden).log_softmax(-1)
    chosen = log_p.gather(1, torch.tensor(completion)[:, None])[:, 0]
    return chosen, hidden @ head + bias, -(log_p.exp() * log_p).sum(-1)


def advantages_of(rewards, values):
    """GAE backwards; the value after the last token is 0."""
    out, later, later_value = torch.zeros_like(values), 0.0, 0.0
    for t in reversed(range(len(values))):
        delta = rewards[t] + GAMMA * later_value - values[t]
        out[t] = later = delta + GAMMA * LAMBDA * later
        later_value = values[t]
    return out


def collect(model, reference, head, bias):
    old, values, kls, advantages, returns = [], [], [], [], []
    with torch.no_grad():
        for prompt, completion, score in zip(PROMPTS, COMPLETIONS, SCORES):
            log_p, v, _ = look(model, head, bias, prompt, completion)
            ref = look(reference, head, bias, prompt, completion)[0]
            reward = -KL_COEF * (log_p - ref)
            reward[-1] += score
            a = advantages_of(reward, v)
            old.append(log_p), values.append(v), kls.append(log_p - ref), advantages.append(a), returns.append(a + v)
    flat = torch.cat(advantages)
    whitened = (flat - flat.mean()) * torch.rsqrt(flat.var() + 1e-8)
    return (torch.cat(old), torch.cat(values), torch.stack([k.sum() for k in kls]).mean(), whitened,
            torch.cat(returns))


def losses(model, head, bias, old, old_values, advantages, returns):
    seen = [look(model, head, bias, p, c) for p, c in zip(PROMPTS, COMPLETIONS)]
    log_p, values, entropy = (torch.cat(part) for part in zip(*seen))
    ratio = torch.exp(log_p - old)
    policy = torch.max(-advantages * ratio, -advantages * ratio.clamp(1 - CLIP, 1 + CLIP)).mean()
    near = torch.clamp(values, old_values - CLIP_VALUE, old_values + CLIP_VALUE)
    value = 0.5 * torch.max((values - returns) ** 2, (near - returns) ** 2).mean()
    return policy, value, entropy.mean(), 0.5 * ((log_p - old) ** 2).mean(), ratio.mean()


def main():
    torch.set_num_threads(1)
    load = lambda: hf.AutoModelForCausalLM.from_pretrained(HERE / "models" / "llama3", dtype=torch.float32)
    model, reference = load(), load()
    head = torch.zeros(model.config.hidden_size, requires_grad=True)
    bias = torch.zeros(1, requires_grad=True)
    trained = {**dict(model.named_parameters()), "v_head.weight": head, "v_head.bias": bias}
    optimizer = torch.optim.AdamW(trained.values(), lr=RATE, weight_decay=0)
    steps, rounds, whole = {}, {}, {}
    for _ in range(ROUNDS):
        old, values, kl, advantages, returns = collect(model, reference, head, bias)
        for name, value in (("kl", kl), ("values", values), ("advantages", advantages), ("returns", returns)):
            rounds.setdefault(name, []).append(value)
        for _ in range(EPOCHS):
            found = losses(model, head, bias, old, values, advantages, returns)
            optimizer.zero_grad()
            (found[0] + VF_COEF * found[1]).backward()
            found = dict(zip(("policy", "value", "entropy", "approxkl", "ratio"), found))
            found.update({f"gradient_norm.{name}": part.grad.norm() for name, part in trained.items()})
            step = len(steps.get("policy", ()))
            if step in (0, ROUNDS * EPOCHS - 1):
                whole.update({f"step.gradient.{step}.{name}": trained[name].grad.clone() for name in WHOLE})
            found["grad_norm"] = torch.nn.utils.clip_grad_norm_(trained.values(), 1.0)
            optimizer.step()
            for name, value in found.items():
                steps.setdefault(name, []).append(value.detach())
    tensors = {**whole, **{f"step.{name}": torch.stack(values) for name, values in steps.items()}}
    tensors.update({f"round.{name}.{i}": v for name, values in rounds.items() for i, v in enumerate(values)})
    for i, (prompt, completion) in enumerate(zip(PROMPTS, COMPLETIONS)):
        tensors[f"prompts.{i}"], tensors[f"completions.{i}"] = torch.tensor(prompt), torch.tensor(completion)
    tensors["scores"] = torch.tensor(SCORES)
    save_file(tensors, HERE / "rl" / "ppo.safetensors")
    print({name: [round(float(v), 4) for v in values] for name, values in steps.items() if "." not in name})


if __name__ == "__main__":
    main()
