"""What a check says of a draft before it is published: what cannot be right, and what is probably not meant. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a draft, and where. An error keeps it from being published."""

    level: Literal["error", "warning"]
    code: str
    pointer: str
    detail: str


def error(code: str, detail: str, *place: object) -> Finding:
    """What keeps a draft from being published."""
    return Finding("error", code, pointer(place), detail)


def warning(code: str, detail: str, *place: object) -> Finding:
    """What is probably not meant."""
    return Finding("warning", code, pointer(place), detail)


def pointer(place: Sequence[object]) -> str:
    """The steps into a draft as a JSON pointer. The names of its fields need no escaping."""
    return "".join(f"/{step}" for step in place)


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: `'a', 'b' and 3 more`."""
    shown = ", ".join(f"'{name}'" for name in names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"  # noqa: PLR2004 (as many as are shown)


def meant(name: str, known: Collection[str]) -> str:
    """A sentence that names the known name that is most like this one, after a space; nothing if none is."""
    close = get_close_matches(name, sorted(known), n=1)
    return f" Did you mean '{close[0]}'?" if close else ""
