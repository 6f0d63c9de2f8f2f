"""Cases of the stem `fivegcs_cc`.

All cohorts times all masks are enumerated.  Steps meet the branch of the model or that of the duals: many clients
with kappa near 1, or the largest legal gamma, make the latter active.  On a `class:` compressors are known by omega
alone.  Client smoothnesses differ in the quadratics with a spread, in those with d = 1, and in the real data.
"""

from proveout.theory import fivegcs_cc as theory
from proveout.theory.cases import Case, Stem

__all__ = ["CASES", "STEM"]

STEM = Stem(
    name="fivegcs_cc",
    title="Improving Accelerated Federated Learning with Compression and Importance Sampling",
    cite="""@misc{grudzien2023improving,
  title  = {Improving Accelerated Federated Learning with Compression and Importance Sampling},
  author = {Grudzie{\\'n}, Micha{\\l} and Malinovsky, Grigory and Richt{\\'a}rik, Peter},
  year   = {2023},
  note   = {arXiv:2306.03240}
}""",
)

REAL = "logistic:a1a,clients=3,kappa=2"
NEAR_ONE = "quadratic:n=8,d=1,kappa=1.001"
LARGEST = {"sampling": "uneven", "cohort": 2, "gamma_share": 1.0, "mu_share": 0.999}
UNEQUAL = "quadratic:n=8,d=2,kappa=1000,spread=1000"
SAMPLINGS = (
    {"sampling": "nice", "cohort": 1},
    *({"sampling": kind, "cohort": 2} for kind in ("importance", "independent", "table")),
)

CASES = (
    Case(
        id="fivegcs_cc.cc_linear_convergence",
        statement=theory.CC_LINEAR_CONVERGENCE,
        problems=(
            "quadratic:n=3,d=2,kappa=10",
            "quadratic:n=3,d=3,kappa=1000,basis=rotated",
            "quadratic:n=4,d=2,kappa=1.01",
            REAL,
            "class:n=3,L=10,mu=1",
            "class:n=5,L=1000,mu=1",
            "class:n=40,L=1.01,mu=1",
        ),
        choices=(
            {"cohort": 1, "p": 0.5},
            {"cohort": 2, "p": 0.2},
        ),
    ),
    Case(
        id="fivegcs_cc.cc_sharp_rate",
        statement=theory.CC_SHARP_RATE,
        problems=(
            "quadratic:n=3,d=2,kappa=10",
            "quadratic:n=4,d=2,kappa=1.01",
            "class:n=3,L=10,mu=1",
        ),
        choices=({"cohort": 1, "k": 1}, {"cohort": 2, "p": 0.2}),
    ),
    Case(
        id="fivegcs_cc.cc_step_rule",
        statement=theory.CC_STEP_RULE,
        problems=("quadratic:n=3,d=2,kappa=1.5", "quadratic:n=5,d=2,kappa=1e5", REAL),
        choices=({"cohort": 3, "p": 0.2}, {"cohort": 1, "p": 0.05}),
    ),
    Case(
        id="fivegcs_cc.cc_local_steps",
        statement=theory.CC_LOCAL_STEPS,
        problems=(
            "quadratic:n=3,d=2,kappa=10",
            "quadratic:n=4,d=2,kappa=50,basis=rotated",
            "class:n=2,L=1.5,mu=1",
        ),
        choices=({"cohort": 2, "p": 0.1}, {"cohort": 1, "p": 0.5}),
    ),
    Case(
        id="fivegcs_cc.cc_round_complexity",
        statement=theory.CC_ROUND_COMPLEXITY,
        problems=("quadratic:n=3,d=2,kappa=10", "quadratic:n=4,d=2,kappa=30"),
        choices=({"cohort": 1, "p": 0.1}, {"cohort": 2, "k": 1}),
    ),
    Case(
        id="fivegcs_cc.ab_linear_convergence",
        statement=theory.AB_LINEAR_CONVERGENCE,
        problems=(
            "quadratic:n=3,d=2,kappa=10",
            "quadratic:n=4,d=1,kappa=1000",
            NEAR_ONE,
            REAL,
            "class:n=3,L=10,mu=1",
        ),
        choices=(*SAMPLINGS, LARGEST),
    ),
    Case(
        id="fivegcs_cc.ab_simple_rule",
        statement=theory.AB_SIMPLE_RULE,
        problems=("quadratic:n=4,d=1,kappa=1000", REAL),
        choices=SAMPLINGS,
    ),
    Case(
        id="fivegcs_cc.nice_sampling_ab",
        statement=theory.NICE_SAMPLING_AB,
        choices=({"cohort": 2}, {"cohort": 3}),
    ),
    Case(
        id="fivegcs_cc.independent_sampling_ab",
        statement=theory.INDEPENDENT_SAMPLING_AB,
        choices=({}, {"probs": 0.3}),
    ),
    Case(
        id="fivegcs_cc.multi_sampling_ab",
        statement=theory.MULTI_SAMPLING_AB,
        choices=({"draws": 2}, {"draws": 3, "probs": (0.2, 0.3, 0.5)}),
    ),
    Case(
        id="fivegcs_cc.importance_complexity",
        statement=theory.IMPORTANCE_COMPLEXITY,
        problems=(UNEQUAL, "quadratic:n=5,d=2,kappa=1e4,spread=1e4"),
    ),
    Case(
        id="fivegcs_cc.compression_pays",
        statement=theory.COMPRESSION_PAYS,
        problems=("quadratic:n=6,d=2,kappa=10",),
        choices=({"cohort": 6, "p": 1 / 20}, {"cohort": 6, "p": 1 / 6}),
    ),
    Case(
        id="fivegcs_cc.importance_pays",
        statement=theory.IMPORTANCE_PAYS,
        problems=(UNEQUAL, "quadratic:n=10,d=2,kappa=300,spread=300"),
    ),
    Case(
        id="fivegcs_cc.fixed_point",
        statement=theory.FIXED_POINT,
        problems=("quadratic:n=4,d=3,kappa=10,basis=rotated", REAL),
        choices=(
            {"form": "cc", "cohort": 2, "k": 1, "local_steps": 5},
            {"form": "ab", "cohort": 2, "sampling": "independent", "local_steps": 5},
        ),
    ),
    Case(
        id="fivegcs_cc.cc_equals_fivegcs",
        statement=theory.CC_EQUALS_FIVEGCS,
        problems=("quadratic:n=4,d=3,kappa=10,basis=rotated", REAL),
        choices=({"cohort": 2, "local_steps": 2},),
    ),
    Case(
        id="fivegcs_cc.ab_equals_fivegcs",
        statement=theory.AB_EQUALS_FIVEGCS,
        problems=("quadratic:n=4,d=3,kappa=10,basis=rotated", "quadratic:n=5,d=2,kappa=100"),
        choices=({"cohort": 2}, {"cohort": 3, "local_steps": 5}),
    ),
    Case(
        id="fivegcs_cc.ab_equals_point_saga",
        statement=theory.AB_EQUALS_POINT_SAGA,
        problems=("quadratic:n=4,d=3,kappa=10,basis=rotated", "quadratic:n=5,d=1,kappa=100"),
        choices=({}, {"sampling": "importance"}),
    ),
    Case(
        id="fivegcs_cc.damping_is_needed",
        statement=theory.DAMPING_IS_NEEDED,
        problems=("quadratic:n=3,d=2,kappa=10", "quadratic:n=3,d=2,kappa=100"),
        choices=({"cohort": 1, "k": 1}, {"cohort": 2, "p": 0.4}),
    ),
)
