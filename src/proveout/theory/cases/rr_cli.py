"""Cases of the stem `rr_cli`.

A meta-epoch has n!/(C!)^R (m!)^n outcomes: n = 4, C = m = 2 has 96, n = 2, C = 1, m = 2 has 8 (real data).  Orders that are
given leave one outcome.  Function classes know clients only (m = 1).
"""

from proveout.theory import rr_cli
from proveout.theory.cases import Case, Stem

__all__ = ["CASES", "STEM"]

STEM = Stem(
    name="rr_cli",
    title="Federated Learning with Regularized Client Participation",
    cite="""@misc{malinovsky2023federated,
  title  = {Federated Learning with Regularized Client Participation},
  author = {Malinovsky, Grigory and Horv{\\'a}th, Samuel and Burlachenko, Konstantin and
            Richt{\\'a}rik, Peter},
  year   = {2023},
  note   = {arXiv:2302.03662}
}""",
)

SUMS = "quadratic:n=4,d=2,m=2,kappa=10,basis=rotated"
LINE = "quadratic:n=3,d=1,m=2,kappa=3,heterogeneity=3"
CLIENTS = "quadratic:n=4,d=2,kappa=10,basis=rotated"
REAL = "logistic:a1a,clients=2,parts=2,kappa=100"
MUSHROOMS = "logistic:mushrooms,clients=2,parts=2,kappa=100"
SMALL = {"cohort": 1, "factor": 0.05}

CASES = (
    Case(
        id="rr_cli.pathwise_descent",
        statement=rr_cli.PATHWISE_DESCENT,
        problems=(
            SUMS,
            LINE,
            "quadratic:n=1,d=1,m=2,kappa=10",
            "quadratic:n=24,d=1,kappa=1",
            REAL,
            "class:n=4,L=10,mu=1",
        ),
        choices=(
            {"order": "cyclic", "data": "cyclic"},
            {"order": "reversed", "data": "cyclic", "cohort": 2},
            {"order": "sorted", "data": "cyclic", "factor": 0.3},
        ),
    ),
    Case(
        id="rr_cli.linear_convergence",
        statement=rr_cli.LINEAR_CONVERGENCE,
        problems=(SUMS, LINE, "quadratic:n=4,d=2,mu=100,kappa=10,basis=rotated"),
        choices=({"cohort": 1}, {"cohort": 2}, SMALL),
        lenses=("moments",),
    ),
    Case(
        id="rr_cli.shuffling_moment",
        statement=rr_cli.SHUFFLING_MOMENT,
        problems=(SUMS, "quadratic:n=3,d=2,m=3,kappa=10", CLIENTS, REAL),
        choices=({"cohort": 1}, {"cohort": 2}),
    ),
    Case(
        id="rr_cli.shuffling_radius",
        statement=rr_cli.SHUFFLING_RADIUS,
        problems=(SUMS, "quadratic:n=1,d=2,m=3,kappa=10", "quadratic:n=4,d=2,kappa=1", REAL),
        choices=({"cohort": 1}, {"cohort": 2}),
    ),
    Case(
        id="rr_cli.round_complexity",
        statement=rr_cli.ROUND_COMPLEXITY,
        problems=("quadratic:n=4,d=2,m=2,kappa=3,basis=rotated", "quadratic:n=4,d=2,kappa=1.5,basis=rotated"),
        choices=({"cohort": 2, "target": 0.1}, {"cohort": 2, "target": 1e-4}),
    ),
    Case(
        id="rr_cli.three_steps",
        statement=rr_cli.THREE_STEPS,
        problems=(SUMS, LINE, CLIENTS, REAL, "class:n=2,L=10,mu=1"),
        choices=({"cohort": 1}, {"cohort": 2}, {"cohort": 2, "share": 0.3}),
    ),
    Case(
        id="rr_cli.three_steps_any_order",
        statement=rr_cli.THREE_STEPS_ANY_ORDER,
        problems=("quadratic:n=24,d=1,kappa=1", SUMS, MUSHROOMS, "class:n=4,L=10,mu=1"),
        choices=(
            {"order": "sorted", "data": "cyclic"},
            {"order": "cyclic", "data": "cyclic", "cohort": 2},
        ),
    ),
    Case(
        id="rr_cli.convex_average",
        statement=rr_cli.CONVEX_AVERAGE,
        problems=("quadratic:n=4,d=2,m=2,kappa=1000,basis=rotated", "quadratic:n=3,d=2,kappa=1000"),
        choices=({"cohort": 1}, {"cohort": 2}, {"cohort": 1, "share": 0.3}),
        lenses=("moments",),
    ),
    Case(
        id="rr_cli.nonconvex",
        statement=rr_cli.NONCONVEX,
        problems=(
            "quadratic:n=4,d=2,m=2,kappa=10,bend=1",
            "quadratic:n=3,d=1,m=2,kappa=3,bend=3",
            "quadratic:n=4,d=2,kappa=10,bend=2",
            REAL,
            "class:n=2,L=10,mu=-10",
        ),
        choices=({"cohort": 1}, {"cohort": 2}),
    ),
    Case(
        id="rr_cli.equals_rr",
        statement=rr_cli.EQUALS_RR,
        problems=("quadratic:n=1,d=2,m=4,kappa=10,basis=rotated", "logistic:a1a,clients=1,parts=4,kappa=100"),
    ),
    Case(id="rr_cli.equals_fedrr", statement=rr_cli.EQUALS_FEDRR, problems=(SUMS, REAL)),
    Case(
        id="rr_cli.equals_nastya",
        statement=rr_cli.EQUALS_NASTYA,
        problems=(SUMS, REAL),
        choices=({}, {"factor": 1e-3}),
    ),
    Case(
        id="rr_cli.equals_gd",
        statement=rr_cli.EQUALS_GD,
        problems=(CLIENTS, "logistic:a1a,clients=4,parts=1"),
    ),
    Case(
        id="rr_cli.equals_client_rr",
        statement=rr_cli.EQUALS_CLIENT_RR,
        problems=(CLIENTS, "logistic:a1a,clients=4,parts=1"),
        choices={"cohort": 1},
    ),
    Case(
        id="rr_cli.last_cohort_iterate",
        statement=rr_cli.LAST_COHORT_ITERATE,
        problems=(SUMS, REAL),
        choices=({"cohort": 1}, {"cohort": 2, "order": "once"}),
    ),
    Case(
        id="rr_cli.interpolation",
        statement=rr_cli.INTERPOLATION,
        problems=(
            "quadratic:n=4,d=2,m=2,kappa=10,basis=rotated,heterogeneity=0",
            "quadratic:n=3,d=2,m=2,kappa=10,heterogeneity=0",
            "class:n=2,L=10,mu=1",
        ),
        choices=({"cohort": 1, "order": "cyclic"}, {"cohort": 2, "factor": 0.5, "order": "cyclic"}),
    ),
    Case(
        id="rr_cli.floor_order",
        statement=rr_cli.FLOOR_ORDER,
        problems=(SUMS, "quadratic:n=4,d=2,m=2,kappa=20,basis=rotated,seed=1"),
        choices=(
            {"cohort": 2, "factor": 0.05},
            {"cohort": 2, "factor": 0.02, "order": "once"},
            {"cohort": 1, "factor": 0.1, "order": "cyclic"},
            {"cohort": 4, "factor": 0.05},
        ),
        lenses=("moments",),
    ),
)
