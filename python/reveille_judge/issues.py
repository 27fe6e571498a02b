"""The one way in which our checks report."""
import bandit


def found(cwe, text, node=None, severity=bandit.MEDIUM, confidence=bandit.MEDIUM):
    return bandit.Issue(severity=severity, confidence=confidence, cwe=cwe, text=text,
                        lineno=None if node is None else node.lineno)
