"""`proveout replay`: does a stored violation happen again?"""

from typing import Any

from proveout.cli.screen import coloured, say, usage, warn

__all__ = ["replay"]

REPRODUCED = 1


def replay(path: str, cases: str = "") -> int:
    """Exit code 1 if a violation is reproduced, 0 if none is; Usage if the file is no witness."""
    from proveout import __version__
    from proveout.theory.trial import replay as theory

    with usage():
        witnesses = theory.read(path)
        found = [theory.replay(w, cases) for w in witnesses]
    versions = {w.get("version", __version__) for w in witnesses} - {__version__}
    if versions:
        warn(f"written by version {', '.join(sorted(map(str, versions)))}, replayed by {__version__}")
    for one in found:
        _show(one)
    return REPRODUCED if any(one.reproduced for one in found) else 0


def _show(one: Any) -> None:
    twin = f", red twin '{one.twin}'" if one.twin else ""
    word = coloured("violated", "violated") + ": reproduced" if one.reproduced else "not reproduced"
    say(f"{one.statement}{twin}: {word}")
    say(f"  problem  {one.problem}")
    say(f"  method   {one.method}")
    say(f"  lens     {one.lens}")
    for side, now, then in (("lhs", one.lhs, one.stored[0]), ("rhs", one.rhs, one.stored[1])):
        same = "as stored" if abs(now - then) <= 1e-12 * abs(then) else f"stored {then:.12g}"
        say(f"  {side}      {now:.12g}  ({same})")
    if one.ratio is not None:
        say(f"  lhs/rhs  {one.ratio:.9g}")
