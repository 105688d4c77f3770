"""What conditions name of what they may see, so that no more than that is worked out for them. Pure."""

from collections.abc import Iterable

from loyalty.rules.expressions import Condition


def named_by(conditions: Iterable[Condition]) -> dict[str, frozenset[str] | None]:
    """The variables that conditions name, with the fields they name of each; None: one is named as a whole."""
    named: dict[str, frozenset[str] | None] = {}
    for root, *fields in (path for found in conditions for path in found.paths):
        known = named.get(root, frozenset())
        named[root] = known | {fields[0]} if fields and known is not None else None
    return named
