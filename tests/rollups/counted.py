"""Letting rollups follow what happens in a shop, and asking them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from psycopg.rows import tuple_row
from pyroaring import BitMap

from loyalty.db.session import reading, transaction
from loyalty.rollups.domain import Rollups
from loyalty.rollups.following import follow_program
from loyalty.rollups.reading import rollups
from tests.api import Api
from tests.builders import NOW
from tests.events.following import all_are_visible

SUMS = """
SELECT measure, unit, dimension, key, day, amount FROM rollup_sums
WHERE program_id = %s AND generation = %s AND amount <> 0
"""
SETS = """
SELECT name, dimension, key, span, starts, size, members FROM rollup_sets WHERE program_id = %s AND generation = %s
"""
_CURSORS = "SELECT number, seq, tier FROM rollup_cursors WHERE program_id = %s AND generation = %s"
_RETURNED = "SELECT order_id, lines::text FROM rollup_returns WHERE program_id = %s AND generation = %s"

Cell = tuple[str, str, str, str, date]


def counted(api: Api, *, limit: int = 2_000) -> int:
    """Count all that has happened in a shop so far; answers in how many pages."""
    pages = 0
    with api.app.app_context():
        all_are_visible(api.program.program_id)
        while count_page(api, limit=limit):
            pages += 1
    return pages


def count_page(api: Api, *, limit: int = 2_000) -> int:
    """Count the next page of what has happened; answers how much that was."""
    with api.app.app_context(), transaction() as session:
        return follow_program(session, api.program.program_id, limit=limit)


@contextmanager
def asking(api: Api) -> Iterator[Rollups]:
    """What was counted of a shop, to be asked."""
    with api.app.app_context():
        all_are_visible(api.program.program_id)
        with reading() as session:
            yield rollups(session, api.program.program_id, now=NOW)


def kept(api: Api, generation: int = 1) -> dict[str, Any]:
    """All rows of a generation, in their order."""
    where = (api.program.program_id, generation)
    with api.app.app_context(), reading() as session:
        sets = {row[:5]: (row[5], BitMap.deserialize(row[6])) for row in session.rows(SETS, where, into=tuple_row)}
        return {
            "sums": {row[:5]: row[5] for row in session.rows(SUMS, where, into=tuple_row)},
            "sets": {at: (size, members.to_array().tolist()) for at, (size, members) in sets.items()},
            "cursors": sorted(session.rows(_CURSORS, where, into=tuple_row)),
            "returned": sorted(session.rows(_RETURNED, where, into=tuple_row)),
        }


def sums_of(api: Api, *measures: str) -> dict[tuple[str, ...], int]:
    """Sums of some measures over all days, by measure, dimension and key; what is only in all by measure."""
    found: dict[tuple[str, ...], int] = {}
    for (measure, _, dimension, key, _), amount in kept(api)["sums"].items():
        if measure in measures:
            at = (measure,) if dimension == "all" else (measure, dimension, key)
            found[at] = found.get(at, 0) + amount
    return {at: amount for at, amount in found.items() if amount}
