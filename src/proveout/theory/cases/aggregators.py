"""Cases of the stem `aggregators`."""

from proveout.theory import aggregators
from proveout.theory.cases import Case, Stem

__all__ = ["CASES", "STEM"]

STEM = Stem(
    name="aggregators",
    title="Robust aggregation rules",
    cite="""@inproceedings{allouah2023fixing,
  title     = {Fixing by Mixing: A Recipe for Optimal {B}yzantine {ML} under Heterogeneity},
  author    = {Allouah, Y. and Farhadkhani, S. and Guerraoui, R. and Gupta, N. and Pinot, R. and Stephan, J.},
  booktitle = {International Conference on Artificial Intelligence and Statistics},
  year      = {2023},
  note      = {arXiv:2302.01772}
}""",
    paper=False,
)

NOISY = ("quadratic:n=5,d=3,kappa=10,noise=1", "quadratic:n=6,d=2,kappa=3,heterogeneity=3")

CASES = (
    Case(id="aggregators.reductions", statement=aggregators.REDUCTIONS, problems=NOISY),
    Case(id="aggregators.equivariance", statement=aggregators.EQUIVARIANCE, problems=NOISY),
    Case(id="aggregators.pair_spread", statement=aggregators.PAIR_SPREAD, problems=NOISY),
)
