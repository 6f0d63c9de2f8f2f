"""Cases of the stem `proxskip`."""

from proveout.theory import proxskip
from proveout.theory.cases import Case, Stem

__all__ = ["CASES", "STEM"]

STEM = Stem(
    name="proxskip",
    title="ProxSkip: Yes! Local gradient steps provably lead to communication acceleration! Finally!",
    cite="""@inproceedings{mishchenko2022proxskip,
  title     = {{ProxSkip}: Yes! {L}ocal Gradient Steps Provably Lead to Communication Acceleration! {F}inally!},
  author    = {Mishchenko, Konstantin and Malinovsky, Grigory and Stich, Sebastian and Richt{\\'a}rik, Peter},
  booktitle = {International Conference on Machine Learning},
  year      = {2022},
  note      = {arXiv:2202.09357}
}""",
    paper=False,
)

CASES = (
    Case(
        id="proxskip.linear_convergence",
        statement=proxskip.LINEAR_CONVERGENCE,
        problems=(
            "quadratic:n=3,d=2,kappa=10",
            "quadratic:n=8,d=1,kappa=1",
            "logistic:mushrooms,clients=10,kappa=100",
            "class:n=3,L=10,mu=1",
        ),
        choices=({"p": 0.3}, {"p": 1.0}),
    ),
)
