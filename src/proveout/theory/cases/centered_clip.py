"""Cases of the stem `centered_clip`."""

from proveout.theory import centered_clip as cc
from proveout.theory.cases import Case, Stem

__all__ = ["CASES", "STEM"]

STEM = Stem(
    name="centered_clip",
    title="Learning from History for Byzantine Robust Optimization",
    cite="""@inproceedings{karimireddy2021learning,
  title     = {Learning from History for {B}yzantine Robust Optimization},
  author    = {Karimireddy, Sai Praneeth and He, Lie and Jaggi, Martin},
  booktitle = {International Conference on Machine Learning},
  year      = {2021},
  note      = {arXiv:2012.10333}
}""",
)

NOISY = "quadratic:n=5,d=3,kappa=10,noise=1"

CASES = (
    Case(
        id="centered_clip.clip_step",
        statement=cc.CLIP_STEP,
        choices=({"n": 5, "n_byz": 1}, {"n": 10, "n_byz": 4}),
    ),
    Case(
        id="centered_clip.radius_rule",
        statement=cc.RADIUS_RULE,
        choices=(
            {"n": 5, "n_byz": 1},
            {"n": 5, "n_byz": 1, "start": 3**-0.5, "steps": 2},
            {"n": 5, "n_byz": 2, "start": 2**0.5, "steps": 2},
        ),
    ),
    Case(id="centered_clip.equals_mean", statement=cc.EQUALS_MEAN, problems=(NOISY,)),
    Case(
        id="centered_clip.equals_sgdm",
        statement=cc.EQUALS_SGDM,
        problems=(NOISY, "logistic:a1a,clients=10,kappa=100"),
        choices=({"clip": True}, {"clip": False, "beta": 0.0}),
    ),
    Case(id="centered_clip.huber_point", statement=cc.HUBER_POINT, problems=(NOISY,)),
    Case(id="centered_clip.equivariance", statement=cc.EQUIVARIANCE, problems=(NOISY,)),
)
