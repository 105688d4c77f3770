"""What a shop does with offers, one line each; they are published and ranked the short way."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from psycopg.rows import dict_row, scalar_row

from loyalty.core import clock
from loyalty.core.ids import new_id
from loyalty.db.session import transaction
from loyalty.db.writer import Changes, write
from loyalty.earning import budgets
from loyalty.features.domain import Features
from loyalty.features.statistics import Statistics
from loyalty.members import locks
from loyalty.offers.assignments import row_of
from loyalty.offers.domain import Assignment, Offer, rule_code
from loyalty.offers.models import AssignmentRow
from loyalty.offers.storing import offer_from
from loyalty.personalisation.ranking import Ranked, Reason
from loyalty.programs import service as programs
from tests.api import Api

POINTS = {"kind": "bonus_points", "value": "100"}
FIVE_OFF = {"kind": "discount_amount", "value": "500"}


def an_offer(code: str = "coffee", **given: Any) -> dict[str, Any]:
    """An offer as it is stored: 100 points on coffee unless said otherwise."""
    return {"code": code, "title": code.title(), "promise": POINTS, "categories": [code], **given}


def the_offer(code: str = "coffee", **given: Any) -> Offer:
    """The same as a value."""
    return offer_from(an_offer(code, **given), 1)


def publish(api: Api, *offers: dict[str, Any], **personalising: Any) -> None:
    """Let these offers be in force from the beginning of time, or from the last ones on."""
    program_id = api.program.program_id
    with api.app.app_context(), transaction() as session:
        programs.touch(session, program_id)
        session.run(
            """INSERT INTO offer_sets (program_id, version, offers, personalising, published_at, published_by)
               SELECT %(id)s, count(*) + 1, %(offers)s, %(how)s, now(), 'test'
               FROM offer_sets WHERE program_id = %(id)s""",
            {
                "id": program_id,
                "offers": orjson.dumps(offers).decode(),
                "how": orjson.dumps(personalising).decode(),
            },
        )
        limited = [rule_code(each["code"]) for each in offers if {"budget_points", "budget_amount"} & set(each)]
        budgets.open_budgets(session, program_id, limited)


def give(api: Api, offer: dict[str, Any] | None = None, customer_id: str = "c-42", **given: Any) -> None:
    """Give a member an offer of the first set that was published, without any ranking."""
    wanted = offer or an_offer(activation="opt_in")
    with api.app.app_context(), transaction() as session:
        member = locks.lock_member(session, api.program.program_id, customer_id)
        now = clock.now()
        made = Assignment(
            member_id=member.member_id, assignment_id=new_id(), offer_code=wanted["code"], offer_version=1,
            status="assigned", promise=wanted["promise"], earns=True, assigned_at=now,
            valid_to=now + timedelta(days=28),
            rank=1, score=0.5, probability=0.5, in_list="favourites", **given,
        )  # fmt: skip
        changes = Changes()
        changes.insert(AssignmentRow, row_of(api.program.program_id, made))
        write(session, changes)


class Ranker:
    """Ranks as it was told: by score, 0.5 where nothing was said; every offer is a favourite unless said otherwise."""

    def __init__(self) -> None:
        self.scores: dict[str, float] = {}
        self.lists: dict[str, str] = {}
        self.asked = 0
        self.known = 0

    def __call__(
        self, features: Features, _statistics: Statistics, offers: Sequence[Offer], *, now: datetime,
        limit: int | None = None,
    ) -> list[Ranked]:  # fmt: skip
        self.asked += 1
        self.known = features.buying.orders
        assert now.tzinfo is not None
        score: Mapping[str, float] = {offer.code: self.scores.get(offer.code, 0.5) for offer in offers}
        ordered = sorted(offers, key=lambda offer: (-score[offer.code], offer.code))
        return [
            Ranked(
                offer,
                place,
                score[offer.code],
                score[offer.code],
                self.lists.get(offer.code, "favourites"),
                REASONS if limit is None or place <= limit else (),
            )
            for place, offer in enumerate(ordered, 1)
        ]

    def explain(self, *_args: object, now: datetime) -> tuple[Reason, ...]:
        """Always the same."""
        assert now.tzinfo is not None
        return REASONS


REASONS = (Reason("bought", 14, {"visits": 40}, ("A-1001",)),)


def offers(api: Api, customer_id: str = "c-42", **query: Any) -> list[dict[str, Any]]:
    """What a member is offered."""
    answer = api.get(f"/v1/members/{customer_id}/offers", query_string=query)
    assert answer.status_code == 200, answer.json
    return answer.json["data"]


def codes(api: Api, customer_id: str = "c-42", **query: Any) -> list[str]:
    """Which offers, in order."""
    return [each["offer"] for each in offers(api, customer_id, **query)]


def one(api: Api, code: str = "coffee", customer_id: str = "c-42") -> dict[str, Any]:
    """One offer of a member."""
    return next(each for each in offers(api, customer_id) if each["offer"] == code)


def step(api: Api, offer: dict[str, Any], what: str) -> Any:
    """See, activate or dismiss."""
    return api.post(f"/v1/assignments/{offer['assignment_id']}/{what}")


def assignments(api: Api, **wanted: Any) -> list[dict[str, Any]]:
    """The rows of a program, the oldest first."""
    with api.app.app_context(), transaction() as session:
        rows = session.rows(
            """SELECT a.*, m.customer_id FROM assignments a JOIN members m USING (member_id)
               WHERE a.program_id = %s ORDER BY a.assignment_id""",
            (api.program.program_id,),
            into=dict_row,
        )
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


def spent(api: Api, code: str) -> int:
    """What is taken out of an offer's budget."""
    with api.app.app_context(), transaction() as session:
        where = (api.program.program_id, rule_code(code))
        found = session.row(
            "SELECT spent FROM rule_budgets WHERE program_id = %s AND rule_code = %s", where, into=scalar_row
        )
    assert isinstance(found, int)
    return found


def told(api: Api, prefix: str = "offer.") -> list[str]:
    """The kinds of facts that were told, in order."""
    with api.app.app_context(), transaction() as session:
        return session.rows(
            "SELECT type FROM events WHERE program_id = %s AND type LIKE %s ORDER BY seq",
            (api.program.program_id, f"{prefix}%"),
            into=scalar_row,
        )
