"""Centered clipping and worker momentum.

Karimireddy, He, Jaggi, "Learning from history for Byzantine robust optimization" (ICML 2021,
arXiv:2012.10333).  x_i the honest messages, x_bar their mean, V = mean_i |x_i - x_bar|^2, v the center,
D = |v - x_bar|, delta = n_byz/n.

    clip_step     one inner step, pathwise, any Byzantine messages:
                  |v' - x_bar| <= (1 - delta)(D^2 + V)/(4 lam) + delta (lam + D)
    radius_rule   V <= rho^2/2, |v_0 - x_bar| <= B_0, lam_l^2 = (1 - delta)(B_{l-1}^2 + rho^2/2)/(4 delta):
                  |v_l - x_bar| <= B_l = sqrt(delta (1 - delta)(B_{l-1}^2 + rho^2/2)) + delta B_{l-1} for every l,
                  and B_l -> sqrt(delta rho^2/(2 (1 - 2 delta))): the least kappa of any rule, delta/(1 - 2 delta)
    equals_mean   lam >= max_i |x_i - v| gives the mean
    equals_sgdm   without Byzantine workers and clipping: momentum SGD in averaging form
    huber_point   the fixed point minimises sum_i h_lam(|v - x_i|), h Huber's function
    equivariance  shifts, rotations, and scale together with lam

The first two are claims about a block for every input, so they are memberships: the input is the center
and the honest messages, (n_good + 1, d); the Byzantine rows are set to the exact worst (`ClipWorst`), in
`radius_rule` anew before every inner step, which is more than an attacker can do.  A horizon over inner steps would
ask for a problem whose gradients are the messages, and would see one set of them at a time.

clip_step in short: clipping moves x_i by (|x_i - v| - lam)_+ <= |x_i - v|^2/(4 lam), and mean |x_i - v|^2 = D^2 + V;
a Byzantine row contributes at most lam + D.
"""

from proveout.theory.centered_clip.clipping import CLIP_STEP, RADIUS_RULE
from proveout.theory.centered_clip.reductions import EQUALS_MEAN, EQUALS_SGDM, EQUIVARIANCE, HUBER_POINT

__all__ = ["CLIP_STEP", "EQUALS_MEAN", "EQUALS_SGDM", "EQUIVARIANCE", "HUBER_POINT", "RADIUS_RULE"]
