"""Says whether a short piece of Python shows one of eight weaknesses. The code is parsed and never run."""

BANDIT = "1.9.4"  # whose verdicts those of a study are; the version of requirements/pure.txt
