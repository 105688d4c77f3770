"""What conditions may name, as one document."""

from typing import Any

from loyalty.rules.documents import plain
from loyalty.rules.syntax import (
    BRANCHES_MAX,
    FUNCTIONS,
    ITEMS_MAX,
    LENGTH_MAX,
    MACROS,
    METHODS,
    NESTING_MAX,
    PATTERN_MAX,
)
from loyalty.rules.vocabulary import EXAMPLES, SCOPES, VARIABLES, Field, variables


def rule_context() -> dict[str, Any]:
    """The scopes, variables, functions and bounds of conditions. Says the same to everybody."""
    return {
        "scopes": [
            {"scope": scope, "description": description, "variables": list(variables(scope))}
            for scope, description in SCOPES.items()
        ],
        "variables": [_shown(field, field.scopes) for field in VARIABLES],
        "functions": [{"name": name, "example": how} for name, how in sorted({**FUNCTIONS, **METHODS}.items())],
        "macros": [{"name": name, "example": how} for name, how in MACROS.items()],
        "bounds": {
            "length": LENGTH_MAX,
            "nesting": NESTING_MAX,
            "list_items": ITEMS_MAX,
            "branches": BRANCHES_MAX,
            "pattern_length": PATTERN_MAX,
        },
        "examples": [{"scope": scope, "when": when, "description": says} for scope, when, says in EXAMPLES],
    }


def _shown(field: Field, above: tuple[str, ...]) -> dict[str, Any]:
    scopes = tuple(scope for scope in field.scopes if scope in above)
    return {
        "name": field.name,
        "kind": field.kind,
        "optional": field.optional,
        "description": field.description,
        "example": plain(field.example),
        "scopes": list(scopes),
        "fields": [_shown(part, scopes) for part in field.fields],
    }
