"""Cases of the stem `diana`.

Rand-k has C(d, k)^n draws: n and d stay small where it is enumerated.  "All or nothing" (`p`) has 2^n, which reaches
real data; on a class of functions a compressor is known by its omega alone, here 1/p - 1.
"""

from proveout.theory import diana
from proveout.theory.cases import Case, Stem

__all__ = ["CASES", "STEM"]

STEM = Stem(
    name="diana",
    title="Distributed Learning with Compressed Gradient Differences",
    cite="""@misc{mishchenko2019diana,
  title  = {Distributed Learning with Compressed Gradient Differences},
  author = {Mishchenko, Konstantin and Gorbunov, Eduard and Tak{\\'a}{\\v{c}}, Martin and Richt{\\'a}rik, Peter},
  year   = {2019},
  note   = {arXiv:1901.09269}
}""",
    paper=False,
)

SMALL = "quadratic:n=3,d=3,kappa=10,basis=rotated"

CASES = (
    Case(
        id="diana.linear_convergence",
        statement=diana.LINEAR_CONVERGENCE,
        problems=(
            "quadratic:n=2,d=2,kappa=2",
            SMALL,
            "quadratic:n=4,d=4,kappa=1",
            "quadratic:n=4,d=3,kappa=200,heterogeneity=3",
            "logistic:mushrooms,clients=6,kappa=100",
            "logistic:a1a,clients=8,kappa=1000",
            "class:n=3,L=10,mu=1",
            "class:n=10,L=2,mu=1",
        ),
        choices=({"k": 1}, {"k": 2}, {"p": 0.5}, {"p": 0.1}),
        lenses=("exact", "proof", "worstcase"),  # rand-k on real data: only its omega is judged
    ),
    Case(
        id="diana.round_complexity",
        statement=diana.ROUND_COMPLEXITY,
        problems=("quadratic:n=3,d=3,kappa=10", "quadratic:n=8,d=2,kappa=1"),
        choices=({"k": 1}, {"p": 0.1}),
    ),
    Case(
        id="diana.second_moments",
        statement=diana.SECOND_MOMENTS,
        problems=(
            SMALL,
            "logistic:synthetic,clients=3,m=30,d=4,kappa=10",
            "logistic:a1a,clients=5,kappa=100",
        ),
        choices=({"k": 1}, {"k": 2}, {"p": 0.3}),
    ),
    Case(
        id="diana.equals_gd",
        statement=diana.EQUALS_GD,
        problems=(SMALL, "logistic:a1a,clients=10,kappa=1000"),
    ),
    Case(
        id="diana.fixed_point",
        statement=diana.FIXED_POINT,
        problems=(SMALL, "logistic:mushrooms,clients=10,kappa=100"),
        choices=({"k": 1}, {"p": 0.3}),
    ),
)
