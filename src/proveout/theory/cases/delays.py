"""Cases of the toolbox `delays`."""

from proveout.theory import delays
from proveout.theory.cases import Case, Stem

__all__ = ["CASES", "STEM"]

STEM = Stem(
    name="delays",
    title="Clocks, schedules and delays of asynchronous workers",
    cite="""@inproceedings{mishchenko2022asynchronous,
  title     = {Asynchronous {SGD} Beats Minibatch {SGD} Under Arbitrary Delays},
  author    = {Mishchenko, Konstantin and Bach, Francis and Even, Mathieu and Woodworth, Blake},
  booktitle = {Advances in Neural Information Processing Systems},
  year      = {2022},
  note      = {arXiv:2206.07638}
}""",
    paper=False,
)

QUADRATIC = "quadratic:n=1,d=2,kappa=4"
SPEEDS = f"async:clock=fixed,speeds=1:1.3:2.6/{QUADRATIC}"
ALTERNATING = f"async:order=0:1:0:2:0:3:0:4:0:5/{QUADRATIC}"
BUSY = (
    f"async:workers=4/{QUADRATIC}",
    SPEEDS,
    f"async:workers=8,clock=exp,slow=.25,seed=7/{QUADRATIC}",
    f"async:workers=5,clock=lognormal/{QUADRATIC}",
    f"async:workers=4,clock=straggler/{QUADRATIC}",
    f"async:workers=3,clock=race/{QUADRATIC}",
)
GRACE = (
    f"async:clock=fixed,speeds=1:1.3:2.6,grace=0/{QUADRATIC}",
    f"async:workers=6,clock=exp,grace=.5/{QUADRATIC}",
    f"async:workers=4,clock=sync/{QUADRATIC}",
)

CASES = (
    Case(id="delays.counting", statement=delays.COUNTING, problems=(*BUSY, *GRACE)),
    Case(id="delays.late_count", statement=delays.LATE_COUNT, problems=(*BUSY[2:5], ALTERNATING)),
    Case(id="delays.gap", statement=delays.GAP, problems=BUSY),
    Case(id="delays.one_job_per_version", statement=delays.ONE_JOB_PER_VERSION, problems=BUSY),
    Case(
        id="delays.shares",
        statement=delays.SHARES,
        problems=(
            f"async:clock=fixed,speeds=1:1.5:3/{QUADRATIC}",
            f"async:clock=fixed,speeds=.75:1:1:2.5/{QUADRATIC}",
        ),
    ),
    Case(
        id="delays.geometric_delay",
        statement=delays.GEOMETRIC_DELAY,
        problems=(f"async:workers=2,clock=race/{QUADRATIC}", f"async:workers=3,clock=race/{QUADRATIC}"),
    ),
)
