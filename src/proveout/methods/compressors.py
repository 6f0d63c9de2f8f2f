"""One message through compressors, as methods: what the lemmas about classes of compressors speak of.

    Scale       e+ = lam C(v) - v
    Compose     e+ = outer(inner(v)) - v, divided by 1 + omega of the outer one if `damped`
    Average     e+ = mean_i C_i(v_i) - mean_i v_i, the C_i independent
    LazyMessage e+ = C(v)/p - v with probability p, else -v; `scaled=False`: without 1/p
    BlockPair   e+ = (C_1(v_1) - v_1, C_2(v_2) - v_2)
    Unbias      e+ = C_1(v) + C_2(v - C_1(v)) - v
    Efbv        e+ = lam (v + r(v) + s(v)) - v: every member of C(eta, omega), r its bias, s its noise
    Feedback    g+ = g + C(z - g), where z replaces y
    Shift       h+ = h + eta C(y - h)
    Averaged    x+ = x - gamma mean_i C(grad f_i(x))

The first seven send one vector v: they end with v = 0 and the error e.  Beznosikov et al. (arXiv:2002.12410);
Horváth, Richtárik (arXiv:2006.11077); Condat, Li, Richtárik (arXiv:2205.04180); Mishchenko et al. (arXiv:1901.09269).
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from proveout.arrays import Array, mean_clients, namespace, to_clients
from proveout.laws import Joint, Law
from proveout.methods.blocks.compressors import Composed, Induced, LazyApply
from proveout.methods.blocks.compressors.combine import Pair
from proveout.methods.blocks.costs import Cost

__all__ = [
    "Average",
    "Averaged",
    "BlockPair",
    "Compose",
    "Efbv",
    "Error",
    "Feedback",
    "FeedbackState",
    "LazyMessage",
    "Message",
    "Model",
    "Scale",
    "Shift",
    "ShiftState",
    "Unbias",
]


class Error(NamedTuple):
    x: Array  # (..., rows, d)  what is sent, v above
    e: Array  # (..., d) or (..., rows, d)  error of the last message


class Message(NamedTuple):
    message: Any


def sends_nothing(problem: Any, draw: Any) -> Cost:
    """No gradient is asked; what is sent is the compressor's affair."""
    return Cost(gradients=0, up=0, down=0)


class _Once:
    rows = 1

    def init(self, problem: Any, x0: Array) -> Error:
        v = to_clients(x0, self.count(problem))
        return Error(x=v, e=0 * self.error(v, v))

    def count(self, problem: Any) -> int:
        return self.rows

    def operator(self) -> Any:
        raise TypeError("no operator")

    def law(self, problem: Any) -> Law:
        return Joint(Message(self.operator().law(self.count(problem), problem.d)))

    def step(self, problem: Any, state: Error, draw: Message) -> Error:
        sent = self.operator()(state.x, draw.message)
        return Error(x=0 * state.x, e=self.error(sent, state.x))

    def error(self, sent: Array, v: Array) -> Array:
        return sent - v

    cost = staticmethod(sends_nothing)


@dataclass(frozen=True, kw_only=True)
class Scale(_Once):
    compressor: Any
    factor: float  # lam

    def operator(self) -> Any:
        return self.compressor

    def error(self, sent: Array, v: Array) -> Array:
        return self.factor * sent - v


@dataclass(frozen=True, kw_only=True)
class Compose(_Once):
    outer: Any
    inner: Any
    damped: bool = False  # divided by 1 + omega of the outer one

    def operator(self) -> Any:
        return Composed(outer=self.outer, inner=self.inner)

    def error(self, sent: Array, v: Array) -> Array:
        return (1 / (1 + self.outer.omega(v.shape[-1])) * sent if self.damped else sent) - v


@dataclass(frozen=True, kw_only=True)
class Average(_Once):
    compressor: Any

    def count(self, problem: Any) -> int:
        return int(problem.n)

    def operator(self) -> Any:
        return self.compressor

    def error(self, sent: Array, v: Array) -> Array:
        return mean_clients(sent - v)[..., 0, :]


