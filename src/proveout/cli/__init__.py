"""The command line: `proveout COMMAND`. Exit codes: 0, 1 (violated, or a twin survived), 3 (inconclusive), 2 (usage)."""

from proveout.cli.app import main

__all__ = ["main"]
