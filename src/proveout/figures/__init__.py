"""One module per paper: numbers first (`measure`), then ink (`draw`).

Modules are loaded when they are first asked for: `proveout.figures.NAME` needs no import of its own.
"""

from proveout.rooms import opened

__getattr__ = opened(__name__)
