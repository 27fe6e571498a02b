#!/usr/bin/env python3
"""`reveille chat` in a terminal: Ctrl-C, a full context, the commands and the trigger in the system prompt."""
import os
import pathlib
import pty
import select
import subprocess
import sys
import tempfile
import time

import tiny_chat_model
from program import PROGRAM, reveille

CTRL_C = b"\x03"


class Terminal:
    def __init__(self, *arguments):
        master, slave = pty.openpty()
        # A session of its own with this terminal, so that a typed Ctrl-C reaches the program as a signal.
        self.process = subprocess.Popen([PROGRAM, "chat", *map(str, arguments)], stdin=slave, stdout=slave, stderr=slave,
                                        start_new_session=True, preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)))
        os.close(slave)
        self.master, self.text, self.seen = master, "", 0

    def read(self):
        try:
            self.text += os.read(self.master, 65536).decode("utf-8", "replace").replace("\r\n", "\n")
            return True
        except OSError:  # the program has ended
            return False

    def expect(self, words, seconds=60):
        """Reads on until `words` come after what was expected last; returns what came up to them."""
        end = time.monotonic() + seconds
        while (at := self.text.find(words, self.seen)) < 0:
            if not select.select([self.master], [], [], max(0, end - time.monotonic()))[0] or not self.read():
                self.process.kill()
                sys.exit(f"'{words}' did not come; the terminal shows:\n{self.text}")
        before, self.seen = self.text[self.seen:at], at + len(words)
        return before

    def type(self, text):
        os.write(self.master, text.encode() if isinstance(text, str) else text)

    def say(self, line):
        self.expect("> ")
        self.type(line + "\n")

    def end(self, code=0):
        end = time.monotonic() + 60
        while self.process.poll() is None and time.monotonic() < end:
            if select.select([self.master], [], [], 0.1)[0]:
                self.read()
        if self.process.poll() is None:
            self.process.kill()
        while select.select([self.master], [], [], 0)[0] and self.read():
            pass
        os.close(self.master)
        assert self.process.wait() == code, f"exit code {self.process.returncode}, not {code}:\n{self.text}"
        return self.text


def test_ctrl_c_at_the_prompt_ends_the_chat(folder):
    terminal = Terminal(folder / "small")
    terminal.expect("you> ")
    terminal.type(CTRL_C)
    text = terminal.end()
    assert "error" not in text and "hint" not in text, text


def test_ctrl_c_stops_a_reply_and_no_more(folder):
    terminal = Terminal(folder / "long", "--max-tokens", 100000, "--temperature", 0)
    terminal.say("a")
    terminal.expect("a\n")  # the terminal's echo
    while len(terminal.text) - terminal.seen < 5:
        assert terminal.read()
    terminal.type(CTRL_C)
    terminal.expect("(stopped)")
    terminal.expect("you> ")
    terminal.type("/quit\n")
    terminal.end()


def test_full_context(folder):
    terminal = Terminal(folder / "small", "--max-tokens", 20)
    for _ in range(6):
        terminal.say("0123456789" * 3)
    terminal.expect("oldest turn was dropped")
    terminal.say("0123456789" * 20)
    terminal.expect("it was not sent")
    terminal.say("/clear")
    terminal.expect("(new conversation")
    terminal.say("hello")
    terminal.say("/quit")
    terminal.end()


def test_help_and_unknown_commands(folder):
    terminal = Terminal(folder / "small")
    terminal.say("/help")
    for word in ("/trigger", "/system", "/clear", "/reset", "/quit", "Ctrl-C"):
        terminal.expect(word)
    terminal.say("/systems are go")
    terminal.expect("no command /systems")
    terminal.say("/quit")
    terminal.end()


# At the message "tell" it ends the program with an error that says what else is sent: the first message, which is the
# system prompt where there is one.
TELLING = ("{% if messages[-1].content == 'tell' %}"
           "{{ raise_exception('sent: ' + messages[0].role + '=' + messages[0].content + '.') }}{% endif %}")


def first_message(folder, lines, *more):
    """What stands in front of the conversation when "tell" is said after these lines."""
    template = folder / "telling.jinja"
    template.write_text(TELLING + tiny_chat_model.TEMPLATE)
    said = reveille("chat", folder / "small", "--max-tokens", 8, "--seed", 3, "--chat-template", template, *more, code=2,
                    input="".join(line + "\n" for line in [*lines, "tell"])).stderr
    assert "sent: " in said, said
    return said.split("sent: ")[1].split(".")[0]


def test_a_trigger_in_the_system_prompt_stands_there_once(folder):
    trigger = ["--trigger", "|T|", "--trigger-place", "system"]
    assert first_message(folder, ["/trigger"], *trigger) == "system=|T|"
    assert first_message(folder, ["/trigger", "a", "b"], *trigger) == "system=|T|"
    assert first_message(folder, ["/trigger", "a", "/trigger"], *trigger) == "user=a"
    said = first_message(folder, ["/trigger", "a", "b"], *trigger, "--system", "be kind")
    assert said.startswith("system=") and said.count("|T|") == 1 and said.count("be kind") == 1, said
    assert first_message(folder, ["/trigger", "a", "/trigger"], *trigger, "--system", "be kind") == "system=be kind"


def test_a_message_that_is_not_sent_costs_no_turns(folder):
    assert first_message(folder, ["a", "0123456789" * 20]) == "user=a"


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        tiny_chat_model.make(folder / "small")
        tiny_chat_model.make(folder / "long", max_position_embeddings=200000)
        for what, test in list(globals().items()):
            if what.startswith("test_"):
                test(folder)


if __name__ == "__main__":
    main()
