# %% [markdown]
# # What is my gradient estimator?
#
# SGD moves along an estimate g(x) of the gradient, which may be biased. Every theorem about it begins with an assumption
# on g, and there are nine in use. At one point x they are inequalities between five numbers,
#
#     D = f(x) - f*,  G = |grad f|^2,  P = <grad f, E g>,  E1 = |E g|^2,  V = E|g - E g|^2.
#
# We write an estimator, ask which assumptions it meets, break one of them, and see what a theorem makes of it.

# %%
import numpy as np

import proveout as po
from proveout.methods.blocks.assumptions import ABS, BVD, CON
from proveout.methods.blocks.compressors import TopK
from proveout.methods.blocks.estimators import Compressed
from proveout.theory import zoo

problem = po.problems.federated(n=3, d=4, kappa=10, basis="rotated", seed=0)


def lazy(problem, x):
    """The gradient in half of the steps, three times its first coordinate in the other half."""
    g = problem.grad(x)
    first = np.zeros_like(g)
    first[0] = 3 * g[0]
    return [(0.5, g), (0.5, first)]


# %% [markdown]
# ## Its passport
# On a quadratic, and with outcomes that are affine in x, every assumption is a matrix inequality: membership is decided,
# and the constants are the least ones.

# %%
print(po.passport(lazy, problem))

# %% [markdown]
# ## One assumption at a time
# A record of constants if it is a member, None if it is not with any constants.

# %%
for assumption in (CON, BVD, ABS):
    print(assumption.__name__, zoo.least(assumption, lazy, problem))

# %% [markdown]
# ## What implies what
# The assumptions form a map. Each arrow is proved for all constants, each missing arrow has a witness; both are
# statements like any other. Here a contraction is bounded bias and variance, and not the other way round.

# %%
from proveout.theory import biased_sgd

a = CON(alpha=0.75)
print(a, "=>", biased_sgd.CON_IMPLIES_BVD.constants(a))
print(po.check(biased_sgd.CON_IMPLIES_BVD, None, a).word)
print(po.check(biased_sgd.BVD_NOT_CON, None, None).note)

# %% [markdown]
# ## And the theorem?
# Top-1 keeps one coordinate of four. Under the Polyak-Lojasiewicz inequality the general theorem promises a factor per
# step; the exact lens searches all states for a worse one. Then a step that is too long.

# %%
statement = biased_sgd.PL
method = statement.tune(problem, estimator=Compressed(TopK(k=1)))
verdict = po.check(statement, problem, method)
print(method.gamma, verdict.word, verdict.grade, "measured/claimed:", verdict.ratio)

from proveout.theory.twins import field_times

refuted = po.check(*field_times("gamma", 50).edit(statement, problem, method))
print(refuted.word, "measured/claimed:", refuted.ratio)

# %% [markdown]
# ## Exercises
# 1. Divide `lazy` by 2. Which assumptions does it enter, which does it leave? (CON, BVD, BND and ABS are not closed under
#    scaling.)
# 2. Add a constant vector to g. Which assumptions survive, and what is left of the error for ever?
# 3. `proveout separate fsml trio` finds an estimator that is in FSML and in none of SG1, SG2, BREQ. Why must it have noise
#    where the gradient is 0?

# %%
print(zoo.least(CON, lambda P, x: [(p, g / 2) for p, g in lazy(P, x)], problem))
