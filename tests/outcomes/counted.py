"""Letting outcomes be counted, and working them out once more, order by order."""

from collections import defaultdict
from datetime import date, datetime
from typing import Any

from psycopg.rows import dict_row

from loyalty.db.batches import in_batches
from loyalty.db.session import reading
from loyalty.outcomes import filling, following, queries, rebuilding
from loyalty.outcomes.domain import NONE, OFFER, Anchor, DayTotals, Measured, Outcomes, Totals, kept, totals_of
from tests.api import Api
from tests.events.following import all_are_visible

_EVER = {"first": date.min, "last": date.max}


def filled(api: Api, *, now: datetime, limit: int = 1_000) -> int:
    """Count the windows that are over by an instant; answers how many members were looked at."""
    program_id = api.program.program_id
    with api.app.app_context():
        return in_batches(lambda session: filling.fill_program(session, program_id, now=now, limit=limit))


def followed(api: Api, *, limit: int = 1_000) -> None:
    """Look at all that has happened so far."""
    program_id = api.program.program_id
    with api.app.app_context():
        all_are_visible(program_id)
        in_batches(lambda session: following.follow_program(session, program_id, limit=limit))


def rebuilt(api: Api, *, check: bool = False, limit: int = 3) -> int:
    """Count anew what is counted; answers how many rows were wrong."""
    with api.app.app_context():
        return sum(page.wrong for page in rebuilding.rebuild(api.program.program_id, check=check, limit=limit))


def outcomes(api: Api, **wanted: Any) -> dict[str, dict[str, Any]]:
    """What is counted, by customer."""
    rows = _rows(
        api,
        "SELECT o.*, m.customer_id FROM outcomes o JOIN members m USING (member_id)"
        " WHERE o.program_id = %s ORDER BY o.day",
    )
    return {row["customer_id"]: row for row in rows if all(row[name] == value for name, value in wanted.items())}


def days(api: Api) -> Outcomes:
    """The sums that are kept."""
    with api.app.app_context(), reading() as session:
        offers = queries.of_offers(session, api.program.program_id, offer=None, **_EVER)
        return Outcomes((*offers.days, *queries.of_answers(session, api.program.program_id, **_EVER).days))


def assert_as_orders_say(api: Api) -> None:
    """Each outcome is what a member's orders say, added up by hand, and each sum that of its outcomes."""
    rows = _rows(api, "SELECT * FROM outcomes WHERE program_id = %s")
    orders, given, into = _orders(api), _rows(api, "SELECT * FROM assignments WHERE program_id = %s"), _merged(api)
    sums: dict[tuple[str, Any, str], Totals] = defaultdict(Totals)
    for row in rows:
        anchor = Anchor(**{name: row[name] for name in Anchor.__slots__})
        measured = Measured(**{name: row[name] for name in Measured.__slots__})
        assert into[anchor.member_id] == anchor.member_id, "who was merged counts no more"
        mine = [order for order in orders if into.get(order["member_id"]) == anchor.member_id]
        assert measured == _by_hand(anchor, mine, [one for one in given if into[one["member_id"]] == anchor.member_id])
        sums[anchor.experiment, anchor.day, anchor.arm] += totals_of(anchor, measured)
    counted = {(each.experiment, each.day, each.arm): each.totals for each in days(api).days}
    assert counted == {place: totals for place, totals in sums.items() if totals != NONE}
    assert rebuilt(api, check=True) == 0


def total(api: Api, experiment: str, arm: str) -> Totals:
    """The sums of an arm, of all days."""
    found: list[DayTotals] = [each for each in days(api).days if (each.experiment, each.arm) == (experiment, arm)]
    return sum((each.totals for each in found), NONE)


def _by_hand(anchor: Anchor, orders: list[dict[str, Any]], given: list[dict[str, Any]]) -> Measured:
    after = [o["left"] for o in orders if anchor.at <= o["placed_at"] < anchor.ends_at and o["left"] is not None]
    before = [o for o in orders if anchor.before_from <= o["placed_at"] < anchor.before_to]
    placed = {(o["member_id"], o["order_id"]): o["placed_at"] for o in orders}
    used = [
        one
        for one in given
        if one["status"] == "redeemed"
        and (not anchor.experiment.startswith(OFFER) or anchor.experiment == f"{OFFER}{one['offer_code']}")
        and anchor.at <= placed.get((one["member_id"], one["order_id"]), one["closed_at"]) < anchor.ends_at
    ]
    return Measured(
        spend=sum(after), orders=len(after), before=sum(o["left"] or 0 for o in before), redeemed=len(used),
        points=sum(one["points"] or 0 for one in used), amount=sum(one["amount"] or 0 for one in used),
    )  # fmt: skip


def _orders(api: Api) -> list[dict[str, Any]]:
    rows = _rows(api, "SELECT * FROM orders WHERE program_id = %s")
    return [{**row, "left": kept(row["lines"], row["discount"], row["returned"].get("lines", {}))} for row in rows]


def _merged(api: Api) -> dict[Any, Any]:
    """Who each member is by now."""
    into = {row["member_id"]: row["merged_into"] for row in _rows(api, "SELECT * FROM members WHERE program_id = %s")}

    def stays(member_id: Any) -> Any:
        return member_id if into[member_id] is None else stays(into[member_id])

    return {member_id: stays(member_id) for member_id in into}


def _rows(api: Api, statement: str) -> list[dict[str, Any]]:
    with api.app.app_context(), reading() as session:
        return session.rows(statement, (api.program.program_id,), into=dict_row)
