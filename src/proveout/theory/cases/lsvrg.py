"""Cases of the stem `lsvrg`.

The two branches of the rate: p/2 where kappa is small and p too, gamma mu elsewhere.
"""

from proveout.theory import lsvrg
from proveout.theory.cases import Case, Stem

__all__ = ["CASES", "STEM"]

STEM = Stem(
    name="lsvrg",
    title="Don't Jump Through Hoops and Remove Those Loops: SVRG and Katyusha are Better Without the Outer Loop",
    cite="""@inproceedings{kovalev2020lsvrg,
  title     = {Don't Jump Through Hoops and Remove Those Loops: {SVRG} and {K}atyusha are Better Without the Outer Loop},
  author    = {Kovalev, Dmitry and Horv{\\'a}th, Samuel and Richt{\\'a}rik, Peter},
  booktitle = {Algorithmic Learning Theory},
  year      = {2020},
  note      = {arXiv:1901.08689}
}""",
    paper=False,
)

REAL = ("logistic:mushrooms,clients=10,kappa=100", "logistic:a1a,clients=10,kappa=1000")

CASES = (
    Case(
        id="lsvrg.linear_convergence",
        statement=lsvrg.LINEAR_CONVERGENCE,
        problems=(
            "quadratic:n=1,d=2,kappa=1",
            "quadratic:n=3,d=2,kappa=10",
            "quadratic:n=8,d=3,kappa=3,basis=rotated,heterogeneity=3",
            "quadratic:n=4,d=2,kappa=200",
            *REAL,
            "class:n=1,L=10,mu=1",
            "class:n=5,L=10,mu=1",
        ),
        choices=({}, {"p": 0.02}, {"p": 1.0}),
    ),
    Case(
        id="lsvrg.gradient_complexity",
        statement=lsvrg.GRADIENT_COMPLEXITY,
        problems=(
            "quadratic:n=4,d=2,kappa=10",
            "quadratic:n=2,d=3,kappa=30,basis=rotated",
            "quadratic:n=10,d=1,kappa=1",
        ),
        choices=({}, {"p": 0.5}),
    ),
    Case(
        id="lsvrg.equals_gd",
        statement=lsvrg.EQUALS_GD,
        problems=(
            "quadratic:n=1,d=3,kappa=10,basis=rotated",
            "quadratic:n=4,d=2,kappa=10,heterogeneity=0",
            "logistic:a1a,clients=1,kappa=100",
        ),
        choices=({"p": 0.3},),
    ),
    Case(
        id="lsvrg.anchor_gradient",
        statement=lsvrg.ANCHOR_GRADIENT,
        problems=("quadratic:n=4,d=3,kappa=10,basis=rotated", "logistic:a1a,clients=5,kappa=100"),
        choices=({"p": 0.3},),
    ),
    Case(
        id="lsvrg.fixed_point",
        statement=lsvrg.FIXED_POINT,
        problems=("quadratic:n=4,d=3,kappa=10,basis=rotated", "logistic:a1a,clients=5,kappa=100"),
        choices=({"p": 0.3},),
    ),
)
