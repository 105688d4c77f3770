"""Every new row and every changed row of a use case, of every table, in one statement.

Decisions produce rows; this module writes them. The statement is a chain of common table expressions, one per table,
so the database sees one round trip and one plan. Foreign keys are checked at the end of the statement, hence the
order of tables does not matter.

Few rows are sent as plain parameters, many as one JSON document per table (`jsonb_to_recordset`): measured here,
parameters cost a third less for one order, and the document a tenth of what arrays cost for five hundred.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count, islice
from typing import Any, Literal, cast

import orjson
from psycopg.rows import scalar_row
from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSON, JSONB, TIMESTAMP

from loyalty.db.base import Base
from loyalty.db.session import Session

# Above this many rows of one table the document is cheaper than parameters (and statements stay few and short).
PARAMETER_ROWS_MAX = 6

Row = Mapping[str, Any]
Verb = Literal["insert", "update", "increase", "delete"]
# What a statement does with one table: the verb, the table, its columns, and how many rows (0: a document of them).
Shape = tuple[Verb, type[Base], tuple[str, ...], int]


@dataclass(slots=True)
class Changes:
    """Rows, by what is to be done with them and by table. Rows of one table have the same columns.

    A statement sees each table as it was: it cannot insert a row and change it, too.
    """

    rows: dict[tuple[Verb, type[Base]], list[Row]] = field(default_factory=dict)

    def insert(self, model: type[Base], *rows: Row) -> None:
        """Add new rows of a table."""
        self._keep("insert", model, rows)

    def update(self, model: type[Base], *rows: Row) -> None:
        """Change rows of a table: each row carries its primary key and the new values of the other columns given."""
        self._keep("update", model, rows)

    def keep(self, model: type[Base], row: Row, *, is_new: bool) -> None:
        """Insert a row that is new, update one that is not."""
        self._keep("insert" if is_new else "update", model, [row])

    def increase(self, model: type[Base], *rows: Row) -> None:
        """Add the numbers given to those of the row with the same primary key, or begin with them.

        An instant stays where it is unless the one given is later.
        """
        self._keep("increase", model, rows)

    def delete_until(self, model: type[Base], *rows: Row) -> None:
        """Delete rows of a table: those whose columns equal the ones given, the last of which may be less."""
        self._keep("delete", model, rows)

    def add(self, other: "Changes") -> None:
        """Take over the rows of `other`."""
        for (verb, model), rows in other.rows.items():
            self._keep(verb, model, rows)

    def _keep(self, verb: Verb, model: type[Base], rows: Sequence[Row]) -> None:
        if rows:
            self.rows.setdefault((verb, model), []).extend(rows)


def write(session: Session, changes: Changes) -> None:
    """Write all changes in one statement. Nothing to write, no statement.

    A row to update that is not there is a bug, and raises AssertionError: the caller's lock was not what it thought.
    """
    shapes: list[Shape] = []
    parameters: list[Any] = []
    expected = 0
    for (verb, model), rows in changes.rows.items():
        columns = tuple(rows[0])
        many = len(rows) > PARAMETER_ROWS_MAX
        shapes.append((verb, model, columns, 0 if many else len(rows)))
        parameters.extend(_document(rows) if many else _values(model, columns, rows))
        expected += len(rows) if verb == "update" else 0
    if not shapes:
        return
    touched = session.numbered_row(_statement(tuple(shapes)), parameters, into=scalar_row)
    assert touched == expected, f"{expected} rows were to be updated, {touched} were there"


def _document(rows: Sequence[Row]) -> list[str]:
    return [orjson.dumps(rows).decode()]


def _values(model: type[Base], columns: tuple[str, ...], rows: Sequence[Row]) -> list[Any]:
    documents = _json_columns(model)
    return [
        orjson.dumps(row[name]).decode() if name in documents and row[name] is not None else row[name]
        for row in rows
        for name in columns
    ]


@lru_cache(maxsize=256)
def _json_columns(model: type[Base]) -> frozenset[str]:
    return frozenset(c.name for c in _table(model).columns if isinstance(c.type, JSON | JSONB))


def _table(model: type[Base]) -> Table:
    return cast(Table, model.__table__)


@lru_cache(maxsize=1024)
def _statement(shapes: tuple[Shape, ...]) -> str:
    parts, counts = [], []
    placeholders = (f"${n}" for n in count(1))
    for number, (verb, model, columns, rows) in enumerate(shapes):
        table = _table(model)
        if verb == "update":
            parts.append(f"w{number} AS ({_update(table, columns, rows, placeholders)} RETURNING 1)")
            counts.append(f"(SELECT count(*) FROM w{number})")
        elif verb == "delete":
            parts.append(f"w{number} AS ({_delete(table, columns, rows, placeholders)})")
        else:
            otherwise = _increased(table, columns) if verb == "increase" else ""
            parts.append(f"w{number} AS ({_insert(table, columns, rows, placeholders)}{otherwise})")
    return f"WITH {', '.join(parts)} SELECT {' + '.join(counts) or '0'}"


def _type(column: Column[Any]) -> str:
    return column.type.compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]


def _recordset(table: Table, columns: tuple[str, ...], placeholders: Iterator[str]) -> str:
    typed = ", ".join(f"{name} {_type(table.columns[name])}" for name in columns)
    return f"jsonb_to_recordset({next(placeholders)}::jsonb) AS r({typed})"


def _insert(table: Table, columns: tuple[str, ...], rows: int, placeholders: Iterator[str]) -> str:
    names = ", ".join(columns)
    if rows:
        one_by_one = (f"({', '.join(islice(placeholders, len(columns)))})" for _ in range(rows))
        return f"INSERT INTO {table.name} AS t ({names}) VALUES {', '.join(one_by_one)}"
    return f"INSERT INTO {table.name} AS t ({names}) SELECT {names} FROM {_recordset(table, columns, placeholders)}"


def _increased(table: Table, columns: tuple[str, ...]) -> str:
    key = [c.name for c in table.primary_key.columns]
    latest = {c.name for c in table.columns if isinstance(c.type, TIMESTAMP)}
    sums = ", ".join(
        f"{name} = greatest(t.{name}, excluded.{name})" if name in latest else f"{name} = t.{name} + excluded.{name}"
        for name in columns
        if name not in key
    )
    return f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {sums}"


def _update(table: Table, columns: tuple[str, ...], rows: int, placeholders: Iterator[str]) -> str:
    key = [c.name for c in table.primary_key.columns]
    changed = ", ".join(f"{name} = r.{name}" for name in columns if name not in key)
    same = " AND ".join(f"t.{name} = r.{name}" for name in key)
    return f"UPDATE {table.name} AS t SET {changed} FROM {_typed(table, columns, rows, placeholders)} WHERE {same}"


def _delete(table: Table, columns: tuple[str, ...], rows: int, placeholders: Iterator[str]) -> str:
    *same, last = columns
    where = " AND ".join([*(f"t.{name} = r.{name}" for name in same), f"t.{last} <= r.{last}"])
    return f"DELETE FROM {table.name} AS t USING {_typed(table, columns, rows, placeholders)} WHERE {where}"


def _typed(table: Table, columns: tuple[str, ...], rows: int, placeholders: Iterator[str]) -> str:
    if not rows:
        return _recordset(table, columns, placeholders)
    types = [_type(table.columns[name]) for name in columns]
    one_by_one = (f"({', '.join(f'{next(placeholders)}::{t}' for t in types)})" for _ in range(rows))
    return f"(VALUES {', '.join(one_by_one)}) AS r({', '.join(columns)})"
