# %% [markdown]
# # A theorem is a program
#
# Scaffnew lets every client take local steps and meet the others only with probability p. Its theorem says
#
#     E Psi(next) <= max{1 - gamma mu, 1 - p^2} Psi,    0 < gamma <= 1/L,    sum_i h_i = 0.
#
# We run it, check it exactly, break it, find its worst case, and prove it. Every reading uses the same `step`.

# %%
import numpy as np

import proveout as po

problem = po.problems.federated(n=3, d=2, kappa=10, seed=0)
statement = po.theory.proxskip.LINEAR_CONVERGENCE
method = statement.tune(problem, p=0.3)
print(method)

# %% [markdown]
# ## Run it
# 64 seeds at once. The distance to the solution falls, and the number of communications is a third of the steps.

# %%
trace = po.run(problem, method, steps=400, seeds=64)
print("mean squared distance:", trace["dist2"].mean(axis=1)[[0, 100, 200, -1]])
print("communications per step:", trace["rounds"][-1].mean() / 400)

# %% [markdown]
# ## Check it
# Not on random points: the exact lens enumerates the coin and asks a matrix whether *any* state violates the claim.

# %%
verdict = po.check(statement, problem, method)
print(verdict.word, verdict.grade, "states:", verdict.states, "measured/claimed:", verdict.ratio)

# %% [markdown]
# ## Break it
# Forget the update of the shift, and the same check says no, with a witness.

# %%
from proveout.theory.twins import update_times

broken = update_times("h", 0).edit(statement, problem, method)
refuted = po.check(*broken)
print(refuted.word, "measured/claimed:", refuted.ratio)

# %% [markdown]
# ## Its worst case, and a proof
# On a function *class* (no data, only L and mu), the worst case over all functions, dimensions and states is a small
# semidefinite programme, and its multipliers, rounded to fractions, are a proof.

# %%
whole_class = po.problems.build("class:n=3,L=10,mu=1")
for lens in ("worstcase", "proof"):
    v = po.check(statement, whole_class, method, lens=lens)
    print(f"{lens:10} {v.word} ({v.grade}), measured/claimed {v.ratio}. {v.note}")

# %% [markdown]
# ## Exercises
# 1. Take gamma = 2/(L + mu), past the theorem's limit: what does the exact lens say, and the worst case? Compare with
#    `po.theory.proxskip.SCAFFNEW_LINEAR_CONVERGENCE`.
# 2. Drop the `domain` of the statement. Which states violate it now, and why?

# %%
longer = type(method)(gamma=2 / (problem.L_max + problem.mu_min), p=0.3)
print(po.check(statement, problem, longer).note)
print(po.check(po.theory.proxskip.SCAFFNEW_LINEAR_CONVERGENCE, problem, longer).word)
assert np.isfinite(verdict.ratio)
