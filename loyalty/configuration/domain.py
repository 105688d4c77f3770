"""Comparing two configurations."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Change:
    """One place in which two configurations differ. `path` is a JSON pointer (RFC 6901).

    Of what is removed it points into the configuration as it is, of all else into the document.
    """

    path: str
    action: Literal["add", "remove", "change"]
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a document changes, and the rewards that it leaves alone because it does not name them.

    `in_force_at`: once it was imported, when the last of it takes effect.
    """

    changes: tuple[Change, ...]
    kept: tuple[str, ...] = ()
    in_force_at: datetime | None = None

    def touches(self, path: str) -> bool:
        """Whether something at or below a path changes."""
        return any(change.path == path or change.path.startswith(f"{path}/") for change in self.changes)


def differences(before: Any, after: Any, path: str = "") -> Iterator[Change]:
    """Where two documents differ, as deep down as can be said.

    Things with a code are compared with the one of the same code, so their order does not matter.
    """
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _of_members(before, after, path)
    elif _are_coded(before) and _are_coded(after):
        yield from _of_coded(before, after, path)
    elif before != after:
        yield Change(path, "change", before, after)


def _of_members(before: dict[str, Any], after: dict[str, Any], path: str) -> Iterator[Change]:
    for name, value in after.items():
        below = f"{path}/{_escaped(name)}"
        if name in before:
            yield from differences(before[name], value, below)
        else:
            yield Change(below, "add", None, value)
    for name, value in before.items():
        if name not in after:
            yield Change(f"{path}/{_escaped(name)}", "remove", value, None)


def _of_coded(before: list[dict[str, Any]], after: list[dict[str, Any]], path: str) -> Iterator[Change]:
    known, wanted = ({item["code"]: item for item in items} for items in (before, after))
    for number, item in enumerate(after):
        if item["code"] in known:
            yield from differences(known[item["code"]], item, f"{path}/{number}")
        else:
            yield Change(f"{path}/{number}", "add", None, item)
    for number, item in enumerate(before):
        if item["code"] not in wanted:
            yield Change(f"{path}/{number}", "remove", item, None)


def _are_coded(items: Any) -> bool:
    return isinstance(items, list) and all(isinstance(item, dict) and "code" in item for item in items)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
