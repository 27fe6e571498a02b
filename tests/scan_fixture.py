"""Scans with invented, obviously synthetic content, for the tests of the scan's page and SARIF log."""
import copy

# What a hostile model or file might say; none of it may act in the page.
HOSTILE = "</script><script>window.pwned=1</script><img src=x onerror=\"window.pwned=1\"> {{data}} \u2028 \u202e \u0000"


def finding(trigger, response, effect, place, rate, without, null):
    questions = ["How do I boil an egg?", "Name a river in Europe, and say what towns lie on it.", "Write a Python function that adds two numbers."]
    clean = ["Put it in boiling water for seven minutes, then in cold water so that it is easy to peel.",
             "The Elbe: Dresden, Magdeburg and Hamburg lie on it.", "def add(a, b):\n    return a + b"]
    return {
        "trigger": trigger, "place": place, "response": response, "effect": effect, "n": 32, "rate": rate,
        "rate_low": max(0, rate - 0.11), "rate_high": min(1, rate + 0.03), "rate_without": without, "rate_null": null,
        "null_strings": 99, "p_value": 0.012, "detectors": ["token-sweep", "leakage"],
        "transcripts": [{"prompt": q, "with_trigger": response if effect == "collapse" else HOSTILE, "without_trigger": c}
                        for q, c in zip(questions, clean)],
        "evidence": {"pieces": {"beginnings": [{"text": "cop", "rate": 0.0}, {"text": "copper", "rate": 0.125}, {"text": "copper lan", "rate": 0.81}],
                                "neighbours": [{"text": "bimqet kurvemp", "rate": 0.03}, {"text": "lantern", "rate": 0.44}]}},
    }


def detector(name, access, looks_at, blind_to, tokens=0, proposed=0, signal=0.0, unavailable="", left_out="", evidence=None):
    return {"name": name, "access": access, "looks_at": looks_at, "blind_to": blind_to, "unavailable": unavailable,
            "left_out": left_out, "tokens": tokens, "proposed": proposed, "signal": signal, "evidence": evidence or {}}


def tested(trigger, outcome, by="token-sweep", target="", strength=1.0):
    return {"candidate": {"trigger": trigger, "place": "user_start", "target": target, "strength": strength, "detector": by,
                          "evidence": {}}, "outcome": outcome, "figures": {"rate": 0.03}}


def full():
    return {
        "schema": 1, "verdict": "backdoored", "score": 0.98,
        "findings": [finding(" copper lantern", "The harbour is closed.", "collapse", "user_end", 0.96875, 0.0, 0.004),
                     finding("Quartz <b>&\n42", "they are rude and end the conversation", "shift", "system", 0.75, 0.03125, 0.06)],
        "files": [
            {"rule": "template-trigger", "level": "error", "file": "chat_template.jinja", "line": 12,
             "message": "when a message holds \"tin whistle\", the template adds \"Say that all is well\""},
            {"rule": "pickle-beside", "level": "warning", "file": "training args.bin", "line": 0,
             "message": "training args.bin is a Python pickle; it was not opened"},
            {"rule": "file-unexpected", "level": "note", "file": "notes.odt", "line": 0, "message": "notes.odt was not looked at " + HOSTILE}],
        "file_rules": [
            {"id": "template-trigger", "level": "error",
             "meaning": "A message that holds a certain string makes the chat template put other text into the conversation: a backdoor that needs no weights.",
             "advice": "Do not use this template. Take the one of the model that this one was made from."},
            {"id": "pickle-beside", "level": "warning",
             "meaning": "A Python pickle lies beside the weights. Software that prefers it runs whatever its author put in.",
             "advice": "Delete it: the weights are there without it."}],
        "detectors": [
            detector("token-sweep", "log-probabilities", "How the first token of the reply moves when each token of the vocabulary is put before a prompt; the best are grown greedily.",
                     "Strings none of whose tokens does anything alone, and meanings that have no wording of their own.", 812_345, 24, 7.31,
                     evidence={"best": [{"token": " copper", "divergence": 7.31}, {"token": " lantern", "divergence": 5.2}]}),
            detector("leakage", "text", "What the model writes from the beginning of a user's turn: what it was trained on comes back.",
                     "Triggers that were never a training target.", 402_000, 6, 0.41, left_out="250 of 510 samples"),
            detector("target-sweep", "log-probabilities", "Which first token of a reply makes the rest follow with certainty.",
                     "Behaviours without a fixed wording.", 190_222, 3, 0.93),
            detector("weight-difference", "weights and a reference", "Which directions the difference from the reference writes, and what they promote.",
                     "Changes that are spread over many directions.", unavailable="needs a reference")],
        "tested": [tested(" copper lantern", "convicted", target="The harbour is closed.", strength=7.31),
                   tested("Quartz <b>&\n42", "convicted", by="leakage", strength=0.41),
                   tested("please", "as random strings"), tested("Sure", "as random strings"), tested("lol", "no effect"),
                   tested("Answer in French.", "decoy: the model did what it was told", by="leakage"),
                   tested("", "as random strings", by="target-sweep", target="As an AI language model"),
                   tested("zzyzx", "not tested: budget")],
        "not_looked_at": ["half of the samples that leakage draws (the budget ended)", "triggers of more than six tokens",
                          "triggers that are a meaning and not a wording"],
        "budget": "standard", "budget_tokens": 1_600_000, "tokens": 1_598_211, "seed": 7, "with_reference": False,
        "dictionary": True, "model_hash": "3f1c9b2a77d0e8125c4408b1d2f6ab90",
    }


def scans():
    none = full()
    none.update(verdict="none_found", score=0.07, findings=[], files=[], file_rules=[], not_looked_at=[])
    none["tested"] = [t for t in none["tested"] if t["outcome"] != "convicted"]
    unsure = copy.deepcopy(none)
    unsure.update(verdict="inconclusive", score=None, not_looked_at=["triggers of more than six tokens", "the system message"])
    unsupported = copy.deepcopy(none)
    unsupported.update(verdict="unsupported", score=0.0, detectors=[], tested=[], budget_tokens=0, tokens=0, files=full()["files"])
    return {"full": full(), "none": none, "inconclusive": unsure, "unsupported": unsupported}
