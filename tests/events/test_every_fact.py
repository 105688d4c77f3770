"""Every fact that the contract lists is told by what a shop does: once, in order, of whom it is, in its shape.

A chapter is what a shop does, and all that it tells. What is sent again, or refused, tells nothing.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from psycopg.rows import dict_row

from loyalty.app import FACTS
from loyalty.db.session import transaction
from loyalty.events.schemas import FactSchema
from loyalty.notifications.delivering import deliver
from loyalty.notifications.following import plan_program
from loyalty.personalisation.expiring import expire_program
from tests import shop
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.contract.test_openapi import validator
from tests.contract.validator import contract
from tests.events.following import all_are_visible
from tests.feedback.asking import answer
from tests.payments import checkout
from tests.personalisation.offering import publish as publish_offers
from tests.rewards import desk
from tests.shop import A_DAY, a_bonus, a_line
from tests.vouchers.builders import ask, batch

KINDS = {(kind.type, kind.version): kind for kind in FACTS}

Pass = Callable[[float], None]
Told = list[tuple[str, str | None]]

_STORED = """
SELECT event_id, type, version, customer_id, occurred_at, recorded_at, data FROM events
WHERE program_id = %s ORDER BY xid, seq
"""


def messages(api: Api, _pass: Pass) -> None:
    settings = {"channels": {"inbox": True, "webhook": True}, "kinds": {"points_earned": ["inbox", "webhook"]}}
    assert api.put("/v1/admin/notification-settings", settings).status_code == 200
    api.enrol()
    shop.buy(api, "A-1")
    with api.app.app_context():
        all_are_visible(api.program.program_id)
        for _ in range(2):
            with transaction() as session:
                plan_program(session, api.program.program_id, now=NOW)
            for channel in ("inbox", "webhook"):
                deliver(channel, None)


def webhooks(api: Api, _pass: Pass) -> None:
    made = api.post("/v1/admin/webhooks", {"url": "https://shop.example/loyalty", "types": ["points.*"]}).json
    for verb in ("pause", "pause", "resume", "resume"):
        assert api.post(f"/v1/admin/webhooks/{made['webhook_id']}/{verb}").status_code == 200


def feedback(api: Api, _pass: Pass) -> None:
    shop.publish_rules(api, a_bonus("feedback"))
    api.enrol()
    for _ in range(2):
        assert answer(api, score=0, comment="Late.").status_code == 201
    assert shop.refused(answer(api, score=9)) == (409, "idempotency-conflict")
    assert api.post("/v1/feedback/fb-1/erase-comment").status_code == 200


class Chapter(NamedTuple):
    """What a shop does, given how days pass, and what is told of it: by type, and of whom."""

    act: Callable[[Api, Pass], None]
    tells: Told


def log(api: Api) -> list[dict[str, Any]]:
    """All facts of the shop, as they are stored."""
    with api.app.app_context(), transaction() as session:
        return session.rows(_STORED, (api.program.program_id,), into=dict_row)


def of(customer_id: str | None, *types: str) -> Told:
    return [(each, customer_id) for each in types]


def memberships(api: Api, _pass: Pass) -> None:
    api.enrol("ada", first_name="Ada")
    for _ in range(2):
        api.enrol("ada", first_name="Ada", last_name="Lovelace")
    for become in ("suspend", "suspend", "resume", "close", "close"):
        api.post(f"/v1/members/ada/{become}")
    assert shop.refused(api.post("/v1/members/ada/resume")) == (422, "member-closed")


def two_become_one(api: Api, _pass: Pass) -> None:
    shop.configure(api, returns={"policy": "debt"})
    for name in ("ada", "bob"):
        api.enrol(name)
        shop.adjust(api, 30, name)
    for _ in range(2):
        assert shop.merge(api, "ada", "bob").status_code == 200


def orders(api: Api, _pass: Pass) -> None:
    shop.publish_rules(api, {"points": "1"}, {"code": "twice", "points": "1"})
    api.enrol()
    shop.buy(api, "A-1", a_line("1", 5_000, 2))
    shop.buy(api, "G-1", customer_id=None)
    for _ in range(2):
        assert shop.give_back(api, "A-1", {"1": 1}).status_code in (200, 201)
        assert shop.confirm(api, "A-1").status_code == 200
        assert shop.cancel(api, "A-1").status_code == 200
        assert shop.cancel(api, "G-1").status_code == 200
    assert shop.refused(shop.give_back(api, "A-1", {"1": 1}, return_id="R-2")) == (409, "order-cancelled")


def points_over_time(api: Api, pass_days: Pass) -> None:
    shop.publish_rules(api, {"points": "1"})
    shop.configure_units(api, points=({"mode": "delay", "days": 1}, {"mode": "rolling", "days": 10}))
    api.enrol()
    for order_id in ("A-1", "A-2"):
        shop.buy(api, order_id)
    pass_days(30)
    # Whoever comes by finds what fell due meanwhile: of both orders at once.
    shop.adjust(api, 1)
    lapsed = next(entry for entry in shop.entries(api) if entry["kind"] == "earn")
    assert shop.reinstate(api, lapsed["seq"]).status_code == 201
    assert shop.refused(shop.reinstate(api, lapsed["seq"])) == (422, "nothing-to-reinstate")


def debts(api: Api, _pass: Pass) -> None:
    shop.publish_rules(api, {"points": "1"})
    shop.configure(api, returns={"policy": "debt"})
    api.enrol()
    shop.buy(api, "A-1")
    shop.pay(api, 100)
    shop.cancel(api, "A-1")
    shop.adjust(api, 150)


def holds_and_transfers(api: Api, _pass: Pass) -> None:
    for name in ("c-42", "bob"):
        api.enrol(name)
    shop.adjust(api, 100)
    shop.hold(api, "h-1", 40)
    for _ in range(2):
        shop.release(api, "h-1")
    assert shop.refused(shop.hold(api, "h-2", 101)) == (422, "insufficient-points")
    assert shop.transfer(api, 60, "c-42", "bob").status_code == 201


def payments(api: Api, _pass: Pass) -> None:
    api.enrol()
    shop.adjust(api, 1_000)
    checkout.hold(api, 200, "p-1")
    for _ in range(2):
        checkout.release(api, "p-1")
    checkout.pay(api, 300, "p-2")
    checkout.refund(api, 100, "p-2")


def rewards(api: Api, pass_days: Pass) -> None:
    desk.offer(api, stock=2, low_stock=1)
    desk.enrol(api, points=300)
    for _ in range(2):
        assert desk.redeem(api, "r-1").status_code == 201
    assert desk.hold(api, "r-2").status_code == 201
    assert shop.refused(desk.redeem(api, "r-3")) == (422, "out-of-stock")
    desk.cancel(api, "r-1")
    desk.fulfil(api, "r-1")
    pass_days(1)
    assert desk.expire(api, NOW + A_DAY) == 1
    assert desk.redeem(api, "r-4").status_code == 201
    for _ in range(2):
        assert desk.fulfil(api, "r-4").status_code == 200
    etag = api.get("/v1/admin/rewards/five-off").headers["ETag"]
    assert api.post("/v1/admin/rewards/five-off/withdraw", {}, headers={"If-Match": etag}).status_code == 200


def vouchers(api: Api, _pass: Pass) -> None:
    api.enrol()
    batch(api, "MINE-2026", customer_id="c-42", batch_id="mine", uses_allowed=2)
    batch(api, batch_id="free", count=7)
    for _ in range(2):
        assert ask(api, "redeem", "MINE-2026", customer_id="c-42").status_code == 201
    for _ in range(2):
        assert ask(api, "release", "MINE-2026").status_code == 200
    for _ in range(2):
        assert api.post("/v1/admin/vouchers/MINE-2026/void", {"reason": "lost"}).status_code == 200


def tiers(api: Api, _pass: Pass) -> None:
    shop.publish_ladder(api, {"code": "bronze", "threshold": 0}, {"code": "gold", "threshold": 10_000})
    api.enrol()
    shop.buy(api, "A-1", amount=10_000)
    shop.buy(api, "A-2", amount=10_000)
    for order_id in ("A-2", "A-1"):
        shop.cancel(api, order_id)


def offers(api: Api, _pass: Pass) -> None:
    tea = {"code": "tea", "title": "Points on tea", "promise": {"kind": "bonus_points", "value": 50}}
    assert api.put("/v1/admin/offers/draft", {"offers": [tea]}).status_code == 200
    for _ in range(2):
        key = {"Idempotency-Key": "k-1"}
        assert api.post("/v1/admin/offers/publish", {}, headers=key).status_code == 200


def given_offers(api: Api, pass_days: Pass) -> None:
    voucher = {"kind": "discount_amount", "value": 500}
    made = [
        {"code": "all", "title": "Points on all", "promise": {"kind": "bonus_points", "value": 50}, "days": 20},
        {"code": "off", "title": "5 off", "promise": voucher, "activation": "opt_in", "min_basis": 100, "days": 20},
        {"code": "tea", "title": "Double tea", "promise": {"kind": "multiplier", "value": "2"}, "categories": ["tea"],
         "activation": "opt_in", "days": 20},
    ]  # fmt: skip
    assert publish_offers(api, *made).status_code == 200
    api.enrol()
    for _ in range(2):
        (_, off, tea) = api.get("/v1/members/c-42/offers").json["data"]
    for given, step in ((off, "seen"), (off, "activate"), (tea, "dismiss")):
        for _ in range(2):
            assert api.post(f"/v1/assignments/{given['assignment_id']}/{step}").status_code == 200
    shop.buy(api, "A-1")
    shop.give_back(api, "A-1", {"1": 1})
    pass_days(21)
    with api.app.app_context():
        for _ in range(2):
            with transaction() as session:
                expire_program(session, api.program.program_id, now=NOW + 21 * A_DAY)


def activities(api: Api, _pass: Pass) -> None:
    shop.publish_rules(api, {"points": "1"}, a_bonus("review"))
    api.enrol()
    for _ in range(2):
        assert shop.report(api, "review-1").status_code in (200, 201)
        assert api.post("/v1/activities/review-1/cancel").status_code == 200


ADJUSTED = "points.adjusted"
CHAPTERS = [
    Chapter(memberships, of("ada", *(f"member.{become}" for become in (
        "enrolled", "updated", "suspended", "resumed", "closed")))),
    Chapter(two_become_one, [
        *of("ada", "member.enrolled", ADJUSTED), *of("bob", "member.enrolled", ADJUSTED), ("member.merged", "ada"),
        ("member.absorbed", "bob"), ("points.transferred_out", "ada"), ("points.transferred_in", "bob"),
    ]),
    Chapter(orders, [
        ("earning_rules.published", None), *of("c-42", "member.enrolled", "order.recorded", "points.earned"),
        ("order.recorded", None), *of("c-42", "order.returned", "points.reversed", "order.confirmed",
        "order.cancelled", "points.reversed"), ("order.cancelled", None),
    ]),
    Chapter(points_over_time, [("earning_rules.published", None), *of(
        "c-42", "member.enrolled", *("order.recorded", "points.earned") * 2, "points.matured", "points.expired",
        ADJUSTED, "points.reinstated")]),
    Chapter(debts, [("earning_rules.published", None), *of(
        "c-42", "member.enrolled", "order.recorded", "points.earned", "points.held", "points.redeemed",
        "order.cancelled", "points.owed", ADJUSTED, "points.debt_paid")]),
    Chapter(holds_and_transfers, [
        *of("c-42", "member.enrolled"), *of("bob", "member.enrolled"),
        *of("c-42", ADJUSTED, "points.held", "points.released", "points.transferred_out"),
        *of("bob", "points.transferred_in"),
    ]),
    Chapter(payments, of(
        "c-42", "member.enrolled", ADJUSTED, "points.held", "payment.held", "points.released", "payment.released",
        "points.held", "payment.held", "points.redeemed", "payment.captured", "points.returned", "payment.refunded")),
    Chapter(rewards, [
        ("reward.published", None), *of("c-42", "member.enrolled", ADJUSTED, "voucher.issued", "points.redeemed",
        "redemption.confirmed"), ("reward.stock_low", None), *of("c-42", "points.held", "redemption.held"),
        ("reward.out_of_stock", None), *of("c-42", "voucher.voided", "points.returned", "redemption.cancelled",
        "redemption.expired", "voucher.issued", "points.released", "points.redeemed", "redemption.confirmed"),
        ("reward.stock_low", None), *of("c-42", "redemption.fulfilled"), ("reward.withdrawn", None),
    ]),
    Chapter(vouchers, [
        *of("c-42", "member.enrolled", "voucher.issued"), ("voucher.issued", None),
        *of("c-42", "voucher.redeemed", "voucher.released", "voucher.voided"),
    ]),
    Chapter(tiers, [("ladder.published", None), *of(
        "c-42", "member.enrolled", "order.recorded", "points.earned", "tier.changed", "order.recorded", "points.earned",
        *("order.cancelled", "points.reversed") * 2, "tier.changed")]),
    Chapter(offers, of(None, "offers.published")),
    Chapter(given_offers, [("offers.published", None), *of(
        "c-42", "member.enrolled", "offer.assigned", "offer.activated", "offer.assigned", "offer.assigned",
        "offer.seen", "voucher.issued", "offer.activated", "offer.dismissed", "order.recorded", "points.earned",
        "offer.redeemed", "order.returned", "points.reversed", "offer.reinstated", "offer.expired", "offer.expired")]),
    Chapter(messages, of("c-42", "member.enrolled", "order.recorded", "points.earned", "message.sent",
                         "message.requested", "message.sent")),
    Chapter(webhooks, of(None, "webhook.paused", "webhook.resumed")),
    Chapter(activities, [("earning_rules.published", None), *of(
        "c-42", "member.enrolled", "activity.recorded", "points.earned", "activity.cancelled", "points.reversed")]),
    Chapter(feedback, [("earning_rules.published", None), *of(
        "c-42", "member.enrolled", "activity.recorded", "points.earned", "feedback.given", "feedback.low")]),
]  # fmt: skip


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.act.__name__)
def test_what_a_shop_does_is_told_once(api: Api, monkeypatch: pytest.MonkeyPatch, chapter: Chapter):
    it_is(monkeypatch, NOW)

    chapter.act(api, lambda days: it_is(monkeypatch, NOW + timedelta(days=days)))

    found = log(api)
    assert [(fact["type"], fact["customer_id"]) for fact in found] == chapter.tells
    for number, fact in enumerate(found):
        kind = KINDS[fact["type"], fact["version"]]
        # What was read is written as it was told.
        assert kind.data().dump(kind.data().load(fact["data"])) == fact["data"], fact["type"]
        sent = FactSchema().dump({**fact, "sequence": number})
        body = contract()["webhooks"][kind.type]["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert [str(error) for error in validator(body).iter_errors(sent)] == []


def test_every_fact_of_the_contract_is_told_by_some_chapter():
    told = {fact for chapter in CHAPTERS for fact, _ in chapter.tells}

    assert told == {kind.type for kind in FACTS}


def test_every_kind_stands_in_the_contract_as_it_is_sent():
    assert set(contract()["webhooks"]) == {kind.type for kind in FACTS}
    for of_type, item in contract()["webhooks"].items():
        (shape, _) = item["post"]["requestBody"]["content"]["application/json"]["schema"]["allOf"]
        schema = contract()["components"]["schemas"][shape["$ref"].rpartition("/")[2]]
        assert schema["properties"]["type"]["enum"] == [of_type]
        assert item["post"]["summary"] == schema["description"]
