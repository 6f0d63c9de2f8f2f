"""Cases of the stem `tamuna`.

The iteration form has 1 + C(n, c) c! draws, so s < c keeps c <= 4; with s = c all columns are equal, 1 + C(n, c),
which reaches real data with ten clients.  The grid makes each branch of the rate the active one somewhere.
"""

from proveout.theory import tamuna
from proveout.theory.cases import Case, Stem

__all__ = ["CASES", "STEM"]

STEM = Stem(
    name="tamuna",
    title="TAMUNA: Doubly Accelerated Distributed Optimization with Local Training, Compression, and Partial Participation",
    cite="""@misc{condat2023tamuna,
  title  = {{TAMUNA}: Doubly Accelerated Distributed Optimization with Local Training, Compression, and
            Partial Participation},
  author = {Condat, Laurent and Agarsk{\\'y}, Ivan and Malinovsky, Grigory and Richt{\\'a}rik, Peter},
  year   = {2023},
  note   = {arXiv:2302.09832}
}""",
)

MASKED = {"cohort": 3, "s": 2, "p": 0.3}  # shifts' branch of the rate
SHORT = {"cohort": 2, "s": 2, "p": 1.0, "gamma_L": 1.9}  # (1 - gamma L)^2 where kappa is small
SMALL = {"cohort": 4, "s": 4, "p": 1.0, "gamma_L": 0.5}  # (1 - gamma mu)^2
GRID = (
    "quadratic:n=4,d=2,kappa=10",
    "quadratic:n=4,d=3,kappa=3,basis=rotated,heterogeneity=3",
    "quadratic:n=5,d=1,kappa=200",
    "quadratic:n=4,d=1,kappa=1",
)
MIXED = "quadratic:n=4,d=3,kappa=10,basis=rotated"
REAL = "logistic:a1a,clients=5,kappa=100"

