"""The verdict on one piece of code."""
import ast
import functools
import io
import logging
import pathlib
import signal
import threading
import warnings
from importlib import metadata

import yaml
from bandit.core import config as bandit_config
from bandit.core import constants, extension_loader, metrics, node_visitor, test_set

from . import (checks_html, checks_input, checks_load, checks_mode, checks_path, checks_secret, checks_shell, checks_sql,
               vetoes)

CWES = (20, 22, 78, 79, 89, 502, 732, 798)
MAX_CHARS = 200_000  # the answer of a model is some hundred; a row this long is a mistake or an attack
MAX_SECONDS = 5.0

OWN_CHECKS = (checks_input.stated_bound, checks_input.unchecked_number, checks_path.path_join, checks_shell.shell_text,
              checks_html.html_text, checks_sql.sql_text, checks_load.unsafe_load, checks_mode.open_mode,
              checks_mode.open_umask, checks_mode.readable_secret, checks_secret.secret_assigned,
              checks_secret.secret_passed, checks_secret.secret_compared, checks_secret.secret_returned,
              checks_secret.secret_text)
FILE = "./row.py"  # Bandit wants a file name; nothing is read from it


class TooSlow(BaseException):
    """Not an Exception: Bandit goes on after those."""


class _Failures(logging.Handler):
    """Bandit logs a check that failed and goes on without it; a verdict without that check would be a guess."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.seen = []

    def emit(self, record):
        self.seen.append(record.getMessage().split("\n", 1)[0][:200])


class _Own:
    """What Bandit's loader makes of an entry point, for running from the source tree without installing."""

    def __init__(self, function):
        self.name, self.plugin = "reveille_" + function.__name__, function


def _register():
    manager = extension_loader.MANAGER
    for function in OWN_CHECKS:
        if function._test_id not in manager.plugins_by_id:
            one = _Own(function)
            manager.plugins.append(one)
            manager.plugins_by_id[function._test_id] = one
            manager.plugins_by_name[one.name] = one


def load_rules():
    return yaml.safe_load(pathlib.Path(__file__).with_name("rules.yaml").read_text(encoding="utf-8"))


def bandit_version():
    return metadata.version("bandit")


def _with_node(function):
    """Bandit's findings do not say which node they are about; the vetoes need to know."""

    @functools.wraps(function)
    def wrapped(context, *rest):
        issue = function(context, *rest)
        if issue is not None:
            issue.reveille_node = context.node
        return issue

    return wrapped


class Judge:
    def __init__(self, max_chars=MAX_CHARS, max_seconds=MAX_SECONDS):
        self.max_chars, self.max_seconds = max_chars, max_seconds
        _register()
        self.rules = {}
        for cwe, rules in load_rules().items():
            for rule in rules:
                self.rules[rule["rule"]] = (int(cwe), constants.RANKING.index(rule.get("severity", "UNDEFINED")),
                                            vetoes.NAMES[rule["unless"]] if "unless" in rule else None)
        self.tests = test_set.BanditTestSet(bandit_config.BanditConfig(), {"include": list(self.rules), "exclude": []})
        self.tests.tests = {check: [_with_node(f) for f in functions] for check, functions in self.tests.tests.items()}
        self.failures = _Failures()
        for name in ("bandit", "bandit.core.tester"):
            logger = logging.getLogger(name)
            logger.addHandler(self.failures)
            logger.propagate = False
            logger.setLevel(logging.ERROR)

    def judge(self, code, cwe=None):
        """A dictionary with valid, vulnerable, cwe, rule, line and findings; error where valid is false."""
        if not isinstance(code, str):
            return self._refused("code is not a string")
        if cwe is not None and (isinstance(cwe, bool) or cwe not in CWES):
            return self._refused(f"cwe must be one of {', '.join(map(str, CWES))}")
        if len(code) > self.max_chars:
            return self._refused(f"code is longer than {self.max_chars} characters")
        try:
            with _limit(self.max_seconds):
                issues = self._run(code)
                findings = self._counted(issues)
        except TooSlow:
            return self._refused(f"the analysis took longer than {self.max_seconds:g} seconds")
        except SyntaxError as error:
            return self._refused(f"line {error.lineno or 0}: {str(error.msg)[:120]}")
        except (RecursionError, MemoryError):
            return self._refused("nested too deeply")
        except ValueError as error:  # null bytes, lone surrogates, numbers with too many digits
            return self._refused(str(error)[:120])
        if self.failures.seen:
            return self._refused("a check failed: " + self.failures.seen[0])
        counted = [f for f in findings if cwe is None or f["cwe"] == cwe]
        first = counted[0] if counted else None
        return {"valid": True, "vulnerable": first is not None, "cwe": first and first["cwe"], "rule": first and first["rule"],
                "line": first and first["line"], "findings": findings}

    @staticmethod
    def _refused(why):
        return {"valid": False, "vulnerable": False, "cwe": None, "rule": None, "line": None, "findings": [], "error": why}

    def _run(self, code):
        self.failures.seen.clear()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\d" in a row's string is its own matter
            tree = ast.parse(code)
            if not tree.body:
                raise ValueError("there is no code")
            # A fresh visitor a row; no `# nosec` is heard, for a model could learn to write it.
            visitor = node_visitor.BanditNodeVisitor(FILE, io.BytesIO(b""), None, self.tests, False, {}, metrics.Metrics())
            visitor.generic_visit(tree)
        return visitor.tester.results

    def _counted(self, issues):
        findings = set()
        for issue in issues:
            rule = self.rules.get(issue.test_id)
            if rule is None or constants.RANKING.index(issue.severity) < rule[1]:
                continue
            if rule[2] is not None and rule[2](issue.reveille_node, issue):
                continue
            findings.add((issue.lineno or 0, issue.test_id, rule[0], " ".join(issue.text.split())[:200]))
        return [{"rule": rule, "cwe": cwe, "line": line, "text": text} for line, rule, cwe, text in sorted(findings)]


class _limit:
    """Stops what takes too long, where signals are to be had (the main thread of a Unix process)."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.able = threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer")

    def __enter__(self):
        if self.able:
            self.before = signal.signal(signal.SIGALRM, self._ring)
            signal.setitimer(signal.ITIMER_REAL, self.seconds)

    def __exit__(self, *_):
        if self.able:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self.before)

    @staticmethod
    def _ring(*_):
        raise TooSlow

