"""The words of the condition language (CEL): a source text as tokens."""

import re
from dataclasses import dataclass

from loyalty.rules.errors import ExpressionInvalid

_QUOTED = r"""(?s:'''.*?''')|(?s:\"\"\".*?\"\"\")|'[^'\n\r]*'|"[^"\n\r]*\""""
_ESCAPED = (
    r"""'''(?s:\\.|[^\\])*?'''|\"\"\"(?s:\\.|[^\\])*?\"\"\"|'(?:\\[^\n\r]|[^'\\\n\r])*'|"(?:\\[^\n\r]|[^"\\\n\r])*\""""
)
_TOKENS = re.compile(
    rf"""
      (?P<space>[\t\n\f\r\ ]+|//[^\n]*)
    | (?P<string>[bB]?[rR](?:{_QUOTED})|[rR][bB](?:{_QUOTED})|[bB]?(?:{_ESCAPED}))
    | (?P<number>0x[0-9a-fA-F]+[uU]?|(?:[0-9]+\.[0-9]+|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|[0-9]+[uU]?)
    | (?P<name>[_a-zA-Z][_a-zA-Z0-9]*)
    | (?P<operator>&&|\|\||[=!<>]=|[-+*/%<>!?:.,()\[\]{{}}])
    """,
    re.VERBOSE,
)
# What people write who know other languages.
_ADVICE = {
    "=": "Compare with == rather than =.",
    "&": "Write && for and.",
    "|": "Write || for or.",
    "“": 'Use straight quotes: "…".',
    "”": 'Use straight quotes: "…".',
    "„": 'Use straight quotes: "…".',
    "\u2018": "Use straight quotes: '…'.",
    "\u2019": "Use straight quotes: '…'.",
    "'": "A text that begins here has no end.",
    '"': "A text that begins here has no end.",
}
CLOSING = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Token:
    """One word: `kind` is string, number, name or operator; `at` is where it begins."""

    kind: str
    text: str
    at: int

    @property
    def is_bytes(self) -> bool:
        """Whether it is a literal of bytes rather than a text."""
        return self.kind == "string" and "b" in self.text[:2].lower().split('"')[0].split("'")[0]


def tokens(source: str) -> list[Token]:
    """The words of a source, without spaces and comments. Refuses: ExpressionInvalid."""
    found, at = [], 0
    while at < len(source):
        match = _TOKENS.match(source, at)
        if match is None:
            letter = source[at]
            raise ExpressionInvalid(_ADVICE.get(letter, f"The character {letter} means nothing here."), at)
        if match.lastgroup != "space":
            found.append(Token(str(match.lastgroup), match.group(), at))
        at = match.end()
    return found


def brackets(words: list[Token]) -> dict[int, int]:
    """Where each bracket closes, by the index of the word that opens it. Refuses: ExpressionInvalid."""
    pairs: dict[int, int] = {}
    waiting: list[int] = []
    for index, word in enumerate(words):
        if word.kind != "operator":
            continue
        if word.text in CLOSING:
            waiting.append(index)
        elif word.text in CLOSING.values():
            if not waiting or CLOSING[words[waiting[-1]].text] != word.text:
                raise ExpressionInvalid(f"The {word.text} closes nothing.", word.at)
            pairs[waiting.pop()] = index
    if waiting:
        word = words[waiting[-1]]
        raise ExpressionInvalid(f"The {word.text} is never closed.", word.at)
    return pairs
