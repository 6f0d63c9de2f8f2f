"""Cases of the shared baseline `asgd`."""

from proveout.theory import asgd
from proveout.theory.cases import Case, Stem

__all__ = ["CASES", "STEM"]

STEM = Stem(
    name="asgd",
    title="Asynchronous SGD: constant and delay-adaptive steps, naive, shifted and look-ahead momentum",
    cite="""@inproceedings{koloskova2022sharper,
  title     = {Sharper Convergence Guarantees for Asynchronous {SGD} for Distributed and Federated Learning},
  author    = {Koloskova, Anastasiia and Stich, Sebastian U. and Jaggi, Martin},
  booktitle = {Advances in Neural Information Processing Systems},
  year      = {2022},
  note      = {arXiv:2206.08307}
}""",
    paper=False,
)

NOISY = "quadratic:n=1,d=2,kappa=4,noise=3"
FLAT = "quadratic:n=1,d=1,kappa=1,noise=3"
QUIET = "quadratic:n=1,d=2,kappa=4"
A1A = "logistic:a1a,clients=1,kappa=100"
RATES = (
    f"async:workers=3,order=0:1:2:0:1:0:2:1:0:2/{FLAT}",
    f"async:workers=4,clock=exp,slow=.25/{NOISY}",
    f"async:workers=4,clock=exp,slow=.25,batch=8/{A1A}",
)
RULES = ({"rule": "koloskova"}, {"rule": "mishchenko"}, {"rule": "drop"})

CASES = (
    Case(id="asgd.nonconvex_delay", statement=asgd.NONCONVEX_DELAY, problems=RATES),
    Case(
        id="asgd.nonconvex_adaptive",
        statement=asgd.NONCONVEX_ADAPTIVE,
        problems=RATES[:2],
        choices=RULES,
    ),
    Case(id="asgd.convex", statement=asgd.CONVEX, problems=RATES),
    Case(id="asgd.convex_adaptive", statement=asgd.CONVEX_ADAPTIVE, problems=RATES[:2], choices=RULES),
    Case(
        id="asgd.virtual_iterate",
        statement=asgd.VIRTUAL_ITERATE,
        problems=(
            f"async:workers=4/{QUIET}",
            f"async:workers=5,clock=exp,slow=.2/{QUIET}",
            f"async:workers=3,clock=race/{QUIET}",
            "async:own,workers=4,clock=exp/logistic:a1a,clients=4,kappa=100",
        ),
    ),
    Case(
        id="asgd.implicit_momentum",
        statement=asgd.IMPLICIT_MOMENTUM,
        problems=(f"async:workers=5,clock=race/{QUIET}", f"async:workers=2,clock=race/{FLAT}"),
    ),
    Case(
        id="asgd.mean_critical_step",
        statement=asgd.MEAN_CRITICAL_STEP,
        problems=tuple(f"async:workers={n}/quadratic:n=1,d=1,kappa=5" for n in (1, 2, 4, 8)),
    ),
    Case(
        id="asgd.naive_critical_step",
        statement=asgd.NAIVE_CRITICAL_STEP,
        problems=("async:workers=2/quadratic:n=1,d=1,kappa=5",),
        choices=({"beta": 0.5}, {"beta": 0.9}),
    ),
    Case(
        id="asgd.shifted_critical_step",
        statement=asgd.SHIFTED_CRITICAL_STEP,
        problems=("async:workers=2/quadratic:n=1,d=1,kappa=5",),
        choices=({"beta": 0.5}, {"beta": 0.9}),
    ),
    Case(
        id="asgd.smega2_critical_step",
        statement=asgd.SMEGA2_CRITICAL_STEP,
        problems=("async:workers=1/quadratic:n=1,d=1,kappa=5",),
        choices=({"beta": 0.5}, {"beta": 0.9}),
    ),
    Case(
        id="asgd.unequal_speeds_bias",
        statement=asgd.UNEQUAL_SPEEDS_BIAS,
        problems=(
            "async:own,workers=2,clock=fixed,speeds=1:3/quadratic:n=2,d=1,kappa=1,heterogeneity=3",
            "async:own,workers=2,clock=fixed,speeds=1:3/quadratic:n=2,d=2,kappa=1,heterogeneity=1,noise=.1",
        ),
    ),
)
