"""LaTeX formulas as MathML: the subset that claims are written in, with no package and no network.

A formula becomes several `<math>` pieces, cut before top-level relations and after commas, so that a long
claim wraps like text on a narrow screen.  A command that is not known is shown as it was written.
"""

import re
from html import escape

from proveout.report.symbols import ACCENTS, FENCES, FUNCTIONS, LARGE, LETTERS, OPERATORS, RELATIONS, SPACES

__all__ = ["mathml"]

TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|\d+(?:\.\d+)?|\s+|.", re.DOTALL)
STRETCH = re.compile(r"\\(?:big|Big|bigg|Bigg)[lrm]?")
SPACE = re.compile(r"\\[,;: ]|~")
PLAIN = {"mathrm", "text", "textrm", "mathit", "textit", "operatorname", "operatorname*", "mathsf", "mathtt"}
LOUD = {"mathbf": "𝐀", "boldsymbol": "𝐀", "bm": "𝐀", "mathcal": "𝒜", "mathscr": "𝒜", "mathbb": "𝔸"}
SCRIPT = {"B": "ℬ", "E": "ℰ", "F": "ℱ", "H": "ℋ", "I": "ℐ", "L": "ℒ", "M": "ℳ", "R": "ℛ"}  # placed elsewhere
BOARD = {"C": "ℂ", "H": "ℍ", "N": "ℕ", "P": "ℙ", "Q": "ℚ", "R": "ℝ", "Z": "ℤ"}


SPACED = ' lspace="0.1em" rspace="0.3em" form='  # of a relation that begins a piece
OPEN, CLOSE = {"(", "[", r"\{", r"\langle"}, {")", "]", r"\}", r"\rangle"}
UPRIGHT = {"nabla", "partial", "infty", "emptyset"}
INFIX = {"=", "<", ">", *RELATIONS.values()}


class _Unreadable(Exception):
    """The formula is not balanced."""


def mathml(tex: str) -> str:
    """Inline MathML of one line of LaTeX; the escaped source where it cannot be read."""
    try:
        reader = _Reader(tex.strip().strip("$"))
        pieces = reader.pieces()
    except _Unreadable:
        return f"<code>{escape(tex)}</code>"
    label = escape(tex, quote=True)
    return " ".join(
        f'<math display="inline" aria-label="{label}"><mstyle displaystyle="true">{p}</mstyle></math>'
        for p in pieces
    )


