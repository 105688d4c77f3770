"""What is wrong, or may go wrong, with a condition: found before it judges anybody."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

from loyalty.rules.documents import FREE_FIELDS
from loyalty.rules.errors import BoundBroken, ExpressionInvalid, NotACondition, Unanswerable
from loyalty.rules.expressions import Condition, Environment, condition
from loyalty.rules.structure import EACH, Path
from loyalty.rules.syntax import operands, read
from loyalty.rules.vocabulary import NEVER_BOUGHT, SCALARS, SCOPES, VARIABLES, Field, values, variables

ERRORS = frozenset({"syntax", "bound", "unknown-variable", "unknown-field", "type", "not-a-condition"})
# What a free field might hold; a condition on it is right if it is right for one of them.
_FREE_VALUES: tuple[Any, ...] = ("text", 1, 1.5, True, ["text"], [1], {})
_MANY = 1_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to mend (an error) or to think about (a warning). `at` is where in the text, if known."""

    code: str
    detail: str
    at: int | None = None

    @property
    def level(self) -> str:
        """Error, with which nothing can be published, or warning."""
        return "error" if self.code in ERRORS else "warning"


def findings(source: str, scope: str) -> list[Finding]:
    """What is to be said about a condition of a scope, errors first. None: it can always be answered."""
    try:
        asked = condition(source)
    except ExpressionInvalid as refused:
        code = "bound" if isinstance(refused, BoundBroken) else "syntax"
        return [Finding(code, refused.detail, refused.position)]
    named = read(source)
    unknown = [found for path in named.paths + named.elements for found in _unknown(path, scope)]
    examples = _Examples(asked, scope)
    found = unknown or [*_mistyped(asked, examples)] or [*_missing(asked, scope, examples), *_constant(asked)]
    return list(dict.fromkeys(found))


def _unknown(path: Path, scope: str) -> Iterator[Finding]:
    """A path that leads nowhere."""
    name = path.parts[0]
    field = variables(scope).get(name)
    if field is None:
        yield Finding("unknown-variable", _no_variable(name, scope))
        return
    parts = list(zip(path.parts, path.written, strict=True))
    for (_, reached), (part, _) in pairwise(parts):
        if field.kind == "free":
            return
        below = _below(field, part, scope)
        if below is None:
            yield Finding("unknown-field", _no_field(field, reached, part, scope))
            return
        field = below


def _below(field: Field, part: str, scope: str) -> Field | None:
    """What stands behind a field: an entry of a list or map, or a field of an object."""
    if field.kind == "map":
        return Field(part, "string", "") if part == EACH else Field(part, "object", "", fields=field.fields)
    if field.kind == "list":
        entry = Field(part, "object", "", fields=field.fields) if field.fields else Field(part, "string", "")
        return entry if part == EACH else None
    below = field.field(part)
    return below if below is not None and scope in below.scopes else None


def _no_variable(name: str, scope: str) -> str:
    elsewhere = next((field for field in VARIABLES if field.name == name), None)
    if elsewhere is not None:
        uses = " ".join(SCOPES[other] for other in elsewhere.scopes)
        return f"{name} cannot be named here. It is there for: {uses}"
    return f"There is no {name}.{_meant(name, list(variables(scope)))}"


def _no_field(field: Field, reached: str, part: str, scope: str) -> str:
    if field.kind in SCALARS:
        return f"{reached} is a plain value ({field.kind}) and has no {part}."
    if field.kind == "list":
        return f"{reached} is a list and has no {part}. Ask whether one of it has: {reached}.exists(item, …)."
    known = [below.name for below in field.fields if scope in below.scopes]
    if field.field(part) is not None:
        return f"{reached}.{part} cannot be named here, only in conditions on whole orders."
    return f"{reached} has no {part}.{_meant(part, known)}"


