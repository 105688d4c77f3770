"""Every fact about a member can be said in every language."""

import string
from typing import Any

import pytest

from loyalty.app import FACTS
from loyalty.core.i18n import Message, catalogues, language
from loyalty.rewards.domain import NewReward
from loyalty.tiers.domain import Tier
from loyalty.timeline.telling import INSTEAD, SENTENCES, UNTOLD, Teller

LANGUAGES = ["en", *catalogues()]
OF_THE_PROGRAM = (*UNTOLD, "reward.", "earning_rules.", "ladder.", "offers.", "webhook.")

REWARDS = {
    "five-off": NewReward(name="5 off", type="custom", points=25, translations={"pl": {"name": "5 zniżki"}}),
}
TIERS = {
    "gold": Tier(
        code="gold", name="Gold", threshold=0, translations={"pl": {"name": "Złoty"}, "fi": {"description": "Paras."}}
    )
}

# What may stand in a fact about a member, by its name.
DATA: dict[str, Any] = {
    "activity_id": "review-1", "amount": 500, "available": 7, "batch_id": "b-1", "category": "marketing",
    "channel": "web", "complete": False, "count": 1, "currency": "EUR", "data": {}, "debt": 0, "direction": "up",
    "feedback_id": "fb-1", "has_comment": True, "score": 9, "touchpoint": None,
    "expires_at": None, "fields": ["email"], "from": "silver", "fulfilment": "code", "guest": False,
    "held": 0, "into": "c-9", "kind": "statement", "ladder_version": 1, "language": "pl", "lines": 2,
    "matures_at": None, "merged": "c-8", "message_id": "m-1", "offer": "spring", "title": "Spring", "open": True,
    "assignment_id": "0190", "promise": {}, "trigger": "ranking", "rank": 1, "valid_to": None, "order_id": "A-1001",
    "payment_id": "pp-1",
    "pending": 0, "placed_at": "2026-03-01T12:00:00Z", "points": 25, "reason": None, "redemption_id": "r-1",
    "reference": None, "referred": False, "return_id": "R-1", "reward": "five-off", "rules": ["base"],
    "status": "held", "subject": None, "text": None, "tier": "gold", "total": 123450, "type": "review",
    "unit": "points", "uses_left": 0, "valid_until": None, "voucher_issued": True, "waiting": 0, "seq": 7,
}  # fmt: skip


def teller(tag: str = "en") -> Teller:
    return Teller(tag, language(tag), "EUR", REWARDS, TIERS)


def said(kind: str, tag: str = "en", version: int = 1, **data: Any) -> str:
    return teller(tag).summary(kind, version, {**DATA, **data}).replace("\xa0", " ")


KINDS = [kind for kind in FACTS if not kind.type.startswith(OF_THE_PROGRAM)]


@pytest.mark.parametrize("tag", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.type} {kind.version}")
def test_every_kind_of_fact_about_a_member_has_a_sentence_in_every_language(kind: Any, tag: str):
    told = {name: DATA[name] for name in (field.data_key or own for own, field in kind.data().fields.items())}

    found = teller(tag).summary(kind.type, kind.version, told)

    assert found != kind.type, "timeline/telling.py lacks a sentence, or the fact lacks what it says"
    assert not set(found) & set("{}")
    assert "None" not in found


@pytest.mark.parametrize("tag", catalogues())
@pytest.mark.parametrize("sentence", [*SENTENCES.values(), *(other for *_, other in INSTEAD)])
def test_every_sentence_is_another_one_in_another_language(sentence: Any, tag: str):
    places = ["customer", "order", "activity", "reward", "tier", "offer", "amount"]
    values = {name: f"<{name}>" for name in places}

    for count in (1, 2, 5, 10, 21, 22):
        found, english = (language(each).say(sentence, count, **values) for each in (tag, "en"))
        assert found != english
        text = sentence.text if isinstance(sentence, Message) else sentence.other
        needed = [name for _, name, _, _ in string.Formatter().parse(text) if name in values]
        assert all(f"<{name}>" in found for name in needed)


SAID = {
    "points.earned": {
        "en": "You earned 22 points.", "pl": "Zdobyto 22 punkty.", "el": "Κερδίσατε 22 πόντους.",
        "fi": "Sait 22 pistettä.", "lv": "Jūs nopelnījāt 22 punktus.", "hu": "22 pontot gyűjtött.",
    },
    "order.recorded": {
        "en": "You placed order A-1001 for €1,234.50.", "pl": "Zamówienie A-1001 na kwotę 1 234,50 €.",
        "el": "Κάνατε την παραγγελία A-1001, αξίας 1.234,50 €.",
        "fi": "Teit tilauksen A-1001, summa 1 234,50 €.", "lv": "Jūs veicāt pasūtījumu A-1001 par 1 234,50 €.",
        "hu": "Rendelést adott le: A-1001, összege 1 234,50 EUR.",
    },
}  # fmt: skip


@pytest.mark.parametrize(("kind", "tag"), [(kind, tag) for kind in SAID for tag in SAID[kind]])
def test_numbers_and_money_are_written_as_the_language_does(kind: str, tag: str):
    assert said(kind, tag, points=22) == SAID[kind][tag]


@pytest.mark.parametrize(
    ("kind", "data", "sentence"),
    [
        ("order.returned", {"complete": False}, "You returned a part of order A-1001."),
        ("order.returned", {"complete": True}, "You have returned all of order A-1001."),
        ("activity.recorded", {"type": "review"}, "You were active: review."),
        ("activity.recorded", {"type": "birthday"}, "It was your birthday."),
        ("activity.recorded", {"type": "referral"}, "A friend whom you brought placed a first order."),
        ("points.adjusted", {"points": 1}, "We gave you 1 point."),
        ("points.adjusted", {"points": -1_250}, "We took 1,250 points off your balance."),
        ("tier.changed", {"from": None}, "You have Gold."),
        ("tier.changed", {"direction": "up"}, "You moved up to Gold."),
        ("tier.changed", {"direction": "down"}, "You moved down to Gold."),
        ("voucher.issued", {"reward": None}, "You received a voucher."),
        ("voucher.issued", {}, "You received a voucher: 5 off."),
        ("redemption.confirmed", {"points": 0}, "You chose this reward, for 0 points: 5 off."),
    ],
)
def test_what_a_fact_says_chooses_its_sentence(kind: str, data: dict[str, Any], sentence: str):
    assert said(kind, **data) == sentence


def test_rewards_and_tiers_are_named_in_the_language_else_as_the_program_does_else_by_code():
    assert said("redemption.fulfilled", "pl") == "Otrzymujesz tę nagrodę: 5 zniżki."
    assert said("tier.changed", "pl-PL") == "Awans na poziom Złoty."
    assert said("tier.changed", "fi") == "Nousit tasolle Gold."
    assert said("redemption.fulfilled", reward="withdrawn") == "You received this reward: withdrawn."


def test_a_payment_is_in_the_currency_of_the_program():
    paid = {"payment_id": "pp-1", "points": 25, "amount": 500, "order_id": None}

    assert teller().summary("payment.captured", 1, paid) == "You paid €5.00 with 25 points."


def test_points_of_another_unit_say_which():
    assert said("points.earned", unit="miles") == "miles: You earned 25 points."


def test_what_another_version_has_told_is_shown_by_its_type():
    assert said("points.frozen") == "points.frozen"
    assert said("points.earned", version=2) == "points.earned"
    assert teller().summary("order.recorded", 1, {"order_id": "A-1001"}) == "order.recorded"
    assert teller().summary("tier.changed", 1, {}) == "tier.changed"
