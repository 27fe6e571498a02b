"""Says whether a short piece of Python shows one of eight weaknesses. The code is parsed and never run."""
