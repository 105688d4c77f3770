"""Values for conditions: the examples of the published context, and a member who bought coffee."""

from typing import Any

from loyalty.rules.expressions import Environment
from loyalty.rules.vocabulary import values, variables


def an_environment(*lines: dict[str, Any], scope: str = "order", **changes: dict[str, Any]) -> Environment:
    """The examples of a scope, with some fields changed, and lines."""
    known = {name: values(field, scope, known=True) for name, field in variables(scope).items() if name != "line"}
    for name, fields in changes.items():
        known[name] = {**known[name], **fields}
    return Environment(known, [a_line(**line) for line in lines])


def a_line(**changes: Any) -> dict[str, Any]:
    """The example of a line, changed."""
    return {**values(variables("line")["line"], "line", known=True), **changes}
