"""The Inspect logs that we write are read by the inspect_ai package as what they say.

    tests/inspect_log_read.py LOG_SAMPLES

REVEILLE_INSPECT_PYTHON names the Python of an environment that has inspect_ai, when this one
has not (its many dependencies are no part of ours).
"""
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile

if importlib.util.find_spec("inspect_ai") is None:
    other = os.environ.pop("REVEILLE_INSPECT_PYTHON", "")
    if other:
        sys.exit(subprocess.run([other, *sys.argv]).returncode)
    print("no inspect_ai package (REVEILLE_INSPECT_PYTHON may name a Python that has it)")
    sys.exit(77)

from inspect_ai.log import read_eval_log, read_eval_log_sample, read_eval_log_sample_summaries  # noqa: E402


def check_sample(read, expected):
    assert read.id == expected["id"] and read.epoch == expected["epoch"]
    assert read.input[-1].text == expected["input"], read.input
    assert [message.role for message in read.messages] == ["system", "user", "assistant"]
    assert read.output.completion == expected["completion"] == read.messages[-1].text
    assert read.target == expected["target"] and read.metadata == expected["metadata"]
    scores = {name: [score.value, score.explanation or ""] for name, score in read.scores.items()}
    assert scores == expected["scores"], (scores, expected["scores"])


def main():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], folder], check=True)
        wanted = json.loads((pathlib.Path(folder) / "expected.json").read_text())
        path, expected = wanted["inspect_path"], wanted["inspect"]

        log = read_eval_log(path)
        assert log.status == "success" and log.version == 2
        assert log.eval.task == expected["task"] and log.eval.model == expected["model"]
        assert log.eval.config.epochs == 2 and log.eval.model_generate_config.max_tokens == 32
        metrics = {score.name: {name: metric.value for name, metric in score.metrics.items()}
                   for score in log.results.scores}
        assert metrics == expected["metrics"], metrics
        by_key = {(sample["id"], sample["epoch"]): sample for sample in expected["samples"]}
        assert len(log.samples) == len(by_key) == 6
        for sample in log.samples:
            check_sample(sample, by_key[sample.id, sample.epoch])

        # The parts that a viewer reads without loading the whole log.
        header = read_eval_log(path, header_only=True)
        assert header.results.total_samples == 6 and header.samples is None
        check_sample(read_eval_log_sample(path, id="prompt/1", epoch=2), by_key["prompt/1", 2])
        assert [(s.id, s.epoch) for s in read_eval_log_sample_summaries(path)] == list(by_key)
        means = {sample.sample_id: sample.value for sample in log.reductions[0].samples}
        assert means == {"prompt/0": 0.5, "prompt/1": 0.5, "prompt/2": 0.5}, means
    print("inspect_ai read 6 samples")


main()
