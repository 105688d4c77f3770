"""Free documents, as CEL can take them: deep nesting would end the process, odd values would fail the whole order."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

# The fields of variables that hold what callers like.
FREE_FIELDS = frozenset({"metadata", "attributes", "properties"})
# CEL copies values recursively, on the stack.
DEPTH_MAX = 10
# What an explanation shows of a long list.
SHOWN_MAX = 20

_INT64 = 1 << 63


def cleaned(value: Any, depth: int = 0) -> Any:
    """The value with what CEL cannot take made null (too deep, not a number) or a text (of no known type)."""
    if isinstance(value, Mapping):
        whole = (
            {_text(str(name)): cleaned(part, depth + 1) for name, part in value.items()} if depth < DEPTH_MAX else None
        )
        return whole
    if isinstance(value, list | tuple | set | frozenset):
        return [cleaned(part, depth + 1) for part in value] if depth < DEPTH_MAX else None
    if isinstance(value, int | float):
        return value if isinstance(value, bool) else _number(value)
    if value is None or isinstance(value, datetime | timedelta):
        return value
    return _text(str(value))


def plain(value: Any) -> Any:
    """The value as JSON has it, for an explanation."""
    if isinstance(value, Mapping):
        shown = {str(name): plain(part) for name, part in islice(value.items(), SHOWN_MAX)}
        return {**shown, "…": f"{len(value) - SHOWN_MAX} more"} if len(value) > SHOWN_MAX else shown
    if isinstance(value, list | tuple):
        entries = [plain(part) for part in value[:SHOWN_MAX]]
        return [*entries, f"… {len(value) - SHOWN_MAX} more"] if len(value) > SHOWN_MAX else entries
    if isinstance(value, datetime):
        return value.isoformat()
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _number(value: float) -> float | None:
    """Whole numbers beyond 64 bits as the nearest double, as JSON readers elsewhere take them."""
    if isinstance(value, int) and -_INT64 <= value < _INT64:
        return value
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _text(value: str) -> str:
    """Without halves of characters, which are no text anywhere but in Python."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode()
