"""The language of conditions: what may be written, and the bounds that keep every condition cheap."""

import re

from loyalty.rules.errors import BoundBroken, ExpressionInvalid
from loyalty.rules.structure import BRANCHES, WORDS, Macro, Reading, Text, literal

LENGTH_MAX = 1_000
NESTING_MAX = 12
ITEMS_MAX = 100
BRANCHES_MAX = 50
# A pattern is compiled at each use: this bounds what one use costs.
PATTERN_MAX = 100
CLASSES_MAX = 4

# Each with a use of it, as published.
FUNCTIONS = {
    "duration": 'now - member.enrolled_at > duration("720h")',
    "double": "double(order.basis) * 0.1 > 100.0",
    "has": "has(order.metadata.gift)",
    "int": "int(order.metadata.floor) > 3",
    "size": "size(order.skus) >= 3",
    "string": 'string(local.year) == "2026"',
    "timestamp": 'member.enrolled_at < timestamp("2026-01-01T00:00:00Z")',
}
METHODS = {
    "contains": 'line.sku.contains("-bio-")',
    "endsWith": 'line.sku.endsWith("-xl")',
    "getDate": "now.getDate() == 1",
    "getDayOfMonth": "now.getDayOfMonth() == 0",
    "getDayOfWeek": "now.getDayOfWeek() == 0",
    "getDayOfYear": "now.getDayOfYear() == 0",
    "getFullYear": "member.enrolled_at.getFullYear() == 2025",
    "getHours": "now.getHours() < 12",
    "getMilliseconds": "now.getMilliseconds() == 0",
    "getMinutes": "now.getMinutes() == 0",
    "getMonth": "member.enrolled_at.getMonth() == 0",
    "getSeconds": "now.getSeconds() == 0",
    "matches": 'line.sku.matches("^A-[0-9]+$")',
    "size": "order.skus.size() >= 3",
    "startsWith": 'line.sku.startsWith("A-")',
}
# No map: it copies what it has so far at each step, so 200 lines took it 15 seconds.
MACROS = {
    "all": "order.lines.all(l, l.discount == 0)",
    "exists": "order.lines.exists(l, l.quantity >= 10)",
    "exists_one": 'order.skus.exists_one(s, s.startsWith("gift-"))',
    "filter": "order.lines.filter(l, l.basis >= 1000).size() >= 2",
}
_CLASSES = re.compile(r"\\[wWdDsSpPbB]|\(\?")
_OTHER_LANGUAGES = {"and": "&&", "or": "||", "not": "!", "AND": "&&", "OR": "||", "NOT": "!", "is": "=="}


def read(source: str) -> Reading:
    """What a source names, within the bounds. Refuses: ExpressionInvalid."""
    if len(source) > LENGTH_MAX:
        raise BoundBroken(f"A condition has at most {LENGTH_MAX:,} characters.", LENGTH_MAX)
    text = Text(source, MACROS)
    if not text.words:
        raise ExpressionInvalid("The condition is empty.", 0)
    _Checks(text).check()
    return text.reading()


def operands(source: str) -> list[str]:
    """What stands between the && || ? : of a source, as conditions of their own; none if there are none of these."""
    return Text(source, MACROS).operands()


