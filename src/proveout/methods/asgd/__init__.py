"""Asynchronous SGD, its momentum variants, and the synchronous reference, all on the same clock.

K workers (n in the theorems); after each arrival the server updates and sends the new model to the
worker.  i is the version at which the arriving gradient g was computed, tau = t - i its delay.
Compare methods with momentum at equal gamma_eff = gamma / (1 - beta).
"""

from proveout.methods.asgd.momentum import SMEGA2, NaiveASGDm, ShiftedMomentum
from proveout.methods.asgd.plain import ASGD
from proveout.methods.asgd.synchronous import SSGDm, SSGDmRounds

__all__ = ["ASGD", "SMEGA2", "NaiveASGDm", "SSGDm", "SSGDmRounds", "ShiftedMomentum"]
