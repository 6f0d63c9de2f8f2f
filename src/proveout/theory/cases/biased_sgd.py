"""Cases of the stem `biased_sgd`."""

from proveout.theory import biased_sgd as bs
from proveout.theory.cases import Case, Stem

__all__ = ["CASES", "STEM"]

STEM = Stem(
    name="biased_sgd",
    title="A Guide Through the Zoo of Biased SGD",
    cite="""@inproceedings{demidovich2023guide,
  title     = {A Guide Through the Zoo of Biased {SGD}},
  author    = {Demidovich, Yury and Malinovsky, Grigory and Sokolov, Igor and Richt{\\'a}rik, Peter},
  booktitle = {Advances in Neural Information Processing Systems},
  year      = {2023},
  note      = {arXiv:2305.16296}
}""",
)

SMALL = "quadratic:n=3,d=3,kappa=10,basis=rotated"
NOISY = "quadratic:n=4,d=2,kappa=3,heterogeneity=3,noise=1"
LOGISTIC = "logistic:mushrooms,clients=10,kappa=100"
CLASS = "class:n=1,L=10,mu=1"

TOP, RAND, BIASED = {"estimator": "top_k"}, {"estimator": "rand_k"}, {"estimator": "biased_rand_k", "k": 2}
BATCH, NOISE, SHIFT = {"estimator": "minibatch"}, {"estimator": "noisy"}, {"estimator": "shifted"}
LAZY, CONTRACTIVE = {"estimator": "lazy"}, {"estimator": "contractive"}
KEPT = ({"k": 1}, {"k": 2})

CASES = (
    Case(
        id="biased_sgd.nonconvex_step",
        statement=bs.NONCONVEX_STEP,
        problems=(SMALL, NOISY, LOGISTIC),
        choices=(TOP, RAND, BATCH, NOISE, SHIFT),
    ),
    Case(
        id="biased_sgd.nonconvex",
        statement=bs.NONCONVEX,
        problems=(SMALL, NOISY),
        choices=(TOP, RAND, BIASED, BATCH, SHIFT),
    ),
    Case(
        id="biased_sgd.pl",
        statement=bs.PL,
        problems=(SMALL, NOISY, LOGISTIC),
        choices=(TOP, RAND, BIASED, BATCH, SHIFT),
    ),
    Case(
        id="biased_sgd.pl_sharp",
        statement=bs.PL_SHARP,
        problems=(SMALL, NOISY, CLASS),
        choices=(TOP, RAND, BATCH, SHIFT, LAZY, CONTRACTIVE),
    ),
    Case(
        id="biased_sgd.nonconvex_complexity",
        statement=bs.NONCONVEX_COMPLEXITY,
        problems=(SMALL,),
        choices=(RAND, SHIFT),
    ),
    Case(
        id="biased_sgd.pl_complexity",
        statement=bs.PL_COMPLEXITY,
        problems=(SMALL,),
        choices=(TOP, RAND, SHIFT),
    ),
    Case(id="biased_sgd.printed_floor_fails", statement=bs.PRINTED_FLOOR_FAILS),
    Case(id="biased_sgd.top_k_abc", statement=bs.TOP_K_ABC, choices=KEPT),
    Case(id="biased_sgd.rand_k_abc", statement=bs.RAND_K_ABC, choices=KEPT),
    Case(id="biased_sgd.biased_rand_k_abc", statement=bs.BIASED_RAND_K_ABC, choices=KEPT),
    Case(
        id="biased_sgd.membership_is_an_lmi",
        statement=bs.MEMBERSHIP_IS_AN_LMI,
        problems=(SMALL, "quadratic:n=2,d=6,kappa=100"),
        choices=({"name": "rand_k"}, {"name": "biased_rand_k", "k": 2}, {"name": "shifted"}),
    ),
    Case(
        id="biased_sgd.rand_k_equals_biased_rand_k",
        statement=bs.RAND_K_EQUALS_BIASED_RAND_K,
        problems=(SMALL, LOGISTIC),
        choices=KEPT,
    ),
    Case(
        id="biased_sgd.top_k_finishes",
        statement=bs.TOP_K_FINISHES,
        problems=("quadratic:n=2,d=6,kappa=1",),
        choices=({"k": 1}, {"k": 4}),
    ),
    Case(id="biased_sgd.scaling", statement=bs.SCALING, problems=(SMALL, LOGISTIC)),
    Case(id="biased_sgd.equals_gd", statement=bs.EQUALS_GD, problems=(SMALL, LOGISTIC)),
    Case(
        id="biased_sgd.equals_sgd",
        statement=bs.EQUALS_SGD,
        problems=(NOISY, LOGISTIC),
        choices=({"batch": 1}, {"batch": 3}),
    ),
)
