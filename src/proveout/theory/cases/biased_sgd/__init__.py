"""Cases of the stem `biased_sgd`."""

from proveout.theory.cases import Stem
from proveout.theory.cases.biased_sgd import convergence, dedicated, hierarchy, sampling, table

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

CASES = (
    *convergence.CASES,
    *dedicated.CASES,
    *sampling.CASES,
    *hierarchy.CASES,
    *table.CASES,
)
