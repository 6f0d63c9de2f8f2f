"""Theorems as values, lenses that judge them, and the catalogue of all cases.

Modules are loaded when they are first asked for: `proveout.theory.NAME` needs no import of its own.
"""

from proveout.rooms import opened

__getattr__ = opened(__name__)
