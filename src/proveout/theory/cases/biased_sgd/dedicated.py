"""Cases of the stem `biased_sgd`: theorems for one assumption each, decreasing steps, the comparison."""

from proveout.theory import biased_sgd as bs
from proveout.theory.cases import Case

__all__ = ["CASES"]

SMALL = "quadratic:n=3,d=3,kappa=10,basis=rotated"
ROUND = "quadratic:n=1,d=2,kappa=1,seed=5"  # |x - x*|^2/2: the rates are attained
A1A = "logistic:a1a,clients=10,kappa=100"
CLASS, NONCONVEX = "class:n=1,L=10,mu=1", "class:n=1,L=10,mu=-10"

TOP, RAND = {"estimator": "top_k"}, {"estimator": "rand_k"}
LAZY, BIASED = {"estimator": "lazy"}, {"estimator": "biased_lazy", "k": 2}
SHRUNK, CENTRED, SHIFTED = {"estimator": "shrunk"}, {"estimator": "centred"}, {"estimator": "shifted"}


def _any(kind: str) -> dict[str, str]:
    """Every estimator of a class at once."""
    return {"estimator": f"any_{kind}"}


CASES = (
    Case(
        id="biased_sgd.sg1_pl",
        statement=bs.SG1_PL,
        problems=(SMALL, ROUND, A1A, CLASS),
        choices=(_any("sg1"), TOP, LAZY, SHRUNK),
    ),
    Case(
        id="biased_sgd.sg2_pl",
        statement=bs.SG2_PL,
        problems=(SMALL, ROUND, CLASS),
        choices=(_any("sg2"), TOP, LAZY, SHRUNK),
    ),
    Case(
        id="biased_sgd.con_pl",
        statement=bs.CON_PL,
        problems=(SMALL, ROUND, CLASS),
        choices=(_any("con"), TOP, BIASED, SHRUNK),
    ),
    Case(
        id="biased_sgd.bnd_pl",
        statement=bs.BND_PL,
        problems=(SMALL, ROUND, A1A, CLASS),
        choices=(_any("bnd"), TOP, CENTRED, SHIFTED),
    ),
    Case(
        id="biased_sgd.fsml_strongly_convex",
        statement=bs.FSML_STRONGLY_CONVEX,
        problems=(SMALL, ROUND, A1A, CLASS),
        choices=(_any("fsml"), TOP, CENTRED),
    ),
    Case(
        id="biased_sgd.bnd_nonconvex",
        statement=bs.BND_NONCONVEX,
        problems=(SMALL, ROUND, NONCONVEX),
        choices=(_any("bnd"), TOP, CENTRED, SHIFTED),
    ),
    Case(
        id="biased_sgd.fsml_nonconvex",
        statement=bs.FSML_NONCONVEX,
        problems=(SMALL, ROUND, NONCONVEX),
        choices=(_any("fsml"), TOP, CENTRED),
    ),
    Case(
        id="biased_sgd.decreasing_steps",
        statement=bs.DECREASING_STEPS,
        problems=(SMALL, ROUND),
        choices=(
            RAND,
            {"estimator": "minibatch"},
            {"estimator": "shifted", "horizon": 20},
            {"estimator": "noisy"},
        ),
    ),
    Case(
        id="biased_sgd.fsml_decreasing",
        statement=bs.FSML_DECREASING,
        problems=(SMALL, ROUND),
        choices=(CENTRED, {"estimator": "centred", "excess": 1.2}),
    ),
    Case(
        id="biased_sgd.dedicated_beats_abc",
        statement=bs.DEDICATED_BEATS_ABC,
        problems=(SMALL, ROUND),
        choices=tuple({"kind": kind} for kind in ("sg1", "sg2", "breq", "fsml"))
        + tuple({"kind": kind, "estimator": "biased_rand_k"} for kind in ("con", "bnd")),
    ),
    Case(
        id="biased_sgd.one_step_worst_case",
        statement=bs.ONE_STEP_WORST_CASE,
        problems=(SMALL,),
        choices=(
            {"estimator": "rand_k", "factor": 0.5},
            {"estimator": "minibatch", "factor": 0.5},
            {"estimator": "shifted"},
        ),
    ),
)
