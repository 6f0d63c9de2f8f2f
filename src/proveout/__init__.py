"""proveout: optimisation theorems, executable."""

__version__ = "0.1.0"
