"""Cases of the stem `scaffold`."""

from proveout.theory import scaffold
from proveout.theory.cases import Case, Stem

__all__ = ["CASES", "STEM"]

STEM = Stem(
    name="scaffold",
    title="SCAFFOLD: Stochastic Controlled Averaging for Federated Learning",
    cite="""@inproceedings{karimireddy2020scaffold,
  title     = {{SCAFFOLD}: Stochastic Controlled Averaging for Federated Learning},
  author    = {Karimireddy, Sai Praneeth and Kale, Satyen and Mohri, Mehryar and Reddi, Sashank J. and Stich,
               Sebastian U. and Suresh, Ananda Theertha},
  booktitle = {International Conference on Machine Learning},
  year      = {2020},
  note      = {arXiv:1910.06378}
}""",
    paper=False,
)

MIXED = "quadratic:n=4,d=3,kappa=10,basis=rotated"
REAL = ("logistic:mushrooms,clients=10,kappa=100", "logistic:a1a,clients=10,kappa=1000")
LOCAL = {"cohort": 3, "local_steps": 4, "gamma_L": 0.5}
FEW = {"cohort": 1, "local_steps": 3, "gamma_L": 0.3, "gamma_server": 2.0}

CASES = (
    Case(
        id="scaffold.equals_gd",
        statement=scaffold.EQUALS_GD,
        problems=(MIXED, REAL[1]),
        choices=({}, {"gamma_L": 1.0, "option": 1}),
    ),
    Case(
        id="scaffold.fixed_point",
        statement=scaffold.FIXED_POINT,
        problems=(MIXED, REAL[0]),
        choices=(LOCAL, {**LOCAL, "option": 1}, {"cohort": 3}),
    ),
    Case(
        id="scaffold.mean_shift",
        statement=scaffold.MEAN_SHIFT,
        problems=(MIXED, REAL[1]),
        choices=(LOCAL, {**FEW, "option": 1}),
    ),
    Case(
        id="scaffold.option_one",
        statement=scaffold.OPTION_ONE,
        problems=(MIXED, REAL[0]),
        choices=(LOCAL, FEW),
    ),
    Case(
        id="scaffold.option_two",
        statement=scaffold.OPTION_TWO,
        problems=(MIXED, REAL[1]),
        choices=(LOCAL, FEW),
    ),
    Case(
        id="scaffold.one_step_convergence",
        statement=scaffold.ONE_STEP_CONVERGENCE,
        problems=(
            "quadratic:n=1,d=2,kappa=1",
            MIXED,
            "quadratic:n=10,d=2,kappa=2,heterogeneity=3",
            "quadratic:n=5,d=1,kappa=200",
            "logistic:mushrooms,clients=4,kappa=100",
            "logistic:a1a,clients=6,kappa=1000",
            "class:n=3,L=10,mu=1",
            "class:n=10,L=2,mu=1",
        ),
        choices=({"cohort": 1}, {"cohort": 3, "option": 1}, {"cohort": 2, "gamma_server": 4.0}),
    ),
    Case(
        id="scaffold.round_complexity",
        statement=scaffold.ROUND_COMPLEXITY,
        problems=(
            "quadratic:n=4,d=2,kappa=10",
            "quadratic:n=10,d=1,kappa=1",
            "quadratic:n=3,d=2,kappa=30",
        ),
        choices=({"cohort": 1}, {"cohort": 3}),
    ),
)
