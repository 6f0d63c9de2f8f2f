"""Cases of the stem `fedavg`."""

from proveout.theory import fedavg
from proveout.theory.cases import Case, Stem

__all__ = ["CASES", "STEM"]

STEM = Stem(
    name="fedavg",
    title="FedAvg with client sampling, Nastya, FedProx",
    cite="""@inproceedings{mcmahan2017communication,
  title     = {Communication-Efficient Learning of Deep Networks from Decentralized Data},
  author    = {McMahan, Brendan and Moore, Eider and Ramage, Daniel and Hampson, Seth and
               Ag{\\"u}era y Arcas, Blaise},
  booktitle = {AISTATS},
  year      = {2017}
}
@misc{malinovsky2022server,
  title  = {Server-Side Stepsizes and Sampling Without Replacement Provably Help in Federated Optimization},
  author = {Malinovsky, Grigory and Mishchenko, Konstantin and Richt{\\'a}rik, Peter},
  year   = {2022},
  note   = {arXiv:2201.11066}
}""",
    paper=False,
)

SUMS = "quadratic:n=4,d=2,m=2,kappa=10,basis=rotated"

CASES = (
    Case(
        id="fedavg.client_sampling",
        statement=fedavg.CLIENT_SAMPLING,
        problems=(
            SUMS,
            "quadratic:n=3,d=1,m=3,kappa=3,heterogeneity=3",
            "quadratic:n=4,d=2,kappa=1,heterogeneity=3",
            "logistic:a1a,clients=2,parts=2,kappa=100",
            "class:n=4,L=10,mu=1",
        ),
        choices=(
            {"cohort": 1},
            {"cohort": 2},
            {"cohort": 2, "order": "full", "local_steps": 3},
        ),
    ),
    Case(
        id="fedavg.floor_is_linear",
        statement=fedavg.FLOOR_IS_LINEAR,
        problems=(SUMS, "quadratic:n=4,d=3,kappa=10,basis=rotated"),
        choices=({"cohort": 2, "factor": 0.5}, {"cohort": 1, "factor": 0.3}),
        lenses=("moments",),
    ),
    Case(
        id="fedavg.drifts",
        statement=fedavg.DRIFTS,
        problems=(
            "quadratic:n=4,d=2,kappa=10,heterogeneity=3,basis=rotated",
            "quadratic:n=3,d=1,kappa=20,heterogeneity=3",
        ),
        choices=({}, {"local_steps": 10, "factor": 0.5}, {"prox": True}, {"cohort": 2}),
    ),
    Case(
        id="fedavg.nastya",
        statement=fedavg.NASTYA,
        problems=(
            SUMS,
            "quadratic:n=2,d=1,m=3,kappa=3,heterogeneity=3",
        ),
        choices=({}, {"factor": 0.2}),
    ),
)
