"""Cases of the stem `proxskip`.

The grid makes each branch of a rate the active one somewhere: the shifts' at small p, (1 - gamma mu)^2 at p = 1
and small steps, (1 - gamma L)^2 near 2/L.
"""

from proveout.theory import proxskip
from proveout.theory.cases import Case, Stem

__all__ = ["CASES", "STEM"]

STEM = Stem(
    name="proxskip",
    title="ProxSkip: Yes! Local gradient steps provably lead to communication acceleration! Finally!",
    cite="""@inproceedings{mishchenko2022proxskip,
  title     = {{ProxSkip}: Yes! {L}ocal Gradient Steps Provably Lead to Communication Acceleration! {F}inally!},
  author    = {Mishchenko, Konstantin and Malinovsky, Grigory and Stich, Sebastian and Richt{\\'a}rik, Peter},
  booktitle = {International Conference on Machine Learning},
  year      = {2022},
  note      = {arXiv:2202.09357}
}

@misc{condat2022compressed,
  title  = {Provably Doubly Accelerated Federated Learning: The First Theoretically Successful Combination of
            Local Training and Communication Compression},
  author = {Condat, Laurent and Agarsk{\\'y}, Ivan and Richt{\\'a}rik, Peter},
  year   = {2022},
  note   = {arXiv:2210.13277}
}""",
    paper=False,
)

REAL = ("logistic:mushrooms,clients=10,kappa=100", "logistic:a1a,clients=10,kappa=1000")

CASES = (
    Case(
        id="proxskip.linear_convergence",
        statement=proxskip.LINEAR_CONVERGENCE,
        problems=(
            "quadratic:n=3,d=2,kappa=10",
            "quadratic:n=8,d=1,kappa=1",
            "quadratic:n=2,d=3,kappa=200,basis=rotated,heterogeneity=3",
            *REAL,
            "class:n=3,L=10,mu=1",
        ),
        choices=({"p": 0.3}, {"p": 1.0}, {"p": 0.3, "form": "proxskip"}),
    ),
    Case(
        id="proxskip.scaffnew_linear_convergence",
        statement=proxskip.SCAFFNEW_LINEAR_CONVERGENCE,
        problems=(
            "quadratic:n=3,d=2,kappa=10",
            "quadratic:n=4,d=3,kappa=3,basis=rotated,heterogeneity=3",
            "quadratic:n=10,d=1,kappa=200",
            *REAL,
            "class:n=5,L=10,mu=1",
        ),
        choices=({"p": 0.3}, {"p": 1.0, "gamma_L": 0.5}, {"p": 0.8, "gamma_L": 1.9}),
    ),
    Case(
        id="proxskip.compressed_linear_convergence",
        statement=proxskip.COMPRESSED_LINEAR_CONVERGENCE,
        problems=(
            "quadratic:n=4,d=2,kappa=10",
            "quadratic:n=4,d=3,kappa=3,basis=rotated,heterogeneity=3",
            "quadratic:n=5,d=1,kappa=200",
            "class:n=5,L=10,mu=1",
        ),
        choices=({"s": 2, "p": 0.3}, {"s": 4, "p": 1.0, "gamma_L": 0.5}, {"s": 3, "p": 1.0, "gamma_L": 1.9}),
    ),
    Case(
        id="proxskip.round_complexity",
        statement=proxskip.ROUND_COMPLEXITY,
        problems=("quadratic:n=4,d=3,kappa=100", "quadratic:n=2,d=2,kappa=20,basis=rotated"),
    ),
    Case(
        id="proxskip.equals_gd",
        statement=proxskip.EQUALS_GD,
        problems=("quadratic:n=4,d=3,kappa=10,basis=rotated", "logistic:a1a,clients=5,kappa=100"),
    ),
    Case(
        id="proxskip.fixed_point",
        statement=proxskip.FIXED_POINT,
        problems=("quadratic:n=4,d=3,kappa=10,basis=rotated", "logistic:a1a,clients=5,kappa=100"),
        choices=({"p": 0.5}, {"p": 0.5, "s": 2}),
    ),
    Case(
        id="proxskip.shift_sum",
        statement=proxskip.SHIFT_SUM,
        problems=("quadratic:n=4,d=3,kappa=10,basis=rotated", "logistic:a1a,clients=5,kappa=100"),
        choices=({"p": 0.5}, {"p": 0.5, "s": 2}),
    ),
)