@dataclass(frozen=True, kw_only=True)
class LazyMessage(_Once):
    compressor: Any
    p: float
    scaled: bool = True

    def operator(self) -> Any:
        return LazyApply(compressor=self.compressor, p=self.p, scaled=self.scaled)


@dataclass(frozen=True, kw_only=True)
class BlockPair(_Once):
    first: Any
    second: Any

    rows = 2

    def law(self, problem: Any) -> Law:
        return Joint(Pair(self.first.law(1, problem.d), self.second.law(1, problem.d)))

    def step(self, problem: Any, state: Error, draw: Any) -> Error:
        v = state.x
        one = self.first(v[..., :1, :], draw.first) - v[..., :1, :]
        two = self.second(v[..., 1:, :], draw.second) - v[..., 1:, :]
        pad = namespace(v).concat
        full = 0 * one + 0 * two  # both leading axes
        return Error(x=0 * v, e=pad([one + full, two + full], axis=-2))


@dataclass(frozen=True, kw_only=True)
class Unbias(_Once):
    contractive: Any
    unbiased: Any

    def operator(self) -> Any:
        return Induced(contractive=self.contractive, unbiased=self.unbiased)


@dataclass(frozen=True, kw_only=True)
class Efbv(_Once):
    bias: Any  # deterministic, in B(1 - eta^2)
    noise: Any  # in U(omega)
    factor: float  # lam

    def law(self, problem: Any) -> Law:
        return Joint(Pair(self.bias.law(1, problem.d), self.noise.law(1, problem.d)))

    def step(self, problem: Any, state: Error, draw: Any) -> Error:
        v = state.x
        sent = self.bias(v, draw.first) + self.noise(v, draw.second) - v
        return Error(x=0 * v, e=self.factor * sent - v)


# ------------------------------------------------------------------ shifts


class FeedbackState(NamedTuple):
    x: Array  # (..., d)  what the server knows, g above
    y: Array  # (..., d)  what it should have known
    z: Array  # (..., d)  what it should know next


@dataclass(frozen=True, kw_only=True)
class Feedback:
    compressor: Any

    def init(self, problem: Any, x0: Array) -> FeedbackState:
        return FeedbackState(x=x0, y=x0, z=x0)

    def law(self, problem: Any) -> Law:
        return Joint(Message(self.compressor.law(1, problem.d)))

    def step(self, problem: Any, state: FeedbackState, draw: Message) -> FeedbackState:
        g, _, z = state
        sent = self.compressor((z - g)[..., None, :], draw.message)[..., 0, :]
        return FeedbackState(x=g + sent, y=z, z=z)

    cost = staticmethod(sends_nothing)


class ShiftState(NamedTuple):
    x: Array  # (..., d)  h above
    y: Array  # (..., d)


@dataclass(frozen=True, kw_only=True)
class Shift:
    compressor: Any
    eta: float

    def init(self, problem: Any, x0: Array) -> ShiftState:
        return ShiftState(x=x0, y=0 * x0)

    def law(self, problem: Any) -> Law:
        return Joint(Message(self.compressor.law(1, problem.d)))

    def step(self, problem: Any, state: ShiftState, draw: Message) -> ShiftState:
        h, y = state
        sent = self.compressor((y - h)[..., None, :], draw.message)[..., 0, :]
        return ShiftState(x=h + self.eta * sent, y=y)

    cost = staticmethod(sends_nothing)


# ------------------------------------------------------------------ many clients


class Model(NamedTuple):
    x: Array  # (..., d)


@dataclass(frozen=True, kw_only=True)
class Averaged:
    compressor: Any
    gamma: float

    def init(self, problem: Any, x0: Array) -> Model:
        return Model(x=x0)

    def law(self, problem: Any) -> Law:
        return Joint(Message(self.compressor.law(problem.n, problem.d)))

    def step(self, problem: Any, state: Model, draw: Message) -> Model:
        sent = self.compressor(problem.grads(state.x[..., None, :]), draw.message)
        return Model(x=state.x - self.gamma * mean_clients(sent)[..., 0, :])

    def cost(self, problem: Any, draw: Message) -> Cost:
        return Cost(gradients=problem.n, up=self.compressor.floats(problem.d), down=problem.d)
