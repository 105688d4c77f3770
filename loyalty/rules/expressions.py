"""Conditions: compiled once, asked often. Whatever goes wrong is one of two exceptions with a plain sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import cel

from loyalty.rules.documents import FREE_FIELDS, cleaned, plain
from loyalty.rules.errors import ExpressionInvalid, NotACondition, Unanswerable
from loyalty.rules.failures import compile_failure, is_answerable, run_failure
from loyalty.rules.structure import Path
from loyalty.rules.syntax import read

__all__ = ["Condition", "Environment", "ExpressionInvalid", "Unanswerable", "condition"]

# As many as programs with hundreds of rules name; one takes a few kilobytes.
CONDITIONS_KEPT = 4_096
# CEL's map copies what it has so far at each step, so long lists are mapped in slices.
SLICE = 32
# The variables that hold the slices; nobody may write them.
LINES = "__lines"


class Environment:
    """The values that the conditions of one order may name. Belongs to one thread; costs nothing before it is used."""

    __slots__ = ("_context", "_has_lines", "lines", "variables")

    def __init__(self, variables: Mapping[str, Any], lines: Sequence[Mapping[str, Any]] = ()) -> None:
        self.variables = variables
        self.lines = lines
        self._context: cel.Context | None = None
        self._has_lines = False

    @property
    def slices(self) -> int:
        """How many slices the lines make."""
        return -(-len(self.lines) // SLICE)

    def context(self, *, with_lines: bool = False) -> cel.Context:
        """The values as CEL takes them, handed over at once: each one that came later would cost as much as all."""
        if self._context is None:
            self._context = _context({name: _safe(value) for name, value in self.variables.items()}, None)
        if with_lines and not self._has_lines:
            slices = {f"{LINES}{n}": [*self.lines[n * SLICE : (n + 1) * SLICE]] for n in range(self.slices)}
            self._context = _context(slices, self._context)
            self._has_lines = True
        return self._context

    def values(self, line: int | None) -> dict[str, Any]:
        """The variables, with one of the lines."""
        return {**self.variables} if line is None else {**self.variables, "line": self.lines[line]}


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition, ready to be asked. Threads may share it."""

    source: str
    roots: frozenset[str] = field(compare=False)
    paths: frozenset[tuple[str, ...]] = field(compare=False)
    of_lines: bool = field(compare=False)
    named: tuple[Path, ...] = field(compare=False, repr=False)
    runs: str = field(compare=False, repr=False)
    _one: cel.Program = field(compare=False, repr=False)

    def holds(self, environment: Environment) -> bool:
        """Whether it is true of the values. Refuses: Unanswerable."""
        return self._answer(environment.context(), environment.variables)

    def holds_for_lines(self, environment: Environment) -> list[bool]:
        """Whether it is true, line by line. Refuses: Unanswerable, which names the line."""
        if not environment.lines:
            return []
        if not self.of_lines:
            return [self.holds(environment)] * len(environment.lines)
        context = environment.context(with_lines=True)
        try:
            return [answer for index in range(environment.slices) for answer in _of_slice(self, index).execute(context)]
        except BaseException as failure:
            if is_answerable(failure):
                return self._line_by_line(environment)
            raise

    def seen(self, environment: Environment, line: int | None = None) -> dict[str, Any]:
        """The values of its paths, by the path as written; None for what is missing. Long lists are cut."""
        values = environment.values(line)
        return {path.text: plain(cleaned(_value(path.parts, values))) for path in self.named}

    def _line_by_line(self, environment: Environment) -> list[bool]:
        answers = []
        for index, line in enumerate(environment.lines):
            values = environment.values(index)
            try:
                named = {name: _safe(values[name]) for name in self.roots if name in values}
                answers.append(self._answer(_context(named, None), values))
            except Unanswerable as failure:
                name = line.get("line_id", index + 1)
                raise type(failure)(f"Line {name}: {failure.detail}") from failure.__cause__
        return answers

    def _answer(self, context: cel.Context, values: Mapping[str, Any]) -> bool:
        try:
            return bool(self._one.execute(context))
        except BaseException as failure:
            if is_answerable(failure):
                raise self._why_not(failure, context, values) from failure
            raise

    def _why_not(self, failure: BaseException, context: cel.Context, values: Mapping[str, Any]) -> Unanswerable:
        if isinstance(failure, TypeError) and (kind := self._kind(context)) not in {None, "bool"}:
            return NotACondition(f"It gives a value ({kind}) rather than true or false.")
        return Unanswerable(run_failure(failure, self.named, values))

    def _kind(self, context: cel.Context) -> str | None:
        """What the text gives, where it gives anything; asked only once it has failed."""
        try:
            return str(_compiled(f"type({self.runs})").execute(context))
        except BaseException as failure:
            if is_answerable(failure):
                return None
            raise


@lru_cache(maxsize=CONDITIONS_KEPT)
def condition(source: str) -> Condition:
    """The condition that a text writes. Refuses: ExpressionInvalid."""
    reading = read(source)
    _compiled(source)
    paths, runs = reading.paths, f"({reading.runs}\n)"
    return Condition(
        source=source,
        roots=frozenset(path.parts[0] for path in paths),
        paths=frozenset(path.parts for path in paths),
        of_lines=any(path.parts[0] == "line" for path in paths),
        named=paths,
        runs=runs,
        _one=_compiled(_truth(runs)),
    )


def _truth(runs: str) -> str:
    """Anything but a truth fails, rather than being handed over as, say, a list of a thousand lines."""
    return f"{runs} ? true : false"


@lru_cache(maxsize=CONDITIONS_KEPT)
def _of_slice(asked: Condition, index: int) -> cel.Program:
    return _compiled(f"{LINES}{index}.map(line, {_truth(asked.runs)})")


def _compiled(source: str) -> cel.Program:
    try:
        return cel.compile(source)
    except BaseException as failure:
        if is_answerable(failure):
            raise compile_failure(source, failure) from failure
        raise


def _context(values: Mapping[str, Any], context: cel.Context | None) -> cel.Context:
    """A context with more values."""
    context = context or cel.Context()
    try:
        context.update(dict(values))
    except ValueError:  # a value that CEL does not know
        context.update(cleaned(dict(values)))
    return context


def _safe(value: Any) -> Any:
    """A variable whose free documents are such that CEL takes them."""
    if not isinstance(value, Mapping) or value.keys().isdisjoint(FREE_FIELDS):
        return value
    return {name: cleaned(part) if name in FREE_FIELDS else part for name, part in value.items()}


def _value(parts: tuple[str, ...], values: Any) -> Any:
    for part in parts:
        if not isinstance(values, Mapping) or part not in values:
            return None
        values = values[part]
    return values
