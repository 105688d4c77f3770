"""What a condition names, and the bounds that keep every condition cheap. Reads the text; evaluates nothing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import cel

from loyalty.rules.errors import ExpressionInvalid
from loyalty.rules.lexis import Token, brackets, tokens

LENGTH_MAX = 1_000
NESTING_MAX = 12
ITEMS_MAX = 100
BRANCHES_MAX = 50
# A pattern is compiled at each use: this bounds what one use costs.
PATTERN_MAX = 100
CLASSES_MAX = 4

FUNCTIONS = ("duration", "double", "has", "int", "size", "string", "timestamp")
METHODS = (
    "contains", "endsWith", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours",
    "getMilliseconds", "getMinutes", "getMonth", "getSeconds", "matches", "size", "startsWith",
)  # fmt: skip
# CEL's map copies what it has so far at each step: with maps as entries, 200 of them took it 15 seconds.
MACROS = ("all", "exists", "exists_one", "filter")
# Stands in a path for each entry of a list or map.
EACH = "[]"

_CLASSES = re.compile(r"\\[wWdDsSpPbB]|\(\?")
_WORDS = frozenset({"true", "false", "null", "in"})
_BRANCHES = frozenset({"?", "&&", "||"})
_OTHER_LANGUAGES = {"and": "&&", "or": "||", "not": "!", "AND": "&&", "OR": "||", "NOT": "!", "is": "=="}


@dataclass(frozen=True, slots=True)
class Path:
    """Fields named one after the other, and how they were written."""

    parts: tuple[str, ...]
    written: tuple[str, ...]  # the text up to and with each part

    @property
    def text(self) -> str:
        """The whole path as written."""
        return self.written[-1]


@dataclass(frozen=True, slots=True)
class Macro:
    """One use of `list.macro(name, …)`: words from `opens` to `closes` see the name, the list begins at `over`."""

    name: str
    bound: str
    over: int
    opens: int
    closes: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text names, and the text to run in its place.

    `elements` are the paths that begin at a macro's name, as paths into the list that it runs over.
    """

    runs: str
    paths: tuple[Path, ...]
    elements: tuple[Path, ...]


def read(source: str) -> Reading:
    """What a source names, within the bounds. Refuses: ExpressionInvalid."""
    if len(source) > LENGTH_MAX:
        raise ExpressionInvalid(f"A condition has at most {LENGTH_MAX:,} characters.", LENGTH_MAX)
    words = tokens(source)
    if not words:
        raise ExpressionInvalid("The condition is empty.", 0)
    text = _Text(words, brackets(words))
    text.check()
    return text.reading(source)


