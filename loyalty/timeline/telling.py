"""One sentence for each fact about a member, in the member's language. Pure, but for the catalogues of words.

Names of rewards and tiers stand by themselves in each sentence, so that no language has to inflect them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from loyalty.core.i18n import Counted, Language, Message, in_words_of
from loyalty.programs.domain import POINTS

# What is told in this version of its data, and can therefore be said in a sentence.
VERSION = 1

Sentence = Message | Counted
Data = Mapping[str, Any]

SENTENCES: dict[str, Sentence] = {
    "member.enrolled": Message("You joined the program."),
    "member.updated": Message("Your details were changed."),
    "member.suspended": Message("Your membership was suspended."),
    "member.resumed": Message("Your membership is active again."),
    "member.closed": Message("Your membership was closed."),
    "member.merged": Message("This membership was merged into another one: {customer}."),
    "member.absorbed": Message("Another membership was merged into this one: {customer}."),
    "order.recorded": Message("You placed order {order} for {amount}."),
    "order.confirmed": Message("Order {order} was confirmed."),
    "order.cancelled": Message("Order {order} was cancelled."),
    "order.returned": Message("You returned a part of order {order}."),
    "activity.recorded": Message("You were active: {activity}."),
    "activity.cancelled": Message("This no longer counts: {activity}."),
    "points.earned": Counted("You earned {count} point.", "You earned {count} points."),
    "points.matured": Counted("{count} point can be used now.", "{count} points can be used now."),
    "points.expired": Counted("{count} point expired.", "{count} points expired."),
    "points.held": Counted("{count} point was reserved.", "{count} points were reserved."),
    "points.released": Counted("{count} point is no longer reserved.", "{count} points are no longer reserved."),
    "points.redeemed": Counted("You spent {count} point.", "You spent {count} points."),
    "points.reversed": Counted("{count} point was taken back.", "{count} points were taken back."),
    "points.returned": Counted("You got {count} spent point back.", "You got {count} spent points back."),
    "points.adjusted": Counted("We gave you {count} point.", "We gave you {count} points."),
    "points.transferred_in": Counted(
        "You received {count} point from another membership.", "You received {count} points from another membership."
    ),
    "points.transferred_out": Counted(
        "You passed {count} point on to another membership.", "You passed {count} points on to another membership."
    ),
    "points.owed": Counted(
        "{count} point is missing, and will be taken from what you earn next.",
        "{count} points are missing, and will be taken from what you earn next.",
    ),
    "points.debt_paid": Counted(
        "{count} point made up for what was missing.", "{count} points made up for what was missing."
    ),
    "points.reinstated": Counted("We gave you {count} expired point back.", "We gave you {count} expired points back."),
    "tier.changed": Message("You moved up to {tier}."),
    "voucher.issued": Message("You received a voucher: {reward}."),
    "voucher.redeemed": Message("You used a voucher."),
    "voucher.released": Message("You can use a voucher again."),
    "voucher.voided": Message("A voucher of yours is no longer valid."),
    "payment.held": Counted(
        "You reserved {count} point to pay {amount}.", "You reserved {count} points to pay {amount}."
    ),
    "payment.captured": Counted("You paid {amount} with {count} point.", "You paid {amount} with {count} points."),
    "payment.released": Counted(
        "Your payment with {count} point was cancelled.", "Your payment with {count} points was cancelled."
    ),
    "payment.refunded": Counted(
        "{count} point from a payment was refunded.", "{count} points from a payment were refunded."
    ),
    "payment.expired": Counted(
        "Your payment with {count} point was not completed in time.",
        "Your payment with {count} points was not completed in time.",
    ),
    "redemption.held": Counted(
        "You asked for this reward, for {count} point: {reward}.",
        "You asked for this reward, for {count} points: {reward}.",
    ),
    "redemption.confirmed": Counted(
        "You chose this reward, for {count} point: {reward}.", "You chose this reward, for {count} points: {reward}."
    ),
    "redemption.fulfilled": Message("You received this reward: {reward}."),
    "redemption.cancelled": Message("This reward was cancelled: {reward}."),
    "redemption.expired": Message("This reward was not confirmed in time: {reward}."),
    "offer.assigned": Message("You received this offer: {offer}."),
    "offer.seen": Message("You saw this offer: {offer}."),
    "offer.activated": Message("You have activated this offer: {offer}."),
    "offer.redeemed": Message("You used this offer: {offer}."),
    "offer.reinstated": Message("An order came back for which you had used this offer: {offer}."),
    "offer.dismissed": Message("You do not want this offer: {offer}."),
    "offer.expired": Message("This offer ended: {offer}."),
    "feedback.given": Message("You gave us feedback."),
    "message.sent": Message("We sent you a message."),
    "message.requested": Message("The shop was asked to send you a message."),
}  # fmt: skip

# What is said of a member to the shop only, and what is told twice: as what it is, and as an activity.
UNTOLD: tuple[str, ...] = ("feedback.low",)
UNTOLD_ACTIVITIES: tuple[str, ...] = ("feedback",)

# What is said instead, where this is so; the first that is.
INSTEAD: tuple[tuple[str, Callable[[Data], bool], Sentence], ...] = (
    ("order.returned", lambda data: data["complete"], Message("You have returned all of order {order}.")),
    ("activity.recorded", lambda data: data["type"] == "birthday", Message("It was your birthday.")),
    ("activity.recorded", lambda data: data["type"] == "referral",
     Message("A friend whom you brought placed a first order.")),
    ("activity.recorded", lambda data: data["type"] == "referred",
     Message("You placed your first order, as the friend of a member.")),
    ("points.adjusted", lambda data: data["points"] < 0,
     Counted("We took {count} point off your balance.", "We took {count} points off your balance.")),
    ("tier.changed", lambda data: data["from"] is None, Message("You have {tier}.")),
    ("tier.changed", lambda data: data["direction"] == "down", Message("You moved down to {tier}.")),
    ("voucher.issued", lambda data: data["reward"] is None, Message("You received a voucher.")),
)  # fmt: skip


class Named(Protocol):
    """What has a name, in several languages perhaps: a reward, a tier."""

    @property
    def name(self) -> str:
        """In the program's own words."""

    @property
    def translations(self) -> Mapping[str, Mapping[str, Any]]:
        """Other words, by language."""


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells one member what happened. `tag` is the member's language; rewards and tiers are those of today, by code."""

    tag: str
    language: Language
    currency: str
    rewards: Mapping[str, Named]
    tiers: Mapping[str, Named]

    def summary(self, kind: str, version: int, data: Data) -> str:
        """The sentence for a fact; its type, where there is none: another version of the engine has told it."""
        sentence = SENTENCES.get(kind) if version == VERSION else None
        if sentence is None:
            return kind
        try:
            sentence = next((other for of, so, other in INSTEAD if of == kind and so(data)), sentence)
            said = self.language.say(sentence, abs(data.get("points", 0)), **self._places(data))
        except KeyError:
            return kind
        # The words are those for points, whatever the program calls them.
        return said if (unit := data.get("unit", POINTS)) == POINTS else f"{unit}: {said}"

    def _places(self, data: Data) -> dict[str, str]:
        """What stands in the places of sentences, as far as a fact knows it."""
        places = {
            "customer": data.get("into") or data.get("merged"),
            "order": data.get("order_id"),
            "activity": data.get("type"),
            "reward": self._name(self.rewards, data.get("reward")),
            "tier": self._name(self.tiers, data.get("tier")),
            "offer": data.get("title"),
            "amount": self._amount(data),
        }
        return {place: text for place, text in places.items() if text is not None}

    def _amount(self, data: Data) -> str | None:
        if "total" in data:
            return self.language.money(data["total"], data["currency"])
        return self.language.money(data["amount"], self.currency) if "amount" in data else None

    def _name(self, things: Mapping[str, Named], code: str | None) -> str | None:
        thing = things.get(code) if code is not None else None
        if thing is None:
            return code
        words = in_words_of(self.tag, thing.translations) or {}
        return str(words.get("name") or thing.name)
