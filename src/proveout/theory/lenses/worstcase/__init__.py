"""The worst-case lens: the exact worst factor of a claim over a whole function class.

`step` is run on abstract vectors (`world`, `abstract`), V and the bounds are read as quadratic forms (`forms`),
exchangeable clients are folded to one block of differences and one of means (`reduce`), and the semidefinite
program of the class inequalities (`classes`, `conditions`) is solved and re-checked (`program`, `solve`,
`enclosure`).  The answer is an interval [low, up] for the least true rate, low from a feasible Gram matrix, up
from feasible multipliers; the solver's status is never used:

    holds         up <= claimed (1 + 1e-9)
    violated      low > claimed (1 + 1e-7), at a Gram matrix that is stored as witness
    inconclusive  otherwise, or if only necessary conditions of the class are known and low is above the claim

The value is the supremum over all dimensions.  `best_weights` (`lyapunov`) and `tight` (`sweep`) ask for the best rate
that any V of a shape can prove.
"""

from proveout.theory.lenses.worstcase.draws import Settings
from proveout.theory.lenses.worstcase.instance import instance
from proveout.theory.lenses.worstcase.judge import check, sides
from proveout.theory.lenses.worstcase.lyapunov import Best, best_weights
from proveout.theory.lenses.worstcase.question import Answer, Question, answer, ask, worst
from proveout.theory.lenses.worstcase.sweep import tight
from proveout.theory.lenses.worstcase.trace import Trace, trace

__all__ = [
    "Answer",
    "Best",
    "Question",
    "Settings",
    "Trace",
    "answer",
    "ask",
    "best_weights",
    "check",
    "instance",
    "sides",
    "tight",
    "trace",
    "worst",
]
