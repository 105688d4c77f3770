"""The rows of features as those read and write them who keep them up."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from psycopg.rows import tuple_row

from loyalty.db.session import Session, array_of
from loyalty.db.writer import Changes
from loyalty.features.models import GoodsFeaturesRow, MemberFeaturesRow
from loyalty.features.sums import GoodsSums, MemberSums, Of

# Rows are deleted up to a number of orders: whatever it is.
_ANY = 2**63 - 1

_SUMS = "g.orders, g.quantity, g.spend, g.weight, g.first_at, g.last_at, g.recent"
# Each by its key, however many there are: no other way would be as good.
_SOME = f"""
SELECT w.place, {_SUMS}
FROM unnest(%s::uuid[], %s::text[], %s::text[]) WITH ORDINALITY AS w (member_id, level, code, place)
CROSS JOIN LATERAL (
    SELECT * FROM goods_features f WHERE f.member_id = w.member_id AND f.level = w.level AND f.code = w.code LIMIT 1) g
"""
_ALL = f"SELECT g.member_id, g.level, g.code, {_SUMS} FROM goods_features g WHERE g.member_id = ANY(%s::uuid[])"
_MEMBERS = """
SELECT member_id, orders, spend, gross, weight, visits, worth, first_at, last_at, redeemed, redeemed_weight
FROM member_features WHERE member_id = ANY(%s::uuid[])
"""


def some_goods(session: Session, wanted: Mapping[UUID, Collection[Of]]) -> dict[UUID, dict[Of, GoodsSums]]:
    """Rows of categories and articles, those of `wanted` that are there."""
    keys = [(member_id, of) for member_id, named in wanted.items() for of in named]
    found: dict[UUID, dict[Of, GoodsSums]] = {}
    if not keys:
        return found
    # Of these many, only codes can hold what an array would have to quote.
    members = ",".join([",".join([str(member_id)] * len(named)) for member_id, named in wanted.items() if named])
    levels = ",".join([of[0] for _, of in keys])
    parameters = (f"{{{members}}}", f"{{{levels}}}", array_of([of[1] for _, of in keys]))
    for place, *sums in session.rows(_SOME, parameters, into=tuple_row):
        member_id, of = keys[place - 1]
        found.setdefault(member_id, {})[of] = GoodsSums._make(sums)
    return found


def all_goods(session: Session, member_ids: Collection[UUID]) -> dict[UUID, dict[Of, GoodsSums]]:
    """All rows of categories and articles of members."""
    found: dict[UUID, dict[Of, GoodsSums]] = {}
    for member_id, level, code, *sums in session.rows(_ALL, (array_of(member_ids),), into=tuple_row):
        found.setdefault(member_id, {})[level, code] = GoodsSums._make(sums)
    return found


def members(session: Session, member_ids: Collection[UUID]) -> dict[UUID, MemberSums]:
    """The members' own rows."""
    rows = session.rows(_MEMBERS, (array_of(member_ids),), into=tuple_row)
    return {member_id: MemberSums._make(sums) for member_id, *sums in rows}


def put_goods(changes: Changes, member_id: UUID, rows: Mapping[Of, tuple[GoodsSums | None, GoodsSums | None]]) -> None:
    """Write rows of a member as they are now, each beside what it was before; None: there is none (any more)."""
    made: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    for (level, code), (before, after) in rows.items():
        if after is None:
            gone = {"member_id": member_id, "level": level, "code": code, "orders": _ANY}
            changes.delete_until(GoodsFeaturesRow, gone)
            continue
        orders, quantity, spend, weight, first_at, last_at, recent = after
        row = {
            "member_id": member_id, "level": level, "code": code, "orders": orders, "quantity": quantity,
            "spend": spend, "weight": str(weight), "first_at": first_at, "last_at": last_at, "recent": recent,
        }  # fmt: skip
        made[before is None].append(row)
    changes.insert(GoodsFeaturesRow, *made[True])
    changes.update(GoodsFeaturesRow, *made[False])


def put_member(
    changes: Changes, program_id: UUID, member_id: UUID, before: MemberSums | None, after: MemberSums | None
) -> None:
    """Write a member's own row as it is now; None: there is none (any more)."""
    if after is None:
        changes.delete_until(MemberFeaturesRow, {"member_id": member_id, "orders": _ANY})
        return
    row = {"member_id": member_id, "program_id": program_id, **after._asdict()}
    for name in ("weight", "visits", "worth", "redeemed_weight"):
        row[name] = str(row[name])
    changes.keep(MemberFeaturesRow, row, is_new=before is None)
