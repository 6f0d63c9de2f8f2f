"""Cases of the stem `biased_sgd`: convergence and reductions."""

from proveout.theory import biased_sgd as bs
from proveout.theory.cases import Case

__all__ = ["CASES"]

SMALL = "quadratic:n=3,d=3,kappa=10,basis=rotated"
NOISY = "quadratic:n=4,d=2,kappa=3,heterogeneity=3,noise=1"
ROUND = "quadratic:n=1,d=2,kappa=1,seed=5"  # |x - x*|^2/2 in the plane: every inequality of the proofs can be tight
A1A = "logistic:a1a,clients=10,kappa=100"  # d = 119: no random subsets of coordinates
REAL = "logistic:a1a,clients=3,kappa=100"  # 2^3 cohorts
CLASS = "class:n=1,L=10,mu=1"

TOP, RAND, BIASED = {"estimator": "top_k"}, {"estimator": "rand_k"}, {"estimator": "biased_rand_k", "k": 2}
BATCH, NOISE, SHIFT = (
    {"estimator": "minibatch"},
    {"estimator": "noisy"},
    {"estimator": "shifted", "factor": 0.2},
)
LAZY, CIRCLE, CAME = {"estimator": "lazy"}, {"estimator": "circling"}, {"estimator": "sampled"}
ANY, HOMOGENEOUS = (
    {"estimator": "any_abc"},
    {"estimator": "any_homogeneous"},
)  # all estimators of a class at once
NONCONVEX = "class:n=1,L=10,mu=-10"
KEPT = ({"k": 1}, {"k": 2})

CASES = (
    Case(
        id="biased_sgd.nonconvex_step",
        statement=bs.NONCONVEX_STEP,
        problems=(SMALL, NOISY, REAL, NONCONVEX),
        choices=(TOP, BATCH, SHIFT, LAZY, CAME, ANY, HOMOGENEOUS),
    ),
    Case(
        id="biased_sgd.nonconvex",
        statement=bs.NONCONVEX,
        problems=(SMALL, ROUND, NONCONVEX),
        choices=(TOP, RAND, BIASED, BATCH, SHIFT, CIRCLE, CAME, ANY),
    ),
    Case(
        id="biased_sgd.pl",
        statement=bs.PL,
        problems=(NOISY, ROUND, CLASS),
        choices=(TOP, RAND, BATCH, SHIFT, CIRCLE, LAZY, CAME, ANY, HOMOGENEOUS),
    ),
    Case(
        id="biased_sgd.pl_sharp",
        statement=bs.PL_SHARP,
        problems=(SMALL, ROUND, CLASS),
        choices=(RAND, BATCH, SHIFT, CIRCLE, LAZY, CAME, ANY, HOMOGENEOUS),
    ),
    Case(
        id="biased_sgd.nonconvex_complexity",
        statement=bs.NONCONVEX_COMPLEXITY,
        problems=(SMALL, ROUND),
        choices=(RAND, NOISE, SHIFT),
    ),
    Case(
        id="biased_sgd.pl_complexity",
        statement=bs.PL_COMPLEXITY,
        problems=(SMALL, ROUND),
        choices=(TOP, RAND, NOISE, SHIFT),
    ),
    Case(id="biased_sgd.printed_floor_fails", statement=bs.PRINTED_FLOOR_FAILS),
    Case(id="biased_sgd.top_k_abc", statement=bs.TOP_K_ABC, choices=KEPT),
    Case(id="biased_sgd.rand_k_abc", statement=bs.RAND_K_ABC, choices=KEPT),
    Case(id="biased_sgd.biased_rand_k_abc", statement=bs.BIASED_RAND_K_ABC, choices=KEPT),
    Case(
        id="biased_sgd.membership_is_an_lmi",
        statement=bs.MEMBERSHIP_IS_AN_LMI,
        problems=(SMALL, "quadratic:n=2,d=6,kappa=100"),
        choices=(
            {"name": "rand_k"},
            {"name": "biased_rand_k", "k": 2},
            {"name": "shifted"},
            {"name": "noisy"},
            {"name": "minibatch"},
        ),
    ),
    Case(
        id="biased_sgd.rand_k_equals_biased_rand_k",
        statement=bs.RAND_K_EQUALS_BIASED_RAND_K,
        problems=(SMALL, A1A),
        choices=KEPT,
    ),
    Case(
        id="biased_sgd.top_k_finishes",
        statement=bs.TOP_K_FINISHES,
        problems=("quadratic:n=2,d=6,kappa=1",),
        choices=({"k": 1}, {"k": 4}),
    ),
    Case(id="biased_sgd.scaling", statement=bs.SCALING, problems=(SMALL, A1A)),
    Case(id="biased_sgd.equals_gd", statement=bs.EQUALS_GD, problems=(SMALL, A1A)),
    Case(
        id="biased_sgd.equals_sgd",
        statement=bs.EQUALS_SGD,
        problems=(NOISY, A1A),
        choices=({"batch": 1}, {"batch": 3}),
    ),
)
