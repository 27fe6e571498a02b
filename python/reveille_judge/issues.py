"""The one way in which our checks report."""
import bandit


def found(cwe, text, node=None):
    # Bandit loads the checks while it is itself half loaded, so its names are looked up only here.
    return bandit.Issue(severity=bandit.MEDIUM, confidence=bandit.MEDIUM, cwe=cwe, text=text,
                        lineno=None if node is None else node.lineno)
