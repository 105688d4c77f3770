"""How a condition is put together: its brackets, its macros, and the paths that it names."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import cel

from loyalty.rules.errors import ExpressionInvalid
from loyalty.rules.lexis import Token, brackets, tokens

# Stands in a path for each entry of a list or map.
EACH = "[]"
WORDS = frozenset({"true", "false", "null", "in"})
BRANCHES = frozenset({"?", "&&", "||"})


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


class Text:
    """The words of one source with their brackets and macros."""

    def __init__(self, source: str, macros: Collection[str]) -> None:
        self.source = source
        self.words: list[Token] = tokens(source)
        self.pairs = brackets(self.words)
        self.opening = {closes: opens for opens, closes in self.pairs.items()}
        self._names = macros
        self.macros = [self._macro(index) for index in range(len(self.words)) if self._calls_macro(index)]

    def is_text(self, index: int, text: str) -> bool:
        """Whether the operator stands at the index."""
        return 0 <= index < len(self.words) and self.words[index].kind == "operator" and self.words[index].text == text

    def ends_value(self, index: int) -> bool:
        """Whether a value ends with this word, so that a dot or a bracket behind it asks for a part of it."""
        if index < 0:
            return False
        word = self.words[index]
        return word.text in {")", "]", "}"} if word.kind == "operator" else word.text != "in"

    def _calls_macro(self, index: int) -> bool:
        word = self.words[index]
        called = word.kind == "name" and word.text in self._names and self.calls(index)
        return called and self.is_text(index - 1, ".") and self.ends_value(index - 2)

    def calls(self, index: int) -> bool:
        """Whether the name is that of a function."""
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
            if self.is_text(begin, "[") and self.ends_value(begin - 1):
                behind = begin
                continue
            if self.is_text(begin, "(") and self.ends_value(begin - 1):
                begin -= 1
            if not self.is_text(begin - 1, ".") or not self.ends_value(begin - 2):
                return begin
            behind = begin - 1

    def operands(self) -> list[str]:
        """What stands between the && || ? : as conditions of their own; none if there are none of these."""
        parts = list(self._operands(0, len(self.words)))
        last = ((self.words[begin].at, self.words[end - 1]) for begin, end in parts)
        return [self.source[at : word.at + len(word.text)] for at, word in last] if len(parts) > 1 else []

    def _operands(self, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """The operands from one word to another, those within brackets around them included."""
        while self.is_text(begin, "!"):
            begin += 1
        if self.is_text(begin, "(") and self.pairs[begin] == end - 1:
            yield from self._operands(begin + 1, end - 1)
            return
        cuts, index = [begin - 1], begin
        while index < end:
            if any(self.is_text(index, word) for word in (*BRANCHES, ":")):
                cuts.append(index)
            index = self.pairs.get(index, index) + 1
        if len(cuts) == 1:
            yield begin, end
            return
        for before, after in zip(cuts, [*cuts[1:], end], strict=True):
            yield from self._operands(before + 1, after)

    def arguments(self, opens: int) -> int:
        """How many entries stand between brackets."""
        inner, commas = opens + 1, 0
        while inner < self.pairs[opens]:
            commas += self.is_text(inner, ",")
            inner = self.pairs.get(inner, inner) + 1
        return commas + 1

    def rewritten(self) -> str:
        """The source with counting for filtering: CEL copies all that it has kept for each entry it looks at."""
        source = self.source
        for macro in reversed([macro for macro in self.macros if macro.name == "filter"]):
            name, closes = self.words[macro.opens - 1].at, self.words[macro.closes].at
            source = f"{source[:name]}map{source[name + len('filter') : closes]}\n, 1{source[closes:]}"
        return source

    def reading(self) -> Reading:
        """What is named."""
        paths: dict[tuple[str, ...], Path] = {}
        elements: dict[tuple[str, ...], Path] = {}
        for index in self.roots():
            path, macro = self.path_from(index), self.binding(index)
            if macro is None:
                paths.setdefault(path.parts, path)
            elif macro.opens + 1 != index and self._names_list(macro):
                over = self.path_from(macro.over)
                whole = Path((*over.parts, EACH, *path.parts[1:]), (*over.written, *path.written))
                elements.setdefault(whole.parts, whole)
        return Reading(self.rewritten(), tuple(paths.values()), tuple(elements.values()))

    def _names_list(self, macro: Macro) -> bool:
        """Whether a macro runs over a plain path, such as order.lines."""
        length = sum(words for _field, _text, words in self._steps(macro.over))
        return macro.over in self.roots() and macro.over + length == macro.opens - 3

    def roots(self) -> Iterator[int]:
        """The words that are names of variables, those bound by macros among them."""
        for index, word in enumerate(self.words):
            named = word.kind == "name" and word.text not in WORDS
            if named and not self.is_text(index - 1, ".") and not self.calls(index):
                yield index

    def binding(self, index: int) -> Macro | None:
        """The macro that binds a name."""
        within = (macro for macro in self.macros if macro.opens < index < macro.closes)
        return next((macro for macro in within if macro.bound == self.words[index].text), None)

    def _steps(self, root: int) -> Iterator[tuple[str, str, int]]:
        """The fields behind a name: the field, how it is written, how many words it takes."""
        index = root + 1
        while True:
            if self.is_text(index, ".") and index + 1 < len(self.words) and not self.calls(index + 1):
                yield self.words[index + 1].text, f".{self.words[index + 1].text}", 2
                index += 2
            elif self.is_text(index, "[") and self.pairs[index] == index + 2 and self.words[index + 1].kind == "string":
                written = self.words[index + 1].text
                yield literal(self.words[index + 1]), f"[{written}]", 3
                index += 3
            else:
                return

    def path_from(self, root: int) -> Path:
        """The path that begins at a name."""
        parts, written = [self.words[root].text], [self.words[root].text]
        for field, text, _words in self._steps(root):
            parts.append(field)
            written.append(written[-1] + text)
        return Path(tuple(parts), tuple(written))


def literal(word: Token) -> str:
    """The text that a literal stands for."""
    try:
        return str(cel.compile(word.text).execute())
    except ValueError as failure:
        raise ExpressionInvalid(f"The text {word.text} has an escape that means nothing.", word.at) from failure