class _Text:
    """The words of one source with their brackets and macros."""

    def __init__(self, words: list[Token], pairs: dict[int, int]) -> None:
        self.words = words
        self.pairs = pairs
        self.opening = {closes: opens for opens, closes in pairs.items()}
        self.macros = [self._macro(index) for index in range(len(words)) if self._calls_macro(index)]

    def is_text(self, index: int, text: str) -> bool:
        """Whether the operator stands at the index."""
        return 0 <= index < len(self.words) and self.words[index].kind == "operator" and self.words[index].text == text

    def _ends_value(self, index: int) -> bool:
        """Whether a value ends with this word, so that a dot or a bracket behind it asks for a part of it."""
        if index < 0:
            return False
        word = self.words[index]
        return word.text in {")", "]", "}"} if word.kind == "operator" else word.text != "in"

    def _calls_macro(self, index: int) -> bool:
        word = self.words[index]
        called = word.kind == "name" and word.text in MACROS and self._calls(index)
        return called and self.is_text(index - 1, ".") and self._ends_value(index - 2)

    def _calls(self, index: int) -> bool:
        return self.is_text(index + 1, "(")

    def _macro(self, index: int) -> Macro:
        opens = index + 1
        closes = self.pairs[opens]
        name, word = self.words[index].text, self.words[index]
        if closes < opens + 3 or self.words[opens + 1].kind != "name" or not self.is_text(opens + 2, ","):
            raise ExpressionInvalid(f"{name} needs a name and what is asked of it: list.{name}(item, …).", word.at)
        return Macro(name, self.words[opens + 1].text, self._begin(index - 1), opens, closes)

    def _begin(self, behind: int) -> int:
        """Where the value that stands before a word begins."""
        while True:
            begin = self.opening.get(behind - 1, behind - 1)
            if self.is_text(begin, "[") and self._ends_value(begin - 1):
                behind = begin
                continue
            if self.is_text(begin, "(") and self._ends_value(begin - 1):
                begin -= 1
            if not self.is_text(begin - 1, ".") or not self._ends_value(begin - 2):
                return begin
            behind = begin - 1

    def check(self) -> None:
        """Refuse what breaks a bound."""
        self._check_nesting()
        self._check_lists()
        self._check_macros()
        branches = [word for word in self.words if word.kind == "operator" and word.text in _BRANCHES]
        if len(branches) > BRANCHES_MAX:
            raise ExpressionInvalid(f"At most {BRANCHES_MAX} of && || and ? in a condition.", branches[BRANCHES_MAX].at)
        for index in range(len(self.words)):
            self._check_word(index)

    def _check_nesting(self) -> None:
        depth = 0
        for index, word in enumerate(self.words):
            depth += (index in self.pairs) - (index in self.opening)
            if depth > NESTING_MAX:
                raise ExpressionInvalid(f"Brackets stand at most {NESTING_MAX} deep.", word.at)

    def _check_lists(self) -> None:
        for opens in self.pairs:
            if self.is_text(opens, "(") or (self.is_text(opens, "[") and self._ends_value(opens - 1)):
                continue
            if self._arguments(opens) > ITEMS_MAX:
                raise ExpressionInvalid(f"A list has at most {ITEMS_MAX} entries.", self.words[opens].at)

    def _check_macros(self) -> None:
        of_lines = any(self.words[root].text == "line" and not self._binding(root) for root in self._roots())
        for macro in self.macros:
            at = self.words[macro.opens - 1].at
            if any(other.opens < macro.opens < other.closes for other in self.macros):
                raise ExpressionInvalid(f"{macro.name} may not stand within another all, exists, filter or map.", at)
            if macro.name == "filter" and not self._counts(macro):
                raise ExpressionInvalid("What filter keeps can only be counted: list.filter(item, …).size().", at)
            over = {self.words[root].text for root in self._roots() if macro.over <= root < macro.opens - 2}
            if of_lines and over - {"line"}:
                advice = "ask with in or contains, or make it a condition on the whole order"
                raise ExpressionInvalid(f"{macro.name} would run over {min(over)} for each line: {advice}.", at)
            for root in self._roots():
                if macro.opens < root < macro.closes and self._path(root).parts[:2] == ("order", "lines"):
                    word = self.words[root]
                    raise ExpressionInvalid(f"order.lines may not stand within {macro.name}.", word.at)

    def _counts(self, macro: Macro) -> bool:
        after = [word.text for word in self.words[macro.closes + 1 : macro.closes + 5]]
        return after == [".", "size", "(", ")"] and self._arguments(macro.opens) == len(("item", "condition"))

    def _arguments(self, opens: int) -> int:
        inner, commas = opens + 1, 0
        while inner < self.pairs[opens]:
            commas += self.is_text(inner, ",")
            inner = self.pairs.get(inner, inner) + 1
        return commas + 1

    def _check_word(self, index: int) -> None:
        word = self.words[index]
        if word.is_bytes:
            raise ExpressionInvalid('Write a text without the letter b: "…".', word.at)
        if word.kind == "number" and word.text[-1] in "uU":
            raise ExpressionInvalid("Write whole numbers without the letter u.", word.at)
        if self.is_text(index, ".") and not self._ends_value(index - 1):
            raise ExpressionInvalid("Nothing stands before this dot.", word.at)
        if word.kind == "name":
            self._check_name(index)

    def _check_name(self, index: int) -> None:
        word = self.words[index]
        selected = self.is_text(index - 1, ".")
        if self.is_text(index + 1, "{"):
            raise ExpressionInvalid("A { cannot follow a name.", self.words[index + 1].at)
        if word.text.startswith("__") and not selected:
            raise ExpressionInvalid("Names that begin with two underscores are reserved.", word.at)
        if not selected and word.text in _OTHER_LANGUAGES and (self._ends_value(index - 1) or word.text[0] in "nN"):
            raise ExpressionInvalid(f"Write {_OTHER_LANGUAGES[word.text]} rather than {word.text}.", word.at)
        known = (*METHODS, *MACROS) if selected else FUNCTIONS
        if self._calls(index) and word.text not in known and word.text not in _WORDS:
            raise ExpressionInvalid(
                f"There is no function {word.text}. There are: {', '.join(sorted(known))}.", word.at
            )
        if selected and word.text == "matches" and self._calls(index):
            self._check_pattern(index + 1)

    def _check_pattern(self, opens: int) -> None:
        """Patterns are written out and short, and repeat nothing by number: then compiling one is cheap."""
        word = self.words[opens + 1]
        if word.kind != "string" or self.pairs[opens] != opens + 2:
            raise ExpressionInvalid('matches needs a pattern that is written out: matches("^A-[0-9]+$").', word.at)
        pattern = _literal(word)
        if len(pattern) > PATTERN_MAX or "{" in pattern or len(_CLASSES.findall(pattern)) > CLASSES_MAX:
            bounds = f"at most {PATTERN_MAX} characters and {CLASSES_MAX} classes such as \\w, and no {{…}}"
            raise ExpressionInvalid(f"A pattern has {bounds}.", word.at)

    def rewritten(self, source: str) -> str:
        """The source with counting for filtering: CEL copies all that it has kept for each entry it looks at."""
        for macro in reversed([macro for macro in self.macros if macro.name == "filter"]):
            name, closes = self.words[macro.opens - 1].at, self.words[macro.closes].at
            source = f"{source[:name]}map{source[name + len('filter') : closes]}\n, 1{source[closes:]}"
        return source

    def reading(self, source: str) -> Reading:
        """What is named."""
        paths: dict[tuple[str, ...], Path] = {}
        elements: dict[tuple[str, ...], Path] = {}
        for index in self._roots():
            path, macro = self._path(index), self._binding(index)
            if macro is None:
                paths.setdefault(path.parts, path)
            elif macro.opens + 1 != index and self._names_list(macro):
                over = self._path(macro.over)
                whole = Path((*over.parts, EACH, *path.parts[1:]), (*over.written, *path.written))
                elements.setdefault(whole.parts, whole)
        return Reading(self.rewritten(source), tuple(paths.values()), tuple(elements.values()))

    def _names_list(self, macro: Macro) -> bool:
        """Whether a macro runs over a plain path, such as order.lines."""
        length = sum(words for _field, _text, words in self._steps(macro.over))
        return macro.over in self._roots() and macro.over + length == macro.opens - 3

    def _roots(self) -> Iterator[int]:
        for index, word in enumerate(self.words):
            named = word.kind == "name" and word.text not in _WORDS
            if named and not self.is_text(index - 1, ".") and not self._calls(index):
                yield index

    def _binding(self, index: int) -> Macro | None:
        within = (macro for macro in self.macros if macro.opens < index < macro.closes)
        return next((macro for macro in within if macro.bound == self.words[index].text), None)

    def _steps(self, root: int) -> Iterator[tuple[str, str, int]]:
        """The fields behind a name: the field, how it is written, how many words it takes."""
        index = root + 1
        while True:
            if self.is_text(index, ".") and index + 1 < len(self.words) and not self._calls(index + 1):
                yield self.words[index + 1].text, f".{self.words[index + 1].text}", 2
                index += 2
            elif self.is_text(index, "[") and self.pairs[index] == index + 2 and self.words[index + 1].kind == "string":
                written = self.words[index + 1].text
                yield _literal(self.words[index + 1]), f"[{written}]", 3
                index += 3
            else:
                return

    def _path(self, root: int) -> Path:
        parts, written = [self.words[root].text], [self.words[root].text]
        for field, text, _words in self._steps(root):
            parts.append(field)
            written.append(written[-1] + text)
        return Path(tuple(parts), tuple(written))


def _literal(word: Token) -> str:
    """The text that a literal stands for."""
    try:
        return str(cel.compile(word.text).execute())
    except ValueError as failure:
        raise ExpressionInvalid(f"The text {word.text} has an escape that means nothing.", word.at) from failure
