"""Cases of the stem `gd`."""

from proveout.theory import gd
from proveout.theory.cases import Case, Stem

__all__ = ["CASES", "STEM"]

STEM = Stem(
    name="gd",
    title="Gradient descent and stochastic gradient descent",
    cite="""@book{nesterov2018lectures,
  title     = {Lectures on Convex Optimization},
  author    = {Nesterov, Yurii},
  publisher = {Springer},
  year      = {2018}
}
@article{drori2014performance,
  title   = {Performance of First-Order Methods for Smooth Convex Minimization: A Novel Approach},
  author  = {Drori, Yoel and Teboulle, Marc},
  journal = {Mathematical Programming},
  year    = {2014},
  note    = {arXiv:1206.3209}
}
@article{khaled2020better,
  title   = {Better Theory for {SGD} in the Nonconvex World},
  author  = {Khaled, Ahmed and Richt{\\'a}rik, Peter},
  journal = {arXiv:2002.03329},
  year    = {2020}
}""",
    paper=False,
)

QUADRATICS = ("quadratic:n=2,d=3,kappa=10,basis=rotated", "quadratic:n=3,d=2,kappa=200,heterogeneity=3")
LOGISTIC = ("logistic:mushrooms,clients=10,kappa=100", "logistic:a1a,clients=10,kappa=100")

CASES = (
    Case(
        id="gd.contraction",
        statement=gd.CONTRACTION,
        problems=(*QUADRATICS, *LOGISTIC, "class:n=1,L=10,mu=1", "class:n=1,L=100,mu=1"),
        choices=({"factor": 1.0}, {"factor": 0.4}, {"factor": 1.3}),
    ),
    Case(
        id="gd.convex_rate",
        statement=gd.CONVEX_RATE,
        problems=(QUADRATICS[1], LOGISTIC[1], "class:n=1,L=10,mu=0"),
        choices=({"factor": 1.0}, {"factor": 0.5}),
    ),
    Case(
        id="gd.pl",
        statement=gd.PL,
        problems=(*QUADRATICS, *LOGISTIC, "class:n=1,L=10,mu=1"),
        choices=({"factor": 1.0}, {"factor": 1.7}),
    ),
    Case(
        id="gd.nonconvex",
        statement=gd.NONCONVEX,
        problems=(*QUADRATICS, *LOGISTIC, "class:n=1,L=10,mu=-10"),
        choices=({"factor": 1.0}, {"factor": 1.9}),
    ),
    Case(
        id="gd.sgd_nonconvex",
        statement=gd.SGD_NONCONVEX,
        problems=(
            "quadratic:n=4,d=2,kappa=10,noise=1",
            "quadratic:n=2,d=1,kappa=3,heterogeneity=3",
            "logistic:synthetic,clients=4,kappa=30",
        ),
        choices=({"batch": 1}, {"batch": 2}, {"batch": 4, "factor": 3.0}),
    ),
    Case(
        id="gd.sgd_strongly_convex",
        statement=gd.SGD_STRONGLY_CONVEX,
        problems=(
            "quadratic:n=4,d=2,kappa=10,noise=1",
            "quadratic:n=2,d=1,kappa=1,heterogeneity=3",
            "logistic:synthetic,clients=4,kappa=30",
        ),
        choices=({"batch": 1}, {"batch": 2}, {"batch": 4}),
    ),
)
