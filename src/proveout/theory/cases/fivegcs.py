"""Cases of the stem `fivegcs`.

A cohort of one of three clients, of two, and all of them; problems on which each branch of the rate is the active one
somewhere, and condition numbers at which the twins bite (kappa >= 100).
"""

from proveout.theory import fivegcs
from proveout.theory.cases import Case, Stem

__all__ = ["CASES", "STEM"]

STEM = Stem(
    name="fivegcs",
    title="Can 5th Generation Local Training Methods Support Client Sampling? Yes!",
    cite="""@inproceedings{grudzien2023can,
  title     = {Can 5th Generation Local Training Methods Support Client Sampling? Yes!},
  author    = {Grudzie{\\'n}, Micha{\\l} and Malinovsky, Grigory and Richt{\\'a}rik, Peter},
  booktitle = {Artificial Intelligence and Statistics},
  volume    = {206},
  pages     = {1055--1092},
  year      = {2023},
  note      = {arXiv:2212.14370}
}""",
)

ONE, TWO, ALL = {"cohort": 1}, {"cohort": 2}, {"cohort": 3}
STIFF = "quadratic:n=3,d=2,kappa=100"
STIFFER = "quadratic:n=3,d=3,kappa=1000,basis=rotated"
EVEN = "quadratic:n=3,d=2,kappa=1.01,basis=rotated"
MANY = "quadratic:n=40,d=1,kappa=1.01"  # n/C > 27: the duals' branch
REAL = "logistic:a1a,clients=3,kappa=30"
PROX = "logistic:synthetic,clients=3,m=12,d=2,kappa=30"  # each prox is a few Newton steps
CLASS = "class:n=3,L=10,mu=1"  # each local step is a point of the semidefinite programme: few of them there

CASES = (
    Case(
        id="fivegcs.linear_convergence",
        statement=fivegcs.LINEAR_CONVERGENCE,
        problems=(STIFF, STIFFER, MANY, REAL, "class:n=3,L=4,mu=1"),
        choices=({**ONE, "local_steps": "half"}, {**TWO, "local_steps": "fewest"}),
    ),
    Case(
        id="fivegcs.sharp_rate",
        statement=fivegcs.SHARP_RATE,
        problems=(STIFF, MANY, REAL, "class:n=3,L=2,mu=1"),
        choices=({**ONE, "local_steps": "half"}, {**TWO, "local_steps": "fewest"}),
    ),
    Case(
        id="fivegcs.exact_prox_rate",
        statement=fivegcs.EXACT_PROX_RATE,
        problems=(STIFF, "quadratic:n=5,d=2,kappa=1.01,basis=rotated", PROX, CLASS),
        choices=(ONE, {**TWO, "product": 0.5}),
    ),
    Case(
        id="fivegcs.saga_like_rate",
        statement=fivegcs.SAGA_LIKE_RATE,
        problems=(STIFF, EVEN, REAL, CLASS),
        choices=(ONE, TWO),
    ),
    Case(
        id="fivegcs.local_solver_condition",
        statement=fivegcs.LOCAL_SOLVER_CONDITION,
        problems=(
            STIFF,
            "quadratic:n=3,d=4,kappa=10000,basis=rotated",
            "logistic:a1a,clients=2,kappa=10",
            "class:n=2,L=2,mu=1",
        ),
        choices=(ONE, {**TWO, "local_steps": "accelerated"}),
        lenses=("worstcase", "moments", "sampled"),
    ),
    Case(
        id="fivegcs.half_the_local_steps",
        statement=fivegcs.HALF_THE_LOCAL_STEPS,
        problems=(STIFF, "quadratic:n=3,d=4,kappa=10000,basis=rotated", "class:n=2,L=2,mu=1"),
        choices=(ONE, TWO),
        lenses=("worstcase", "moments", "sampled"),
    ),
    Case(
        id="fivegcs.step_rule",
        statement=fivegcs.STEP_RULE,
        problems=(STIFF, "quadratic:n=3,d=2,kappa=1.01", REAL),
        choices=(ONE, TWO, {**ALL, "mu_share": 0.5}),
    ),
    Case(
        id="fivegcs.round_complexity",
        statement=fivegcs.ROUND_COMPLEXITY,
        problems=(STIFF, "quadratic:n=4,d=2,kappa=3,basis=rotated"),
        choices=({**ONE, "local_steps": "half"}, {**ALL, "local_steps": "accelerated"}),
    ),
    Case(
        id="fivegcs.rounds_follow_cohort",
        statement=fivegcs.ROUNDS_FOLLOW_COHORT,
        problems=("quadratic:n=4,d=2,kappa=100", "quadratic:n=6,d=2,kappa=30"),
        choices=(ONE, TWO),
    ),
    Case(
        id="fivegcs.accelerated_steps_need_local_work",
        statement=fivegcs.ACCELERATED_STEPS_NEED_LOCAL_WORK,
        problems=("quadratic:n=3,d=6,kappa=1000", "quadratic:n=3,d=8,kappa=3000"),
        choices=(ONE, TWO, ALL, {**ALL, "local_steps": 1}),
    ),
    Case(
        id="fivegcs.dual_sum",
        statement=fivegcs.DUAL_SUM,
        problems=(STIFFER, REAL),
        choices=({**TWO, "local_steps": 2}, {**ONE, "local_steps": "accelerated"}),
    ),
    Case(
        id="fivegcs.fixed_point",
        statement=fivegcs.FIXED_POINT,
        problems=(STIFFER, REAL),
        choices=({**TWO, "local_steps": 3}, {**ALL, "local_steps": "accelerated"}),
    ),
    Case(
        id="fivegcs.moreau",
        statement=fivegcs.MOREAU,
        problems=(STIFFER, PROX),
        choices=(ONE, TWO),
    ),
    Case(
        id="fivegcs.equals_point_saga",
        statement=fivegcs.EQUALS_POINT_SAGA,
        problems=(STIFFER, PROX),
        choices={"mu_share": 0.5},
    ),
    Case(
        id="fivegcs.equals_chambolle_pock",
        statement=fivegcs.EQUALS_CHAMBOLLE_POCK,
        problems=(STIFFER, PROX),
        choices={"mu_share": 0.5},
    ),
)
