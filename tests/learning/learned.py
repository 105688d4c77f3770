"""Letting features follow the orders of a shop, and looking at what became of them."""

from typing import Any
from uuid import UUID

from psycopg.rows import dict_row, tuple_row

from loyalty.db.session import Session, reading, transaction
from loyalty.features.domain import Features
from loyalty.features.queries import features_of
from loyalty.learning.following import follow_program
from loyalty.learning.rebuilding import rebuild_page
from loyalty.members.queries import member_id_of
from tests.api import Api
from tests.events.following import all_are_visible

# Every row, to the byte.
_ROWS = {
    "member_features": "SELECT f::text FROM member_features f WHERE f.program_id = %s",
    "goods_features": """
        SELECT f::text FROM goods_features f JOIN members m ON m.member_id = f.member_id WHERE m.program_id = %s""",
    "learned_orders": """
        SELECT f::text FROM learned_orders f JOIN members m ON m.member_id = f.member_id WHERE m.program_id = %s""",
}


def learned(api: Api, *, limit: int = 1_000) -> None:
    """Learn from all that has happened in a shop so far."""
    with api.app.app_context():
        all_are_visible(api.program.program_id)
        done = 1
        while done:
            with transaction() as session:
                done = follow_program(session, api.program.program_id, limit=limit)


def rows(api: Api) -> dict[str, list[str]]:
    """All that is known of the members of a shop, row by row."""
    with api.app.app_context(), reading() as session:
        return {
            table: sorted(row[0] for row in session.rows(sql, (api.program.program_id,), into=tuple_row))
            for table, sql in _ROWS.items()
        }


def rebuilt(api: Api, *, check: bool = False, limit: int = 50) -> int:
    """Build the features of a shop anew; answers how many rows were wrong."""
    wrong, last, program_id = 0, None, api.program.program_id
    with api.app.app_context():
        while True:
            with transaction() as session:
                page = rebuild_page(session, program_id, last, check=check, limit=limit)
            if page is None:
                return wrong
            wrong, last = wrong + page.wrong, page.last


def forgotten(api: Api) -> None:
    """Forget all that was learned in a shop."""
    with api.app.app_context(), transaction() as session:
        for table in ("goods_features", "learned_orders", "member_features"):
            session.run(
                f"DELETE FROM {table} f USING members m WHERE m.member_id = f.member_id AND m.program_id = %s",
                (api.program.program_id,),
            )


def features(api: Api, customer_id: str = "c-42", *, skus: tuple[str, ...] = ()) -> Features:
    """What is known of a member."""
    with api.app.app_context(), reading() as session:
        member_id = member_of(session, api, customer_id)
        return features_of(session, [member_id], skus=skus)[member_id]


def member_of(session: Session, api: Api, customer_id: str) -> UUID:
    """The id of a member."""
    return member_id_of(session, api.program.program_id, customer_id)


def place(api: Api) -> dict[str, Any] | None:
    """How far the log of a shop was followed."""
    with api.app.app_context(), reading() as session:
        return session.row(
            "SELECT xid, seq FROM followers WHERE name = 'features' AND program_id = %s",
            (api.program.program_id,), into=dict_row,
        )  # fmt: skip


def assert_as_rebuilt(api: Api) -> None:
    """What was learned bit by bit is what all orders say at once, to the byte."""
    assert rebuilt(api, check=True) == 0
    before = rows(api)
    forgotten(api)
    rebuilt(api)
    assert rows(api) == before
