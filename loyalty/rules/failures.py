"""What went wrong in CEL, in words for the person who wrote the condition: never the library's own."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from loyalty.rules.errors import ExpressionInvalid
from loyalty.rules.structure import Path

_ANSWERED = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError)
_PLACE = re.compile(r"<input>:(\d+):(\d+): (.*)")
_FUNCTION = re.compile(r"^Function '(\w+)' error")
MISMATCH = "It compares or combines values of different types, or asks a value for something it does not have."
_UNKNOWN = "It cannot be worked out."
_SENTENCES = (
    (ZeroDivisionError, "It divides by zero."),
    (ArithmeticError, "A number or an instant becomes too large."),
    (IndexError, "A list has fewer entries than the condition asks for."),
)
_LITERALS = {
    "timestamp": 'Write an instant as timestamp("2026-03-01T00:00:00Z").',
    "duration": 'Write a duration as duration("36h"), with h, m or s.',
    "matches": "The pattern of matches is no regular expression.",
}
_UNDEFINED = re.compile(r"^Undefined variable or function: '([^']*)'")


def is_answerable(failure: BaseException) -> bool:
    """Whether CEL says that it cannot. A panic of Rust stands beside Exception, and its class cannot be imported."""
    return isinstance(failure, _ANSWERED) or type(failure).__name__ == "PanicException"


def compile_failure(source: str, failure: BaseException) -> ExpressionInvalid:
    """The refusal of a text that is not CEL."""
    place = _PLACE.search(str(failure))
    if place is None:
        return ExpressionInvalid("The condition cannot be understood.")
    line, column, said = int(place[1]), int(place[2]), place[3]
    begins = [0, *(match.end() for match in re.finditer("\n", source))]
    at = min(begins[min(line, len(begins)) - 1] + column - 1, len(source))
    return ExpressionInvalid(_complaint(source, at, said), at)


def _complaint(source: str, at: int, said: str) -> str:
    rest = source[at:].split(maxsplit=1)
    if "has()" in said:
        return "has() takes a field with its dots: has(order.metadata.gift)."
    if "literal" in said:
        return f"This number or text cannot be read: {rest[0][:20] if rest else ''}"
    if "reserved" in said:
        return f"{rest[0][:20] if rest else 'This'} is a reserved word and cannot be used as a name."
    if not rest:
        return "Something is missing at the end of the condition."
    return f"Not understood from here on: {rest[0][:20]}"


def run_failure(failure: BaseException, paths: Iterable[Path], values: Mapping[str, Any]) -> str:
    """Why a condition has no answer for these values."""
    said = str(failure)
    match failure:
        case KeyError():
            return _missing(said.strip("'\""), paths, values)
        case RuntimeError():
            return _empty(paths, values) or _misused(said)
        case TypeError():
            return _empty(paths, values) or MISMATCH
    return next((sentence for kind, sentence in _SENTENCES if isinstance(failure, kind)), _UNKNOWN)


def _missing(key: str, paths: Iterable[Path], values: Mapping[str, Any]) -> str:
    for path in paths:
        reached: Any = values
        for part, written in zip(path.parts, path.written, strict=True):
            if not isinstance(reached, Mapping):
                break
            if part not in reached:
                if part == key:
                    return f"{written} is missing."
                break
            reached = reached[part]
    return f'"{key}" is missing.'


def _empty(paths: Iterable[Path], values: Mapping[str, Any]) -> str | None:
    """The first field that is named and null: what it is asked for, null does not have."""
    for path in paths:
        reached: Any = values
        for part, written in zip(path.parts, path.written, strict=True):
            if not isinstance(reached, Mapping) or part not in reached:
                break
            reached = reached[part]
            if reached is None:
                return f"{written} has no value (null)."
    return None


def _misused(said: str) -> str:
    for name, sentence in _LITERALS.items():
        if said.startswith(f"Function '{name}'"):
            return sentence
    if function := _FUNCTION.match(said):
        return f"{function[1]} cannot use the value it is given."
    if undefined := _UNDEFINED.match(said):
        return f"{undefined[1]} is not known here, or cannot be used on this value."
    return _UNKNOWN