CASES = (
    Case(
        id="tamuna.exact_identity",
        statement=tamuna.EXACT_IDENTITY,
        problems=(MIXED, "quadratic:n=5,d=1,kappa=200", REAL),
        choices=(
            {"cohort": 3, "s": 2, "p": 0.3, "chi_share": 0.7},
            {"cohort": 3, "s": 3, "p": 0.5, "gamma_L": 1.9},
        ),
    ),
    Case(
        id="tamuna.linear_convergence",
        statement=tamuna.LINEAR_CONVERGENCE,
        problems=(
            *GRID,
            "logistic:mushrooms,clients=5,kappa=100",
            "logistic:a1a,clients=6,kappa=1000",
            "class:n=3,L=10,mu=1",
            "class:n=4,L=10,mu=1",
        ),
        choices=(MASKED, SHORT, SMALL),
    ),
    Case(
        id="tamuna.model_convergence",
        statement=tamuna.MODEL_CONVERGENCE,
        problems=("quadratic:n=4,d=2,kappa=10", "quadratic:n=4,d=3,kappa=3,basis=rotated,heterogeneity=3"),
        choices=(MASKED, {"cohort": 2, "s": 2}),
    ),
    Case(
        id="tamuna.stochastic_gradients",
        statement=tamuna.STOCHASTIC_GRADIENTS,
        problems=(
            "quadratic:n=3,d=2,kappa=10,noise=0.5",
            "quadratic:n=4,d=2,kappa=3,noise=2,basis=rotated",
            "class:n=4,L=10,mu=1,sigma2=0.5",
        ),
        choices=({"cohort": 2, "s": 2, "p": 0.5}, MASKED),
    ),
    Case(
        id="tamuna.one_round",
        statement=tamuna.ONE_ROUND,
        problems=(
            "quadratic:n=3,d=2,kappa=10",
            "quadratic:n=2,d=1,kappa=9",
            "logistic:synthetic,clients=2,m=12,d=2,kappa=10",
        ),
        choices=({"cohort": 2, "s": 2, "p": 0.6}, {"cohort": 3, "s": 2, "p": 0.9}),
    ),
    Case(
        id="tamuna.convex_average",
        statement=tamuna.CONVEX_AVERAGE,
        problems=("quadratic:n=4,d=2,kappa=1000", "quadratic:n=4,d=1,kappa=1000"),
        choices=(
            {"cohort": 3, "s": 2, "p": 0.5, "gamma_L": 1.0},
            {"cohort": 2, "s": 2, "p": 0.7, "gamma_L": 1.9},
        ),
    ),
    Case(
        id="tamuna.disagreement_sum",
        statement=tamuna.DISAGREEMENT_SUM,
        problems=("quadratic:n=4,d=2,kappa=1000", "quadratic:n=4,d=1,kappa=1000"),
        choices=(
            {"cohort": 3, "s": 2, "p": 0.5, "gamma_L": 1.0},
            {"cohort": 2, "s": 2, "p": 0.7, "gamma_L": 1.9},
        ),
    ),
    Case(
        id="tamuna.mask_marginal",
        statement=tamuna.MASK_MARGINAL,
        choices=({"n": 4, "cohort": 3, "s": 2}, {"n": 4, "cohort": 4, "s": 3}, {"n": 5, "cohort": 3, "s": 3}),
    ),
    Case(
        id="tamuna.round_complexity",
        statement=tamuna.ROUND_COMPLEXITY,
        problems=("quadratic:n=4,d=3,kappa=30", "quadratic:n=4,d=2,kappa=100,basis=rotated"),
        choices=({"cohort": 3, "s": 2}, {"cohort": 4, "s": 4}),
    ),
    Case(
        id="tamuna.uplink_complexity",
        statement=tamuna.UPLINK_COMPLEXITY,
        problems=("quadratic:n=4,d=4,kappa=30",),
        choices=({"cohort": 3, "s": 2}, {"cohort": 2, "s": 2}),
    ),
    Case(
        id="tamuna.rounds_ignore_cohort",
        statement=tamuna.ROUNDS_IGNORE_COHORT,
        problems=("quadratic:n=4,d=2,kappa=20", "quadratic:n=4,d=3,kappa=30"),
        choices=({"cohort": 2, "s": 2}, {"cohort": 3, "s": 2}, {"cohort": 4, "s": 2}, {"cohort": 3, "s": 3}),
    ),
    Case(
        id="tamuna.uplink_beats_scaffnew",
        statement=tamuna.UPLINK_BEATS_SCAFFNEW,
        problems=("quadratic:n=16,d=4,kappa=1000,heterogeneity=0.01",),
        lenses=(
            "sampled",
        ),  # the other side of the comparison is a mean over runs: no sharper grade is earned
    ),
    Case(
        id="tamuna.shift_sum",
        statement=tamuna.SHIFT_SUM,
        problems=(MIXED, REAL),
        choices=(MASKED, {**MASKED, "form": "rounds"}),
    ),
    Case(
        id="tamuna.fixed_point",
        statement=tamuna.FIXED_POINT,
        problems=(MIXED, REAL),
        choices=(MASKED, {**MASKED, "form": "rounds"}),
    ),
    Case(
        id="tamuna.equals_compressed_scaffnew",
        statement=tamuna.EQUALS_COMPRESSED_SCAFFNEW,
        problems=(MIXED, REAL),
        choices={"s": 2, "p": 0.5},
    ),
    Case(
        id="tamuna.equals_scaffnew",
        statement=tamuna.EQUALS_SCAFFNEW,
        problems=(MIXED, REAL),
        choices={"p": 0.5},
    ),
    Case(id="tamuna.equals_gd", statement=tamuna.EQUALS_GD, problems=(MIXED, REAL)),
    Case(
        id="tamuna.equals_local_gd",
        statement=tamuna.EQUALS_LOCAL_GD,
        problems=(
            "quadratic:n=4,d=2,kappa=10,heterogeneity=0",
            "quadratic:n=3,d=2,kappa=100,heterogeneity=0",
        ),
        choices=({"cohort": 3, "s": 2, "p": 0.5}, {"cohort": 2, "s": 2, "p": 0.5}),
    ),
    Case(
        id="tamuna.even_local_steps_stall",
        statement=tamuna.EVEN_LOCAL_STEPS_STALL,
        problems=("quadratic:n=4,d=2,kappa=400", "quadratic:n=4,d=3,kappa=100"),
        choices=({"s": 2, "cohort": 2}, {"s": 3, "cohort": 3, "local_steps": 2}),
    ),
)
