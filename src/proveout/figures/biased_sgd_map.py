"""The map of the assumptions of biased SGD: arrows with their constants, and a witness for every missing one.

Nothing is drawn that is not judged at that moment: `measure` asks the membership lens for every arrow and every
witness, closes the arrows under composition and says which pairs are left.
"""

from typing import Any

import numpy as np

from proveout.figures.style import Panel

__all__ = ["MAP", "draw", "judged", "measure"]

GOOD, BAD, PALE, WARM, INK = "#0072B2", "#D55E00", "#DCEAF5", "#FBE7D3", "#222222"
PLACES = {  # centre of each node, in units of the left panel
    "con": (2.55, 8.55),
    "abs": (7.75, 8.55),
    "bvd": (2.55, 6.6),
    "trio": (2.55, 4.65),
    "bnd": (7.75, 5.6),
    "fsml": (2.55, 2.7),
    "abc": (5.15, 0.6),
}
WIDTH, HEIGHT = 4.1, 1.05
TEXTS = {
    "con": ("CON", r"$\mathrm{MSE}\leq\kappa G,\ \ \kappa=1-1/\delta$"),
    "abs": ("ABS", r"$\mathrm{MSE}\leq\Delta^2$"),
    "bvd": ("BVD", r"$\mathrm{Bias}\leq\eta G,\ \ V\leq\xi G,\ \ \eta<1$"),
    "trio": ("SG1 \u21d4 SG2 \u21d4 BREQ", r"$P\geq\rho\,G,\ \ S\leq\zeta\,G$"),
    "bnd": ("BND", r"$\mathrm{Bias}\leq mG+\varphi^2,\ \ V\leq ME_1+\sigma^2$"),
    "fsml": ("FSML", r"$P\geq qG,\ \ E_1\leq u^2G,\ \ V\leq UG+Q$"),
    "abc": ("Biased ABC", r"$P\geq bG-c,\ \ S\leq 2AD+BG+C$"),
}
CONSTANTS = {  # of the arrow between two nodes: its statement, its text, where the text stands, its alignment
    ("con", "bvd"): ("con_implies_bvd", r"$\eta=\xi=\kappa$", (2.4, 7.58), "right"),
    ("bvd", "trio"): (
        "bvd_implies_breq",
        "$\\rho=1-\\sqrt{\\eta}$\n$\\zeta=(1+\\sqrt{\\eta})^2+\\xi$",
        (2.4, 5.62),
        "right",
    ),
    ("bvd", "bnd"): ("bvd_implies_bnd", "$m=\\eta,\\ M=\\xi/(1-\\sqrt{\\eta})^2$", (5.15, 6.62), "left"),
    ("trio", "fsml"): (
        "breq_implies_fsml",
        "$q=\\rho,\\ u^2=\\zeta$\n$U=\\zeta-\\rho^2$",
        (2.4, 3.67),
        "right",
    ),
    ("fsml", "abc"): ("fsml_implies_abc", "$b=q,\\ c=0$\n$B=U+u^2,\\ C=Q$", (3.0, 1.55), "right"),
    ("bnd", "abc"): (
        "bnd_implies_abc",
        "$b=(1-m)/2,\\ c=\\varphi^2/2$\n$B=2(M+1)(m+1)$\n$C=2(M+1)\\varphi^2+\\sigma^2$",
        (7.3, 3.0),
        "left",
    ),
    ("abs", "bnd"): ("abs_implies_bnd", r"$\varphi^2=\sigma^2=\Delta^2$", (7.9, 7.1), "left"),
}
CONDITIONAL = {
    ("bvd", "con"): ("bvd_implies_con", "if $\\eta+\\xi<1$", (3.35, 7.58)),
    ("fsml", "trio"): ("fsml_implies_breq", "if $Q=0$", (3.35, 3.67)),
}
SYMBOLS = (
    r"$G=\Vert\nabla f\Vert^2,\ D=f-f^\star$",
    r"$P=\langle\nabla f,\mathrm{E}g\rangle,\ E_1=\Vert\mathrm{E}g\Vert^2$",
    r"$V=\mathrm{E}\Vert g-\mathrm{E}g\Vert^2,\ S=E_1+V$",
    r"$\mathrm{Bias}=\Vert\mathrm{E}g-\nabla f\Vert^2$",
    r"$\mathrm{MSE}=\mathrm{Bias}+V$",
)
LEGEND = (
    ("X1", r"$g=x/2$"),
    ("X2", r"$g=3x$ w.p. 1/3, or 0"),
    ("X3", r"$g=3x$"),
    ("X4", r"$g=x+1$"),
    ("X5", r"$g=x\pm1$"),
    ("X7", r"$g=3x+1$"),
)
BESIDES = (  # statements beside the map
    ("abc_needs_a", r"$A$ is needed: $f=\sqrt{1+x^2}-1,\ g=f'\pm\sqrt{2f}$"),
    ("bvd_needs_eta_below_one", r"$\eta<1$ is needed: $g=0$"),
    ("clipping_not_abc", r"clipping $\min(1,1/|x|)\,x$ is not Biased ABC"),
)


