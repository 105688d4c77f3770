"""Saying what features know of members, without an order that taught them."""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count as counting
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import scalar_row

from loyalty.db.session import Session, transaction
from loyalty.features.decay import PACE, weight
from loyalty.features.domain import Cuts
from loyalty.learning import segmenting
from tests.api import Api
from tests.builders import NOW
from tests.events.following import all_are_visible
from tests.shop import at, buy

A_DAY = timedelta(days=1)
_numbers = counting(1)

_MEMBER = "SELECT member_id FROM members WHERE program_id = %s AND customer_id = %s"
_LEARN = """
INSERT INTO member_features (member_id, program_id, orders, spend, gross, weight, visits, worth, first_at, last_at,
    redeemed, redeemed_weight)
VALUES (%(member_id)s, %(program_id)s, %(orders)s, %(spend)s, %(gross)s, %(visits)s, %(visits)s, %(worth)s,
    %(first_at)s, %(last_at)s, %(redeemed)s, %(redeemed)s)
ON CONFLICT (member_id) DO UPDATE SET orders = excluded.orders, spend = excluded.spend, gross = excluded.gross,
    visits = excluded.visits, worth = excluded.worth, first_at = excluded.first_at, last_at = excluded.last_at,
    redeemed = excluded.redeemed
"""
_FOLLOWED = """
INSERT INTO followers (name, program_id, xid, seq)
SELECT %(name)s, program_id, xid, seq FROM events WHERE program_id = %(program_id)s ORDER BY xid DESC, seq DESC LIMIT 1
ON CONFLICT (name, program_id) DO UPDATE SET xid = excluded.xid, seq = excluded.seq
"""
_CUTS = """
INSERT INTO feature_statistics (program_id, version, as_of, started_at, stage, finished_at, cuts)
SELECT %(program_id)s, coalesce(max(version), 0) + 1, %(now)s, %(now)s, 'done', %(now)s, %(cuts)s
FROM feature_statistics WHERE program_id = %(program_id)s
"""


def member_id_of(session: Session, api: Api, customer_id: str = "c-42") -> UUID:
    """The id of a member."""
    (found,) = session.rows(_MEMBER, (api.program.program_id, customer_id), into=scalar_row)
    return found


def bought(api: Api, *days_ago: float, customer_id: str = "c-42", cents: int = 10_000, **more: Any) -> None:
    """A member has placed an order so many days before NOW, for each, and features know of it."""
    for days in days_ago:
        buy(
            api,
            f"{customer_id}-{days}-{next(_numbers)}",
            amount=cents,
            customer_id=customer_id,
            placed_at=at(NOW - days * A_DAY),
        )
    learnt(api, *days_ago, customer_id=customer_id, cents=cents, **more)


def learnt(api: Api, *days_ago: float, customer_id: str = "c-42", cents: int = 10_000, **more: Any) -> None:
    """Features know of orders so many days before NOW."""
    placed = sorted(NOW - days * A_DAY for days in days_ago)
    visits = sum((weight(at, PACE) for at in placed), Decimal(0))
    with api.app.app_context(), transaction() as session:
        row = {
            "member_id": member_id_of(session, api, customer_id), "program_id": api.program.program_id,
            "orders": len(placed), "spend": cents * len(placed), "gross": cents * len(placed), "visits": visits,
            "worth": visits * cents, "first_at": placed[0], "last_at": placed[-1], "redeemed": 0, **more,
        }  # fmt: skip
        session.run(_LEARN, row)


def count(api: Api, cuts: Cuts | None, now: datetime = NOW) -> None:
    """The nightly count of the program is finished, with these cut points."""
    document = None if cuts is None else orjson.dumps(cuts.document()).decode()
    with api.app.app_context(), transaction() as session:
        session.run(_CUTS, {"program_id": api.program.program_id, "now": now, "cuts": document})


def features_follow(api: Api) -> None:
    """Features know of everything that has happened."""
    with api.app.app_context(), transaction() as session:
        session.run(_FOLLOWED, {"name": segmenting.FEATURES, "program_id": api.program.program_id})


def sweep(api: Api, now: datetime = NOW, **given: Any) -> list[int]:
    """Look at all members of the program, if that is due; answers how much each batch did."""
    with api.app.app_context(), transaction() as session:
        session.run(segmenting._NEW)
    done = []
    while not done or done[-1]:
        with api.app.app_context(), transaction() as session:
            done.append(segmenting.sweep_program(session, api.program.program_id, now=now, **given))
    return done[:-1]


def follow(api: Api, now: datetime = NOW, **given: Any) -> int:
    """Look at the members of what has happened since."""
    with api.app.app_context():
        all_are_visible(api.program.program_id)
    with api.app.app_context(), transaction() as session:
        return segmenting.follow_program(session, api.program.program_id, now=now, **given)


def in_segments(api: Api, customer_id: str = "c-42") -> set[str]:
    """Where the lists have a member."""
    found = api.get("/v1/admin/segments").json["data"]
    return {each["code"] for each in found if customer_id in members(api, each["code"])}


def members(api: Api, code: str) -> list[str]:
    """The members that the list of a segment names, page by page."""
    found, after = [], ""
    while True:
        page = api.get(f"/v1/admin/segments/{code}/members?limit=2{after}").json
        found += [each["customer_id"] for each in page["data"]]
        if page["next"] is None:
            return found
        after = f"&after={page['next']}"


def sizes(api: Api) -> dict[str, int]:
    """How many members the segments say they have, without the empty ones."""
    return {each["code"]: each["size"] for each in api.get("/v1/admin/segments").json["data"] if each["size"]}
