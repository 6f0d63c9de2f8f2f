"""LaTeX names of the symbols that claims use, as Unicode."""

__all__ = ["ACCENTS", "FENCES", "FUNCTIONS", "LARGE", "LETTERS", "OPERATORS", "RELATIONS", "SPACES"]

_GREEK = (
    "alpha α beta β gamma γ delta δ epsilon ϵ varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ "
    "lambda λ mu μ nu ν xi ξ pi π rho ρ varrho ϱ sigma σ tau τ upsilon υ phi ϕ varphi φ chi χ psi ψ omega ω "
    "Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω "
    "ell ℓ infty ∞ nabla ∇ partial ∂ emptyset ∅ hbar ℏ Re ℜ Im ℑ"
).split()
_RELATIONS = (
    "le ≤ leq ≤ leqslant ⩽ ge ≥ geq ≥ geqslant ⩾ ne ≠ neq ≠ equiv ≡ approx ≈ sim ∼ simeq ≃ propto ∝ ll ≪ gg ≫ "
    "prec ≺ succ ≻ preceq ⪯ succeq ⪰ in ∈ notin ∉ ni ∋ subset ⊂ subseteq ⊆ supset ⊃ supseteq ⊇ perp ⊥ "
    "to → rightarrow → leftarrow ← mapsto ↦ Rightarrow ⇒ Leftarrow ⇐ Leftrightarrow ⇔ iff ⟺ implies ⟹ "
    "longrightarrow ⟶ Longrightarrow ⟹ gets ← coloneqq ≔ lesssim ≲ gtrsim ≳ mid ∣ nmid ∤"
).split()
_OPERATORS = (
    "cdot ⋅ times × pm ± mp ∓ div ÷ ast ∗ star ⋆ circ ∘ bullet • oplus ⊕ ominus ⊖ otimes ⊗ odot ⊙ cup ∪ cap ∩ "
    "setminus ∖ wedge ∧ vee ∨ neg ¬ forall ∀ exists ∃ ldots … cdots ⋯ dots … vdots ⋮ colon : top ⊤ prime ′ "
    "dagger † S § checkmark ✓ angle ∠ triangle △ square □ backslash ∖"
).split()
_FENCES = (
    "langle ⟨ rangle ⟩ lfloor ⌊ rfloor ⌋ lceil ⌈ rceil ⌉ lVert ‖ rVert ‖ Vert ‖ lvert | rvert | vert | "
    "lbrace { rbrace } lbrack [ rbrack ]"
).split()


def _pairs(words: list[str]) -> dict[str, str]:
    return dict(zip(words[::2], words[1::2]))


LETTERS = _pairs(_GREEK)
RELATIONS = _pairs(_RELATIONS)
OPERATORS = _pairs(_OPERATORS) | {"%": "%", "&": "&amp;", "#": "#", "_": "_", "$": "$"}
FENCES = _pairs(_FENCES) | {"{": "{", "}": "}", "|": "‖"}
LARGE = {  # what stands under and above them, in display
    "sum": "∑",
    "prod": "∏",
    "bigcup": "⋃",
    "bigcap": "⋂",
    "bigoplus": "⨁",
    "max": "max",
    "min": "min",
    "sup": "sup",
    "inf": "inf",
    "lim": "lim",
    "limsup": "lim sup",
    "liminf": "lim inf",
    "argmin": "arg min",
    "argmax": "arg max",
}
FUNCTIONS = frozenset(
    "arg log ln exp sin cos tan tanh det dim ker Pr deg gcd arctan sinh cosh rank tr diag sign".split()
)
ACCENTS = {
    "bar": "¯",
    "overline": "¯",
    "hat": "^",
    "widehat": "^",
    "tilde": "~",
    "widetilde": "~",
    "dot": "˙",
    "ddot": "¨",
    "vec": "→",
    "check": "ˇ",
    "breve": "˘",
}
SPACES = {
    ",": "0.17em",
    ":": "0.22em",
    ";": "0.28em",
    "!": "",
    " ": "0.33em",
    "quad": "1em",
    "qquad": "2em",
}
