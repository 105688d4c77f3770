"""How many points pay for what: pure arithmetic on whole numbers, by the terms a program sets.

Points are taken in multiples of a step, and never more than it takes to pay the amount: what buys nothing stays with
the member.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from loyalty.payments.errors import (
    PaymentBelowMinimum,
    PaymentNotAMultiple,
    PaymentOverLimit,
    PointsPaidMismatch,
)
from loyalty.programs.domain import PaySettings

Reason = Literal["insufficient_points", "max_percent", "below_minimum", "step"]

# The holds of payments have ids that no shop can give.
HOLDS = "payment/"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPayment:
    """A wish to pay so much of an order with points, to be captured within so many seconds."""

    payment_id: str
    order_total: int
    points: int
    order_id: str | None = None
    hold_seconds: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What points are worth: `points` pay `amount` minor units, in multiples of `step`. A payment keeps its own."""

    points: int
    amount: int
    step: int

    def worth(self, points: int) -> int:
        """How many minor units so many points pay."""
        return points * self.amount // self.points

    def price(self, amount: int) -> int:
        """The fewest points that can be given for `amount`, or for the next amount that can be paid."""
        return _up(_over(amount * self.points, self.amount), self.step)

    def trimmed(self, points: int) -> int:
        """At most so many points, without those that buy nothing."""
        return self.price(self.worth(points // self.step * self.step))

    def covering(self, amount: int) -> int:
        """The most points, trimmed, that are worth no more than `amount`."""
        return self.trimmed(((amount + 1) * self.points - 1) // self.amount)

    def least(self, points: int) -> int:
        """The fewest points that pay anything at all, and are not fewer than `points`."""
        worth = self.worth(_up(max(points, 1), self.step))
        found = self.price(max(worth, 1))
        return found if found >= points else self.price(worth + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """How many points can be used, what they pay, and what decided it.

    `max_points` is the most that the order takes, whatever the member has; `min_points` the least that can be used.
    """

    points: int
    amount: int
    max_points: int
    reason: Reason | None
    currency: str
    available: int
    min_points: int
    step: int


def terms_of(settings: PaySettings) -> Terms:
    """The terms on which points are taken now."""
    return Terms(settings.points, settings.amount, settings.step)


def quote(settings: PaySettings, *, order_total: int, available: int, asked: int | None, currency: str) -> Quote:
    """How many of the points asked for can be used; without `asked`, as many as possible.

    They are cut to what is available and to what the order takes, then trimmed to a multiple that buys something; what
    is then less than the minimum is nothing. The reason is None if that is what was asked for: then, and only then,
    holding them would be granted. Otherwise it is what holding what was asked for would be refused for:

    - `below_minimum`: less was asked for than can be used at all;
    - `max_percent` or `insufficient_points`: more was asked for than the order takes, or than the member has. It is the
      tighter of the two; if they are equal, `max_percent`, for more points would not help;
    - `step`: what was asked for is no multiple, or part of it would buy nothing.

    Without `asked`, the reason is None if anything can be used, otherwise which of the two limits leaves less than the
    minimum.
    """
    terms = terms_of(settings)
    least, most = terms.least(settings.min_points), limit(settings, order_total)
    tighter: Reason = "max_percent" if most <= available else "insufficient_points"
    room = min(most, available)
    points = terms.trimmed(room if asked is None else min(asked, room))
    if points < least:
        points = 0
    reason: Reason | None = None
    if asked is None:
        reason = None if points else tighter
    elif asked < least:
        reason = "below_minimum"
    elif asked > room:
        reason = tighter
    elif points != asked:
        reason = "step"
    return Quote(
        points=points, amount=terms.worth(points), max_points=most if most >= least else 0, reason=reason,
        currency=currency, available=available, min_points=least, step=settings.step,
    )  # fmt: skip


def limit(settings: PaySettings, order_total: int) -> int:
    """The most points that an order of this total takes."""
    return terms_of(settings).covering(order_total * settings.max_percent // 100)


def check(settings: PaySettings, *, order_total: int, points: int) -> None:
    """Refuse what a quote would have cut, whatever the member has.

    Refuses: PaymentBelowMinimum, PaymentOverLimit, PaymentNotAMultiple.
    """
    terms = terms_of(settings)
    least, most = terms.least(settings.min_points), limit(settings, order_total)
    if points < least:
        raise PaymentBelowMinimum(points=points, min_points=least)
    if points > most:
        raise PaymentOverLimit(
            points=points, max_points=most if most >= least else 0, max_percent=settings.max_percent,
            order_total=order_total,
        )  # fmt: skip
    check_multiple(terms, points)


def check_multiple(terms: Terms, points: int) -> None:
    """Refuse points that are no multiple, or of which some buy nothing. Refuses: PaymentNotAMultiple."""
    if (nearest := terms.trimmed(points)) != points:
        raise PaymentNotAMultiple(points=points, step=terms.step, nearest=nearest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What was agreed when points were held: their worth, the terms, and the total of the order it was agreed for."""

    amount: int
    currency: str
    order_total: int
    terms: Terms

    def document(self) -> dict[str, Any]:
        """As the hold's entry keeps it."""
        rate = {"points": self.terms.points, "amount": self.terms.amount, "step": self.terms.step}
        return {"amount": self.amount, "currency": self.currency, "order_total": self.order_total, "rate": rate}


def promise_from(document: Mapping[str, Any]) -> Promise:
    """The inverse of `Promise.document`; what else an entry says is left alone."""
    named = {name: document[name] for name in ("amount", "currency", "order_total")}
    return Promise(**named, terms=Terms(**document["rate"]))


def part_worth(promise: Promise, held: int, points_paid: int) -> int:
    """How many of the points held pay `points_paid`: all of them, or a part that is a multiple.

    Refuses: PointsPaidMismatch.
    """
    points = promise.terms.price(points_paid)
    if not points_paid or points > held or promise.terms.worth(points) != points_paid:
        raise PointsPaidMismatch(expected=promise.amount, given=points_paid)
    return points


def hold_id_of(payment_id: str) -> str:
    """The id of the hold of a payment."""
    return HOLDS + payment_id


def payment_id_of(hold_id: str | None) -> str | None:
    """The payment that a hold is of; None: of none."""
    return hold_id.removeprefix(HOLDS) if hold_id is not None and hold_id.startswith(HOLDS) else None


def _over(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)


def _up(number: int, step: int) -> int:
    return _over(number, step) * step