def _meant(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f" Did you mean {close[0]}?" if close else f" There are: {', '.join(known)}."


def _mistyped(asked: Condition, examples: "_Examples") -> Iterator[Finding]:
    """What fails though all is there. Each operand of && and || by itself: one may hide the other's failure."""
    for source in dict.fromkeys([*operands(asked.source), asked.source]):
        failures = examples.failures(condition(source), known=True)
        if any(failure is None or _may_happen(failure) for failure in failures):
            continue
        if isinstance(failures[0], NotACondition):
            where = "" if source == asked.source else f" ({source})"
            yield Finding("not-a-condition", f"{failures[0]}{where} Compare it with something.")
        else:
            yield Finding("type", f"{source}: {failures[0]}")
        return


def _may_happen(failure: Unanswerable) -> bool:
    """Whether it depends on the values rather than their types."""
    return isinstance(failure.__cause__, ArithmeticError | IndexError | KeyError)


def _missing(asked: Condition, scope: str, examples: "_Examples") -> Iterator[Finding]:
    """What fails where something optional is null or missing, where there is nothing yet, or much of it."""
    parts = dict.fromkeys(operands(asked.source))
    for source in dict.fromkeys([*parts, asked.source]):
        part = condition(source)
        if source != asked.source and _is_guarded(part, parts):
            continue
        for known, number in ((False, None), (False, 0), (True, 0), (False, _MANY), (True, None)):
            failures = examples.failures(part, known=known, number=number)
            if all(failures):
                yield Finding("missing-value", _advice(str(failures[0]), source, scope))
                return


def _is_guarded(part: Condition, parts: Iterable[str]) -> bool:
    """Whether another operand asks of the same fields: then the condition as a whole says whether that helps."""
    return any(part.paths & condition(source).paths for source in parts if source != part.source)


def _advice(failed: str, source: str, scope: str) -> str:
    reading = read(source)
    for path in (*reading.paths, *reading.elements):
        rest = "…" if operands(source) or path in reading.elements else source
        field = _field(path, scope)
        if field is None:
            return f"{failed} Not every one has it. Ask first: has({path.text}) && {rest}"
        if field.optional:
            return f"{path.text} may have no value (null). Ask first: {path.text} != null && {rest}"
        if field.kind == "map":
            return f"{failed} Ask first whether it is there: … in {path.text} && {rest}"
    return f"{failed} The rule does not apply then."


def _field(path: Path, scope: str) -> Field | None:
    """The field that a path leads to; None within what the shop sent."""
    field = variables(scope)[path.parts[0]]
    for name in path.parts[1:]:
        below = None if field.kind == "free" else _below(field, name, scope)
        if below is None:
            return None
        field = below
    return field


def _constant(asked: Condition) -> Iterator[Finding]:
    """What has an answer without knowing anything."""
    try:
        answer = asked.holds(Environment({}))
    except Unanswerable:
        return
    yield Finding("constant", f"It is always {str(answer).lower()}, whatever the order.")


def _is_free(parts: tuple[str, ...]) -> bool:
    return len(parts) > 1 and parts[1] in FREE_FIELDS


class _Examples:
    """Values to try a condition and its operands with, made once each."""

    def __init__(self, asked: Condition, scope: str) -> None:
        self.asked = asked
        self.scope = scope
        self.frees = _FREE_VALUES if any(_is_free(path) for path in asked.paths) else _FREE_VALUES[:1]
        self.made: dict[tuple[bool, int | None], list[Environment]] = {}

    def failures(self, part: Condition, *, known: bool, number: int | None = None) -> list[Unanswerable | None]:
        """Why a part has no answer, or None where it has one, for each of what free fields might hold."""
        if known and sum(_is_free(path) for path in part.paths) > 1:
            return [None]  # each may be meant to be of another type
        if (known, number) not in self.made:
            self.made[known, number] = [self._environment(free, known=known, number=number) for free in self.frees]
        return [_failure(part, environment) for environment in self.made[known, number]]

    def _environment(self, free: Any, *, known: bool, number: int | None) -> Environment:
        fields = variables(self.scope)
        examples = {name: values(field, self.scope, known=known, number=number) for name, field in fields.items()}
        for path in self.asked.named:
            _add(examples, path.parts, known=known, free=free)
        line = examples.pop("line", None)
        return Environment(examples, [line] if line else [])


def _failure(part: Condition, environment: Environment) -> Unanswerable | None:
    try:
        part.holds_for_lines(environment) if part.of_lines else part.holds(environment)
    except Unanswerable as failure:
        failure.args = (failure.detail.removeprefix("Line 1: "),)
        return failure
    return None


def _add(examples: dict[str, Any], parts: tuple[str, ...], *, known: bool, free: Any) -> None:
    """Put in what is named: a category that is written out is always there, fields of free maps only if known."""
    if parts[:2] == ("history", "categories"):
        categories = examples["history"]["categories"]
        for name in parts[2:3]:
            categories.setdefault(name, {**NEVER_BOUGHT, "days_since_last_order": 20} if known else NEVER_BOUGHT)
    elif known and _is_free(parts):
        place = examples[parts[0]] = dict(examples[parts[0]])
        for name in parts[1:-1]:
            below = place.get(name)
            place[name] = dict(below) if isinstance(below, dict) else {}
            place = place[name]
        if len(parts) > len(("variable", "free")):
            place.setdefault(parts[-1], free)