# ------------------------------------------------------------------ numbers


def judged(seed: int = 0) -> dict[str, tuple[bool, str]]:
    """Every statement of the hierarchy: does it hold at all constants of its case, and its best grade."""
    from proveout.theory.cases.biased_sgd.hierarchy import CASES
    from proveout.theory.lenses import membership
    from proveout.theory.trial.check import methods_of

    found = {}
    for case in CASES:
        rows = [membership.check(case.statement, None, m, seed=seed) for m in methods_of(case, None)]
        rows = [v for v in rows if v.word != "not applicable"]
        grades = [str(v.grade) for v in rows]
        holds = bool(rows) and all(v.word == "holds" for v in rows)
        found[case.id] = (holds, "proved" if "proved" in grades else grades[0] if grades else "")
    return found


def measure(seed: int = 0, quick: bool = False) -> dict[str, Any]:
    """Nodes, the matrix of implications, the witness of every other pair, and each arrow's word."""
    from proveout.theory.biased_sgd.hierarchy import atlas

    words = judged(seed)
    chart = atlas.chart(lambda name: words[name][0])
    names = [atlas.name_of(n) for n in chart.nodes]
    index = {node: k for k, node in enumerate(chart.nodes)}
    implied = np.zeros((len(names), len(names)), bool)
    shown = np.full(implied.shape, "", dtype="<U8")
    for a, b in chart.implied:
        implied[index[a], index[b]] = True
    for (a, b), name in chart.apart.items():
        shown[index[a], index[b]] = atlas.label(name)
    direct = {(atlas.name_of(a), atlas.name_of(b)) for a, b in atlas.direct(chart)}
    holding = {k.partition(".")[2] for k, (holds, _) in words.items() if holds}
    proved = {k.partition(".")[2] for k, (holds, grade) in words.items() if holds and grade == "proved"}
    return {
        "nodes": np.array(names),
        "implied": implied,
        "witness": shown,
        "direct": np.array(sorted(f"{a} {b}" for a, b in direct)),
        "holding": np.array(sorted(holding)),
        "proved": np.array(sorted(proved)),
    }


# ------------------------------------------------------------------ ink


def draw(fig: Any, data: dict[str, Any]) -> None:
    left, right = fig.subplots(1, 2, width_ratios=(1.5, 1))
    for ax in (left, right):
        ax.axis("off")
    _graph(left, data)
    _matrix(right, data)


def _graph(ax: Any, data: dict[str, Any]) -> None:
    ax.set_xlim(0, 10)
    ax.set_ylim(-0.1, 9.3)
    holding, direct = set(data["holding"]), {tuple(x.split()) for x in data["direct"]}
    for pair in sorted(set(CONSTANTS) | direct):
        statement, text, at, align = CONSTANTS.get(pair, ("", "", (0, 0), "left"))
        fine = pair in direct and (not statement or statement in holding)
        _arrow(ax, pair[0], pair[1], GOOD if fine else BAD, shift=-0.25 if pair[::-1] in CONDITIONAL else 0.0)
        dx = -0.25 if pair[::-1] in CONDITIONAL else 0.0
        ax.text(at[0] + dx, at[1], text, ha=align, va="center", fontsize=8.5, color=INK if fine else BAD)
    for pair, (statement, text, at) in CONDITIONAL.items():
        fine = statement in holding
        _arrow(ax, pair[0], pair[1], "#7F7F7F" if fine else BAD, shift=0.45, style=(0, (3, 2)))
        ax.text(at[0] - 0.1, at[1], text, ha="left", va="center", fontsize=8.5, color="#555555")
    for name, (title, formula) in TEXTS.items():
        _box(ax, name, title, formula)
    for k, line in enumerate(SYMBOLS):
        ax.text(0.5, 1.0 - 0.32 * k, line, fontsize=7.5, color="#555555", va="center")


