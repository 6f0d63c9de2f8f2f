"""Named tolerances, each with its reason, and the sizes of a search."""

from dataclasses import dataclass

from proveout.laws.core import TAIL

__all__ = [
    "AFFINE",
    "ALARM",
    "BUDGETS",
    "CHUNK",
    "FENCE",
    "FLOOR",
    "IDENTITY",
    "LEAST",
    "MISS",
    "NULL",
    "RATE",
    "ROUNDING",
    "TAIL",
    "VIOLATION",
    "Budget",
    "budget_of",
]

ROUNDING = 1e-9  # relative; a sum over 1e6 atoms of squares errs by 1e-13 to 1e-10
RATE = 8 * 2.0**-53  # absolute; a rate is written as 1 - x, so rates nearer than this are one number
VIOLATION = 1e-7  # relative; 100 x ROUNDING, the smallest real defect seen was 1.2e-5
AFFINE = 1e-9  # relative; probes at unit scale err by 1e-14 cond, kinks show at 1e-3 and more
NULL = 1e-11  # of the top eigenvalue, after Jacobi scaling; eigh errs by 1e-15 q
IDENTITY = 1e-10  # per step; cancellation of terms of the size of star
LEAST = 1e-3  # suprema that are approached, not attained
ALARM = 1e-6  # one false alarm in a million claims, at any stopping time
MISS = 1e-3  # false `holds` of the sampled lens, given its assumption
CHUNK = 4_000_000  # floats of one call's output: 32 MB, fits any worker
FLOOR = 1e4  # times (eps |star|)^2: rounding of a long run
FENCE = (1e-5, 1e7)  # lengths |y| between which states are searched; nearer to star is rounding noise


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Sizes of a search; nothing here depends on the machine, so a verdict depends on the seed alone."""

    name: str
    pairs: float  # floats of all next states, states x atoms x D
    flops: float  # of dense algebra: K q^3
    dimension: int  # q, at most, where forms are decided
    work: float  # floats touched by a search over states of a nonlinear step
    chains: int  # of the evolution
    generations: int
    evaluations: int  # of a search for a least constant
    seeds: int  # searches for a least constant
    runs: int  # of the sampled lens


BUDGETS = {
    b.name: b
    for b in (
        Budget(
            name="quick",
            pairs=2e8,
            flops=1e10,
            dimension=1000,
            work=6e7,
            chains=4,
            generations=15,
            evaluations=10_000,
            seeds=1,
            runs=512,
        ),
        Budget(
            name="full",
            pairs=1e9,
            flops=2e11,
            dimension=1000,
            work=3e9,
            chains=8,
            generations=60,
            evaluations=40_000,
            seeds=3,
            runs=4096,
        ),
        Budget(
            name="deep",
            pairs=1e10,
            flops=4e12,
            dimension=2000,
            work=6e10,
            chains=32,
            generations=250,
            evaluations=400_000,
            seeds=3,
            runs=16384,
        ),
    )
}


def budget_of(budget: str | Budget) -> Budget:
    """A budget by name; ValueError for an unknown one."""
    if isinstance(budget, Budget):
        return budget
    if budget not in BUDGETS:
        raise ValueError(f"budget must be one of {', '.join(BUDGETS)}, got {budget!r}")
    return BUDGETS[budget]
