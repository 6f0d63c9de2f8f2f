"""What the designer chooses: one paper, one file; shared building blocks under `blocks`.

Modules are loaded when they are first asked for: `proveout.methods.NAME` needs no import of its own.
"""

from proveout.rooms import opened

__getattr__ = opened(__name__)
