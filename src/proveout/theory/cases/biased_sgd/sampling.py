"""Cases of the stem `biased_sgd`: estimators made of the clients' gradients, and what was measured."""

from proveout.theory import biased_sgd as bs
from proveout.theory.cases import Case

__all__ = ["CASES"]

SMALL = "quadratic:n=3,d=3,kappa=10,basis=rotated"
ROUND = "quadratic:n=3,d=2,kappa=1"  # f_i = |x - m_i|^2/2
PAIR = "quadratic:n=2,d=1,kappa=1"
TRIO = "quadratic:n=3,d=1,kappa=1"
ALIKE = "quadratic:n=2,d=3,kappa=1.5,basis=rotated"
LADDERS = ("quadratic:n=1,d=10,kappa=10", "quadratic:n=1,d=20,kappa=30")

CASES = (
    Case(
        id="biased_sgd.independent_sampling_abc",
        statement=bs.INDEPENDENT_SAMPLING_ABC,
        choices=({"p": 0.4}, {"p": 0.1}),
    ),
    Case(
        id="biased_sgd.independent_sampling_unequal_fails",
        statement=bs.INDEPENDENT_SAMPLING_UNEQUAL_FAILS,
        problems=(PAIR,),
        choices=({"probs": (0.9, 0.3)}, {"probs": (0.2, 0.6), "gamma": 0.01}),
    ),
    Case(
        id="biased_sgd.dissimilar_sampling",
        statement=bs.DISSIMILAR_SAMPLING,
        problems=(PAIR, ALIKE),
        choices=({"probs": (0.9, 0.3)}, {"probs": (0.5, 0.4)}),
    ),
    Case(id="biased_sgd.finite_sum_growth", statement=bs.FINITE_SUM_GROWTH, problems=(SMALL, ROUND)),
    Case(
        id="biased_sgd.quadratics_need_no_a",
        statement=bs.QUADRATICS_NEED_NO_A,
        problems=(SMALL, ROUND),
        choices=({"estimator": "minibatch"}, {"estimator": "sampled"}),
    ),
    Case(
        id="biased_sgd.distributed_rounding_fails",
        statement=bs.DISTRIBUTED_ROUNDING_FAILS,
        problems=(TRIO, "quadratic:n=3,d=1,kappa=1,seed=3"),
    ),
    Case(
        id="biased_sgd.dissimilar_rounding",
        statement=bs.DISSIMILAR_ROUNDING,
        problems=(TRIO, "quadratic:n=3,d=3,kappa=2,basis=rotated"),
        choices=({"compressor": "power"}, {"compressor": "top_k"}),
    ),
    Case(
        id="biased_sgd.top_k_needs_fewer_steps",
        statement=bs.TOP_K_NEEDS_FEWER_STEPS,
        problems=LADDERS,
        choices=({"k": 1}, {"k": 2}),
    ),
    Case(
        id="biased_sgd.more_clients_faster",
        statement=bs.MORE_CLIENTS_FASTER,
        problems=("logistic:synthetic,m=12,d=2,clients=12,nonconvex=1",),
    ),
)