class _Reader:
    def __init__(self, tex: str) -> None:
        self.tokens = TOKEN.findall(tex)
        self.at = 0

    # ---- tokens

    def peek(self) -> str:
        while self.at < len(self.tokens) and self.tokens[self.at].isspace():
            self.at += 1
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        if not token:
            raise _Unreadable
        self.at += 1
        return token

    def raw(self) -> str:
        """The text of a group, as it stands: {maximise over} -> "maximise over"."""
        if self.take() != "{":
            self.at -= 1
            return self.take()
        depth, start = 1, self.at
        while depth:
            if self.at >= len(self.tokens):
                raise _Unreadable
            depth += {"{": 1, "}": -1}.get(self.tokens[self.at], 0)
            self.at += 1
        return "".join(self.tokens[start : self.at - 1])

    # ---- structure

    def pieces(self) -> list[str]:
        """The whole formula, cut where a line may break."""
        pieces: list[str] = []
        row: list[str] = []
        depth = 0
        while token := self.peek():
            depth += (token in OPEN) - (token in CLOSE)
            relation = token.startswith("\\") and token[1:] in RELATIONS or token in "=<>"
            if row and relation and not depth and token not in (r"\in", r"\to"):
                pieces, row = [*pieces, "".join(row)], [self.scripted().replace(" form=", SPACED, 1)]
                continue
            if token in (r"\quad", r"\qquad"):
                self.take()
                pieces, row = [*pieces, "".join(row)] if row else pieces, []
                continue
            row.append(self.scripted())
            if (
                token in ",;"
                and not depth
                and self.at < len(self.tokens)
                and self.tokens[self.at].strip("\\ ") == ""
            ):
                pieces, row = [*pieces, "".join(row)], []
        return [*pieces, "".join(row)] if row else pieces

    def row(self, end: str) -> str:
        parts = []
        while (token := self.peek()) != end:
            if not token or token == "}":
                raise _Unreadable
            parts.append(self.scripted())
        self.take()
        return "".join(parts)

    def scripted(self) -> str:
        """An atom with what hangs on it."""
        limits = self.peek()[1:] in LARGE
        base = self.atom()
        sub = sup = ""
        while (token := self.peek()) in ("_", "^", "'") and token:
            if token == "'":
                sup += "<mo>" + "′" * self._primes() + "</mo>"
                continue
            self.take()
            if token == "_":
                sub += self.group()
            else:
                sup += self.group()
        if not (sub or sup):
            return base
        base, sub, sup = base or "<mrow></mrow>", _one(sub), _one(sup)
        below, above, both = ("munder", "mover", "munderover") if limits else ("msub", "msup", "msubsup")
        if sub and sup:
            return f"<{both}>{base}{sub}{sup}</{both}>"
        return f"<{below}>{base}{sub}</{below}>" if sub else f"<{above}>{base}{sup}</{above}>"

    def _primes(self) -> int:
        count = 0
        while self.peek() == "'":
            self.take()
            count += 1
        return count

    def group(self) -> str:
        """A braced group, or the one atom (of a number: the one digit) that stands for it."""
        token = self.peek()
        if token == "{":
            self.take()
            return self.row("}")
        if token[:1].isdigit() and len(token) > 1:
            self.tokens[self.at : self.at + 1] = [token[0], token[1:]]
        return self.atom()

    def upright(self) -> str:
        """The rest of a group in roman, as text."""
        start = self.at
        depth = 0
        while self.at < len(self.tokens) and depth >= 0:
            depth += {"{": 1, "}": -1}.get(self.tokens[self.at], 0)
            self.at += depth >= 0
        words = "".join(self.tokens[start : self.at]).strip()
        return f"<mtext>{escape(re.sub(SPACE, ' ', words))}</mtext>"

    def atom(self) -> str:
        token = self.take()
        if token == "{":
            return f"<mrow>{self.row('}')}</mrow>"
        if token == "}":
            raise _Unreadable
        if token.startswith("\\") and len(token) > 1:
            return self.command(token[1:])
        if token[0].isdigit():
            return f"<mn>{token}</mn>"
        if token.isalpha():
            return f"<mi>{escape(token)}</mi>"
        if token == "~":
            return '<mspace width="0.33em"></mspace>'
        return _operator({"-": "−", "*": "∗"}.get(token, token))

    # ---- commands

    def command(self, name: str) -> str:
        if name in LETTERS:
            upright = ' mathvariant="normal"' if name[0].isupper() or name in UPRIGHT else ""
            return f"<mi{upright}>{LETTERS[name]}</mi>"
        if name in LARGE:
            symbol = LARGE[name]
            return f"<mo>{symbol}</mo>" if len(symbol) == 1 else f'<mo form="prefix">{symbol}</mo>'
        if name in FUNCTIONS:
            return f"<mi>{name}</mi>"
        if name in RELATIONS or name in OPERATORS:
            return _operator((RELATIONS | OPERATORS)[name])
        if name in SPACES:
            return f'<mspace width="{SPACES[name]}"></mspace>' if SPACES[name] else ""
        if name in FENCES:
            return f'<mo stretchy="false">{FENCES[name]}</mo>'
        if STRETCH.fullmatch("\\" + name):
            return f'<mo stretchy="false">{self.fence()}</mo>'
        return self.structure(name)

    def structure(self, name: str) -> str:
        """Commands that take arguments."""
        if name in ("frac", "tfrac", "dfrac"):
            above, below = _one(self.group()), _one(self.group())
            return f"<mfrac>{above}{below}</mfrac>"
        if name in ("binom", "tbinom", "dbinom"):
            above, below = _one(self.group()), _one(self.group())
            return f'<mrow><mo>(</mo><mfrac linethickness="0">{above}{below}</mfrac><mo>)</mo></mrow>'
        if name == "sqrt":
            if self.peek() == "[":
                self.take()
                index = self.row("]")
                return f"<mroot>{_one(self.group())}{_one(index)}</mroot>"
            return f"<msqrt>{self.group()}</msqrt>"
        if name in ACCENTS:
            grows = "true" if name in ("overline", "widehat", "widetilde") else "false"
            return f'<mover>{_one(self.group())}<mo stretchy="{grows}">{ACCENTS[name]}</mo></mover>'
        if name == "underline":
            return f"<munder>{_one(self.group())}<mo>_</mo></munder>"
        if name in PLAIN:
            text = escape(self.raw()).replace(" ", "\u00a0")
            return (
                f"<mi>{text}</mi>"
                if name.startswith("operator") and len(text) > 1
                else f"<mtext>{text}</mtext>"
            )
        if name in LOUD:
            return f"<mi>{escape(_styled(self.raw(), name))}</mi>"
        if name == "left":
            return self.fenced()
        if name == "not":
            return self.command(self.take()[1:]).replace("</mo>", "\u0338</mo>")
        if name == "rm":
            return self.upright()
        if name in ("limits", "nolimits", "displaystyle", "textstyle"):
            return ""
        return f"<mtext>\\{escape(name)}</mtext>"

    def fence(self) -> str:
        token = self.take()
        if token == ".":
            return ""
        return FENCES.get(token[1:], "") if token.startswith("\\") else escape(token)

    def fenced(self) -> str:
        """left ( ... right ), with fences that grow."""
        first, parts = self.fence(), []
        while self.peek() != r"\right":
            if not self.peek():
                raise _Unreadable
            if self.peek() == r"\middle":
                self.take()
                parts.append(f'<mo stretchy="true">{self.fence()}</mo>')
                continue
            parts.append(self.scripted())
        self.take()
        last = self.fence()
        one = f'<mo form="prefix" stretchy="true">{first}</mo>' if first else ""
        two = f'<mo form="postfix" stretchy="true">{last}</mo>' if last else ""
        return f"<mrow>{one}{''.join(parts)}{two}</mrow>"


def _one(xml: str) -> str:
    """One element, as scripts and fractions want it."""
    return f"<mrow>{xml}</mrow>" if xml else ""


def _operator(text: str) -> str:
    if text == "/":
        return '<mo lspace="0" rspace="0">/</mo>'
    fence = ' stretchy="false"' if text in "()[]|{}" else ""
    infix = ' form="infix"' if text in INFIX else ""
    return f"<mo{fence}{infix}>{escape(text)}</mo>"


def _styled(text: str, name: str) -> str:
    """Letters of a mathematical alphabet; others stay."""
    first = ord(LOUD[name])
    out = []
    for letter in text:
        if name == "mathbb" and letter in BOARD:
            out.append(BOARD[letter])
        elif name in ("mathcal", "mathscr") and letter in SCRIPT:
            out.append(SCRIPT[letter])
        elif "A" <= letter <= "Z":
            out.append(chr(first + ord(letter) - ord("A")))
        elif name in ("mathbf", "bm") and "a" <= letter <= "z":
            out.append(chr(first + 26 + ord(letter) - ord("a")))
        elif name == "mathbb" and letter == "1":
            out.append("𝟙")
        else:
            out.append(letter)
    return "".join(out)
