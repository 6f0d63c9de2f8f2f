"""Cases of the stem `compressors`."""

from proveout.theory import compressors
from proveout.theory.cases import Case, Stem

__all__ = ["CASES", "STEM"]

STEM = Stem(
    name="compressors",
    title="Communication compressors: classes and least constants",
    cite="""@article{beznosikov2023biased,
  title   = {On Biased Compression for Distributed Learning},
  author  = {Beznosikov, Aleksandr and Horv{\\'a}th, Samuel and Richt{\\'a}rik, Peter and Safaryan, Mher},
  journal = {Journal of Machine Learning Research},
  year    = {2023},
  note    = {arXiv:2002.12410}
}""",
    paper=False,
)

KEPT = ({"k": 1}, {"k": 2})

CASES = (
    Case(id="compressors.identity_unbiased", statement=compressors.IDENTITY_UNBIASED),
    Case(id="compressors.rand_k_unbiased", statement=compressors.RAND_K_UNBIASED, choices=KEPT),
    Case(id="compressors.rand_k_contractive", statement=compressors.RAND_K_CONTRACTIVE, choices=KEPT),
    Case(id="compressors.top_k_contractive", statement=compressors.TOP_K_CONTRACTIVE, choices=KEPT),
)
