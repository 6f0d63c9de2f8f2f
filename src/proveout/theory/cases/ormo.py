"""Cases of the stem `ormo`."""

from proveout.theory import ormo
from proveout.theory.cases import Case, Stem

__all__ = ["CASES", "STEM"]

STEM = Stem(
    name="ormo",
    title="Ordered Momentum for Asynchronous SGD",
    cite="""@inproceedings{shi2024ordered,
  title     = {Ordered Momentum for Asynchronous {SGD}},
  author    = {Shi, Chang-Wei and Yang, Yi-Rui and Li, Wu-Jun},
  booktitle = {Advances in Neural Information Processing Systems},
  year      = {2024},
  note      = {arXiv:2407.19234}
}""",
)

NOISY = "quadratic:n=1,d=2,kappa=4,noise=3"
FLAT = "quadratic:n=1,d=1,kappa=1,noise=3"
QUIET = "quadratic:n=1,d=2,kappa=4"
A1A = "logistic:a1a,clients=1,kappa=100"
SYNTHETIC = "logistic:synthetic,clients=1,m=200,d=8,kappa=300,seed=1"
RATES = (
    f"async:workers=3,order=0:1:2:0:1:0:2:1:0:2/{FLAT}",
    f"async:workers=4,clock=exp,slow=.25/{NOISY}",
    f"async:workers=4,clock=exp,slow=.25,batch=8/{A1A}",
)
ORDERS = (
    f"async:workers=4/{QUIET}",
    f"async:workers=5,clock=exp,slow=.2/{QUIET}",
    f"async:workers=3,clock=race/{QUIET}",
    "async:own,workers=4,clock=exp/logistic:a1a,clients=4,kappa=100",
)
NOISY_ORDERS = (
    f"async:workers=4,clock=straggler/{NOISY}",
    f"async:workers=3,clock=race/{NOISY}",
    f"async:workers=4,clock=exp,batch=4/{A1A}",
)
SYNCHRONOUS = (f"async:workers=4,clock=sync/{NOISY}", f"async:workers=3,clock=sync,batch=4/{A1A}")
BRACKETS = ({"bracket": "ceil"}, {"bracket": "floor"})

CASES = (
    Case(
        id="ormo.virtual_iterate",
        statement=ormo.VIRTUAL_ITERATE,
        problems=NOISY_ORDERS,
        choices=(*BRACKETS, {"adaptive": True}),
    ),
    Case(id="ormo.momentum_gap", statement=ormo.MOMENTUM_GAP, problems=ORDERS, choices=BRACKETS),
    Case(id="ormo.iterate_gap", statement=ormo.ITERATE_GAP, problems=ORDERS, choices=BRACKETS),
    Case(
        id="ormo.ordered_virtual_iterate",
        statement=ormo.ORDERED_VIRTUAL_ITERATE,
        problems=ORDERS,
        choices=BRACKETS,
    ),
    Case(
        id="ormo.nonconvex_bounded_gradient",
        statement=ormo.NONCONVEX_BOUNDED_GRADIENT,
        problems=RATES[:2],
        choices={"fraction": 0.5},
    ),
    Case(id="ormo.nonconvex_bounded_delay", statement=ormo.NONCONVEX_BOUNDED_DELAY, problems=RATES),
    Case(id="ormo.adaptive_nonconvex", statement=ormo.ADAPTIVE_NONCONVEX, problems=RATES),
    Case(id="ormo.convex", statement=ormo.CONVEX, problems=RATES),
    Case(id="ormo.adaptive_convex", statement=ormo.ADAPTIVE_CONVEX, problems=RATES),
    Case(
        id="ormo.bounded_gradient_complexity",
        statement=ormo.BOUNDED_GRADIENT_COMPLEXITY,
        problems=(
            "async:workers=11/quadratic:n=1,d=1,kappa=1",
            "async:workers=4/quadratic:n=1,d=1,kappa=1,noise=.01",
        ),
        choices={"eps": 0.5, "beta": 0.0},
    ),
    Case(
        id="ormo.adaptive_complexity",
        statement=ormo.ADAPTIVE_COMPLEXITY,
        problems=(
            "async:workers=7,clock=straggler/quadratic:n=1,d=1,kappa=1",
            "async:workers=4/quadratic:n=1,d=1,kappa=1,noise=.01",
        ),
        choices={"eps": 0.5, "beta": 0.0},
    ),
    Case(
        id="ormo.critical_step",
        statement=ormo.CRITICAL_STEP,
        problems=tuple(f"async:workers={n}/quadratic:n=1,d=1,kappa=5" for n in (2, 4, 8)),
        choices=({"beta": 0.5}, {"beta": 0.9}),
    ),
    Case(id="ormo.equals_asgd", statement=ormo.EQUALS_ASGD, problems=NOISY_ORDERS),
    Case(
        id="ormo.equals_heavy_ball",
        statement=ormo.EQUALS_HEAVY_BALL,
        problems=(f"async:workers=1/{NOISY}", f"async:workers=1,batch=4/{A1A}"),
        choices=BRACKETS,
    ),
    Case(id="ormo.equals_ssgdm", statement=ormo.EQUALS_SSGDM, problems=SYNCHRONOUS),
    Case(id="ormo.ssgdm_split", statement=ormo.SSGDM_SPLIT, problems=SYNCHRONOUS),
    Case(
        id="ormo.equals_ormo",
        statement=ormo.EQUALS_ORMO,
        problems=(f"async:workers=4/{NOISY}", f"async:workers=3,order=0:1:2:0:1:0:2:1:0:2/{NOISY}"),
    ),
    Case(
        id="ormo.beats_asgd",
        statement=ormo.BEATS_ASGD,
        problems=(
            f"async:workers=8,clock=race,batch=48/{SYNTHETIC}",
            f"async:workers=8,clock=race,slow=.25,batch=48/{SYNTHETIC}",
        ),
    ),
    Case(id="ormo.ceil_is_not_ssgdm", statement=ormo.CEIL_IS_NOT_SSGDM),
    Case(id="ormo.vanilla_breaks_identity", statement=ormo.VANILLA_BREAKS_IDENTITY),
)
