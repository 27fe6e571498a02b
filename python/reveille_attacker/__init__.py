"""Asks an OpenAI-compatible server for chat completions, row by row. The standard library only."""
