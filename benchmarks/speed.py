"""The README's ratios, measured in one run on this machine, on one core.

    python benchmarks/speed.py            the table
    python benchmarks/speed.py --smoke    the same code, once and small
    python benchmarks/speed.py --json F   the numbers, too

1. Scaffnew on federated logistic regression, 16 seeds, 100 clients x 100 samples x 50 features:
   `run` against the loop over seeds and clients that a researcher would write first, and against
   this core's dgemm rate.
2. One step of Scaffnew at n = 10, d = 5: the house against the same lines in bare NumPy.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import argparse
import json
import time

import numpy as np

from proveout.methods.proxskip import Draw, Scaffnew, State
from proveout.problems import federated, logistic
from proveout.run import run


def best(f, repeats):
    """Least of several timings, seconds."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        f()
        times.append(time.perf_counter() - begin)
    return min(times)


def plain_loop(problem, gamma, p, steps, seeds):
    """Scaffnew as one writes it first: a loop over seeds, steps and clients."""
    out = []
    for s in range(seeds):
        rng = np.random.default_rng(s)
        x = [np.zeros(problem.d) for _ in range(problem.n)]
        h = [np.zeros(problem.d) for _ in range(problem.n)]
        for _ in range(steps):
            hat = []
            for i in range(problem.n):
                margins = problem.Z[i] @ x[i]
                grad = -problem.Z[i].T @ (1 / (1 + np.exp(margins))) / problem.m + problem.l2 * x[i]
                hat.append(x[i] - gamma * (grad - h[i]))
            if rng.random() < p:
                mean = sum(hat) / problem.n
                for i in range(problem.n):
                    h[i] = h[i] + p / gamma * (mean - hat[i])
                    x[i] = mean
            else:
                x = hat
        out.append(np.mean(x, axis=0))
    return out


def dgemm_rate(size=1000, repeats=5):
    a, b = np.random.default_rng(0).standard_normal((2, size, size))
    return 2 * size**3 / best(lambda: a @ b, repeats)


def bare_step(A, b, x, h, theta, gamma, p):
    """The lines of Scaffnew.step in bare NumPy, as fast as they go without a batch in mind."""
    x_hat = x - gamma * ((x.swapaxes(-3, -2) @ A.mT).swapaxes(-3, -2) - b - h)
    x_bar = np.full((1, x.shape[-2]), 1 / x.shape[-2]) @ x_hat
    x_new = np.where(theta[..., None, None], x_bar, x_hat)
    return x_new, h + p / gamma * (x_new - x_hat)


def throughput(smoke):
    n, m, d, seeds, steps = (10, 10, 5, 2, 3) if smoke else (100, 100, 50, 16, 300)
    problem = logistic("synthetic", clients=n, m=n * m, d=d, sparse="no")
    problem.x_star, problem.f_star  # noqa: B018  known before the clock starts
    method, loop_steps = Scaffnew(gamma=0.1, p=0.2), 3
    flops = 4.0 * n * m * d * seeds  # of one step: two products with the data
    rounds = []
    for _ in range(1 if smoke else 9):  # in turn, so that a noisy machine slows all three alike
        batched = best(lambda: run(problem, method, steps=steps, seeds=seeds, every=steps), 1) / steps
        looped = best(lambda: plain_loop(problem, 0.1, 0.2, loop_steps, seeds), 1) / loop_steps
        rounds.append(
            (looped / batched, flops / batched / dgemm_rate(100 if smoke else 1000, 2), flops / batched)
        )
    faster, share, rate = np.median(np.array(rounds), axis=0)
    return {"batched / loop": faster, "share of dgemm": share, "GFLOP/s": rate / 1e9}


def overhead(smoke, seeds=1):
    problem, method = federated(n=10, d=5, kappa=10), Scaffnew(gamma=0.1, p=0.2)
    rng = np.random.default_rng(0)
    x, h = rng.standard_normal((2, seeds, 10, 5))
    state, draw = State(x=x, h=h), Draw(theta=rng.random(seeds) < 0.2)
    count = 5 if smoke else 2000

    def house():
        for _ in range(count):
            method.step(problem, state, draw)

    def bare():
        for _ in range(count):
            bare_step(problem.A, problem.b, x, h, draw.theta, 0.1, 0.2)

    pairs = [(best(house, 1), best(bare, 1)) for _ in range(1 if smoke else 15)]
    return {
        "step / bare NumPy": float(np.median([a / b for a, b in pairs])),
        "microseconds": 1e6 * min(a for a, _ in pairs) / count,
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--smoke", action="store_true", help="once and small: does it run?")
    parser.add_argument("--json", metavar="FILE", help="write the numbers to FILE")
    options = parser.parse_args()
    numbers = {
        "run, 16 seeds, 100 clients x 100 samples x 50 features": throughput(options.smoke),
        "step at n = 10, d = 5, one seed": overhead(options.smoke, 1),
        "step at n = 10, d = 5, 64 seeds": overhead(options.smoke, 64),
    }
    for title, row in numbers.items():
        print(title)
        for name, value in row.items():
            print(f"    {name:<20} {value:8.2f}")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(numbers, file, indent=1)


if __name__ == "__main__":
    main()