def _box(ax: Any, name: str, title: str, formula: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    x, y = PLACES[name]
    last = name == "abc"
    box = FancyBboxPatch(
        (x - WIDTH / 2, y - HEIGHT / 2),
        WIDTH,
        HEIGHT,
        boxstyle="round,pad=0,rounding_size=0.18",
        facecolor=GOOD if last else PALE,
        edgecolor=GOOD,
        linewidth=1.2,
        zorder=3,
    )
    ax.add_patch(box)
    ink = "white" if last else INK
    ax.text(x, y + 0.23, title, ha="center", va="center", fontsize=10.5, weight="bold", color=ink, zorder=4)
    ax.text(x, y - 0.23, formula, ha="center", va="center", fontsize=9, color=ink, zorder=4)


def _arrow(ax: Any, a: str, b: str, colour: str, shift: float = 0.0, style: Any = "-") -> None:
    (x0, y0), (x1, y1) = PLACES[a], PLACES[b]
    if x0 == x1:
        side = 1 if y1 > y0 else -1
        start, end = (x0 + shift, y0 + side * HEIGHT / 2), (x1 + shift, y1 - side * HEIGHT / 2)
    elif b == "abc":
        start, end = (x0, y0 - HEIGHT / 2), (x1 + (-1 if x0 < x1 else 1) * 1.0, y1 + HEIGHT / 2)
    else:
        start, end = (x0 + WIDTH / 2, y0 - 0.1), (x1 - WIDTH / 4, y1 + HEIGHT / 2)
    ax.annotate(
        "",
        xy=end,
        xytext=start,
        arrowprops={
            "arrowstyle": "-|>",
            "color": colour,
            "lw": 1.8,
            "linestyle": style,
            "mutation_scale": 14,
        },
        zorder=2,
    )


def _matrix(ax: Any, data: dict[str, Any]) -> None:
    names = [{"trio": "trio"}.get(n, n.upper()) for n in data["nodes"]]
    k = len(names)
    ax.set_xlim(-1.2, k)
    ax.set_ylim(-5.9, k + 1.6)
    ax.set_aspect("equal")
    ax.text(
        -1.15, k + 1.3, "Does the row imply the column?", fontsize=10.5, weight="bold", ha="left", va="center"
    )
    for i in range(k):
        ax.text(-0.12, k - i - 0.5, names[i], ha="right", va="center", fontsize=8.5)
        ax.text(i + 0.5, k + 0.25, names[i], ha="center", va="center", fontsize=8.5)
        for j in range(k):
            _cell(ax, j, k - i - 1, bool(data["implied"][i, j]), str(data["witness"][i, j]), i == j)
    _legend(ax, data)


def _cell(ax: Any, x: int, y: int, implied: bool, witness: str, same: bool) -> None:
    from matplotlib.patches import Rectangle

    known = implied or witness or same
    face = "#EEEEEE" if same else PALE if implied else WARM if witness else "white"
    ax.add_patch(Rectangle((x, y), 1, 1, facecolor=face, edgecolor="white", linewidth=2))
    text = "" if same else r"$\Rightarrow$" if implied else witness or "?"
    colour = GOOD if implied else BAD if known else "red"
    ax.text(x + 0.5, y + 0.5, text, ha="center", va="center", fontsize=11 if implied else 9, color=colour)


def _legend(ax: Any, data: dict[str, Any]) -> None:
    n, shown = len(data["nodes"]), int((data["witness"] != "").sum())
    counted = f"{n * (n - 1)} ordered pairs: {int(data['implied'].sum())} implied, {shown} with a witness"
    ax.text(-1.15, -0.45, counted, fontsize=9, va="center")
    ax.text(-1.15, -1.15, r"Witnesses, on $f=x^2/2$:", fontsize=9, va="center", weight="bold")
    used = set(data["witness"].ravel().tolist())
    for j, (name, text) in enumerate([row for row in LEGEND if row[0] in used]):
        x, y = (-1.15, 3.35)[j // 3], -1.8 - 0.62 * (j % 3)
        ax.text(x, y, name, fontsize=9, color=BAD, va="center")
        ax.text(x + 0.8, y, text, fontsize=9, va="center")
    for j, (statement, text) in enumerate(BESIDES):
        fine = statement in set(data["holding"])
        ax.text(-1.15, -3.95 - 0.62 * j, text, fontsize=8.5, va="center", color=INK if fine else BAD)


MAP = Panel(measure=measure, draw=draw, size=(11.0, 6.2))