class _Checks:
    """The bounds, on one text."""

    def __init__(self, text: Text) -> None:
        self.text = text
        self.words = text.words
        self.pairs = text.pairs

    def check(self) -> None:
        """Refuse what breaks a bound."""
        self._check_nesting()
        self._check_lists()
        self._check_macros()
        branches = [word for word in self.words if word.kind == "operator" and word.text in BRANCHES]
        if len(branches) > BRANCHES_MAX:
            raise BoundBroken(f"At most {BRANCHES_MAX} of && || and ? in a condition.", branches[BRANCHES_MAX].at)
        for index in range(len(self.words)):
            self._check_word(index)

    def _check_nesting(self) -> None:
        depth = 0
        for index, word in enumerate(self.words):
            depth += (index in self.pairs) - (index in self.text.opening)
            if depth > NESTING_MAX:
                raise BoundBroken(f"Brackets stand at most {NESTING_MAX} deep.", word.at)

    def _check_lists(self) -> None:
        for opens in self.pairs:
            if self.text.is_text(opens, "(") or (self.text.is_text(opens, "[") and self.text.ends_value(opens - 1)):
                continue
            if self.text.arguments(opens) > ITEMS_MAX:
                raise BoundBroken(f"A list has at most {ITEMS_MAX} entries.", self.words[opens].at)

    def _check_macros(self) -> None:
        of_lines = any(self.words[root].text == "line" and not self.text.binding(root) for root in self.text.roots())
        for macro in self.text.macros:
            at = self.words[macro.opens - 1].at
            if any(other.opens < macro.opens < other.closes for other in self.text.macros):
                raise BoundBroken(f"{macro.name} may not stand within another all, exists, filter or map.", at)
            if macro.name == "filter" and not self._counts(macro):
                raise BoundBroken("What filter keeps can only be counted: list.filter(item, …).size().", at)
            over = {self.words[root].text for root in self.text.roots() if macro.over <= root < macro.opens - 2}
            if of_lines and over - {"line"}:
                advice = "ask with in or contains, or make it a condition on the whole order"
                raise BoundBroken(f"{macro.name} would run over {min(over)} for each line: {advice}.", at)
            for root in self.text.roots():
                if macro.opens < root < macro.closes and self.text.path_from(root).parts[:2] == ("order", "lines"):
                    word = self.words[root]
                    raise BoundBroken(f"order.lines may not stand within {macro.name}.", word.at)

    def _counts(self, macro: Macro) -> bool:
        after = [word.text for word in self.words[macro.closes + 1 : macro.closes + 5]]
        return after == [".", "size", "(", ")"] and self.text.arguments(macro.opens) == len(("item", "condition"))

    def _check_word(self, index: int) -> None:
        word = self.words[index]
        if word.is_bytes:
            raise ExpressionInvalid('Write a text without the letter b: "…".', word.at)
        if word.kind == "number" and word.text[-1] in "uU":
            raise ExpressionInvalid("Write whole numbers without the letter u.", word.at)
        if self.text.is_text(index, ".") and not self.text.ends_value(index - 1):
            raise ExpressionInvalid("Nothing stands before this dot.", word.at)
        if word.kind == "name":
            self._check_name(index)

    def _check_name(self, index: int) -> None:
        word = self.words[index]
        selected = self.text.is_text(index - 1, ".")
        if self.text.is_text(index + 1, "{"):
            raise ExpressionInvalid("A { cannot follow a name.", self.words[index + 1].at)
        if word.text.startswith("__") and not selected:
            raise ExpressionInvalid("Names that begin with two underscores are reserved.", word.at)
        if not selected and word.text in _OTHER_LANGUAGES and (self.text.ends_value(index - 1) or word.text[0] in "nN"):
            raise ExpressionInvalid(f"Write {_OTHER_LANGUAGES[word.text]} rather than {word.text}.", word.at)
        known = (*METHODS, *MACROS) if selected else FUNCTIONS
        if self.text.calls(index) and word.text not in known and word.text not in WORDS:
            raise ExpressionInvalid(
                f"There is no function {word.text}. There are: {', '.join(sorted(known))}.", word.at
            )
        if selected and word.text == "matches" and self.text.calls(index):
            self._check_pattern(index + 1)

    def _check_pattern(self, opens: int) -> None:
        """Patterns are written out and short, and repeat nothing by number: then compiling one is cheap."""
        word = self.words[opens + 1]
        if word.kind != "string" or self.pairs[opens] != opens + 2:
            raise BoundBroken('matches needs a pattern that is written out: matches("^A-[0-9]+$").', word.at)
        pattern = literal(word)
        if len(pattern) > PATTERN_MAX or "{" in pattern or len(_CLASSES.findall(pattern)) > CLASSES_MAX:
            bounds = f"at most {PATTERN_MAX} characters and {CLASSES_MAX} classes such as \\w, and no {{…}}"
            raise BoundBroken(f"A pattern has {bounds}.", word.at)
