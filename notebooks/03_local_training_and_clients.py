# %% [markdown]
# # Local training with few clients
#
# Federated methods save communication by local work. Some need all clients in every round, some a cohort of C out of n.
# Three questions of one page each: does 5GCS keep its rate with a cohort, how much local work is enough, and what does it
# mean that every client takes part once per meta-epoch?

# %%
import numpy as np

import proveout as po
from proveout.theory import fivegcs, rr_cli

# %% [markdown]
# ## 5GCS: the whole method, over a whole class of functions
# Every participant solves a small problem by K gradient steps. The gradients inside are further points of the same
# function, so the worst case of server, cohort and local work together is one semidefinite programme.

# %%
whole_class = po.problems.build("class:n=3,L=4,mu=1")
method = fivegcs.LINEAR_CONVERGENCE.tune(whole_class, cohort=2, local_steps="fewest")
print(method)
verdict = po.check(fivegcs.LINEAR_CONVERGENCE, whole_class, method)
print(verdict.word, verdict.grade, "measured/claimed:", verdict.ratio)

# %% [markdown]
# ## How much local work?
# Too little, and the accelerated step sizes blow up; the theorem says how much is enough.

# %%
P = po.problems.federated(n=3, d=6, kappa=1000, seed=0)
x0 = P.x_star + 1
for local_steps in (0, 3, "half"):
    m = fivegcs.tune(P, cohort=3, local_steps=local_steps)
    trace = po.run(P, m, steps=60, x0=x0)
    print(
        f"K = {local_steps}: |x - x*|^2 went from {trace['dist2'][0, 0]:.1f} to {trace['dist2'][-1, 0]:.3g}"
    )

# %% [markdown]
# ## Once per meta-epoch
# Four clients, cohorts of two. Reshuffled: each meta-epoch every client comes once. Fresh: each round draws a new cohort.
# Both stall near x*; where they stall is a matter of the step size, to the first or to the second power.

# %%
P = po.problems.build("quadratic:n=4,d=2,m=2,kappa=10,seed=1")
for factor in (0.1, 0.05, 0.025):
    once = rr_cli.LINEAR_CONVERGENCE.tune(P, cohort=2, factor=factor)
    fresh = po.methods.fedavg.FedAvg(gamma=once.gamma, cohort=2, order="pass")
    floors = [
        po.run(P, m, steps=steps, seeds=32, every=100)["dist2"][-5:].mean()
        for m, steps in ((once, 2000), (fresh, 4000))  # a meta-epoch is two rounds
    ]
    print(f"gamma L = {factor}: reshuffled {floors[0]:.1e}, fresh {floors[1]:.1e}")

# %% [markdown]
# The exact lens does not run: it enumerates the ways to cut the clients into cohorts and to order their data, and asks for
# the worst state. With a step past 1/L the theorem fails, and without the division by gamma m it is another method.

# %%
m = rr_cli.PATHWISE_DESCENT.tune(P, cohort=2)
verdict = po.check(rr_cli.PATHWISE_DESCENT, P, m)
print(verdict.word, verdict.grade, "states:", verdict.states, "measured/claimed:", verdict.ratio)
for twin in rr_cli.PATHWISE_DESCENT.twins:
    if twin.name in ("gamma = 2/L", "no division by gamma m"):
        print(f"{twin.name}:", po.check(*twin.edit(rr_cli.PATHWISE_DESCENT, P, m)).word)

# %% [markdown]
# ## Exercises
# 1. How tight is the rate with an exact prox? `proveout tight fivegcs.exact_prox_rate`: would other weights in the Lyapunov
#    function have promised more?
# 2. With cohorts of all clients, reshuffling changes nothing: run both again with cohort=4.
# 3. Give the clients one common minimiser (`heterogeneity=0,inner=0`): what is left of the floors?

# %%
assert np.isfinite(verdict.ratio)
