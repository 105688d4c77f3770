"""Telling members of their tier, in their language. Pure, but for the catalogues that are read once.

The name of a tier stands by itself in each sentence, so that no language has to inflect it. Days are told as the last
one on which something is so, or the first.
"""

from datetime import datetime, timedelta

from loyalty.core import calendar
from loyalty.core.i18n import Counted, Language, Message, in_words_of
from loyalty.tiers.domain import Basis, Tier
from loyalty.tiers.prospects import Goal, Keeping, Projection, Prospects, Reason

HAVE = Message("You have {tier}.")
HAVE_UNTIL = Message("You have {tier} until the end of {day}.")
GIVEN = Message("We have given you {tier}.")
GIVEN_UNTIL = Message("We have given you {tier} until the end of {day}.")
IN_GRACE = Message("Your {tier} tier was valid until {ended}, and you keep it until the end of {day}.")
HIGHEST = Message("There is no higher tier.")

NEXT: dict[Basis, Message | Counted] = {
    "spend": Message("Spend {amount} more to reach {tier}."),
    "points_earned": Counted("Earn {count} more point to reach {tier}.", "Earn {count} more points to reach {tier}."),
    "orders": Counted("Place {count} more order to reach {tier}.", "Place {count} more orders to reach {tier}."),
}
NEXT_AT_ONCE = Message("Your next purchase takes you to {tier}.")

KEEP: dict[Basis, Message | Counted] = {
    "spend": Message("Spend {amount} more by {day} to keep {tier}."),
    "points_earned": Counted(
        "Earn {count} more point by {day} to keep {tier}.", "Earn {count} more points by {day} to keep {tier}."
    ),
    "orders": Counted(
        "Place {count} more order by {day} to keep {tier}.", "Place {count} more orders by {day} to keep {tier}."
    ),
}
KEEP_LATER: dict[Basis, Message | Counted] = {
    "spend": Message("Spend {amount} from {begin} to {day} to keep {tier}."),
    "points_earned": Counted(
        "Earn {count} point from {begin} to {day} to keep {tier}.",
        "Earn {count} points from {begin} to {day} to keep {tier}.",
    ),
    "orders": Counted(
        "Place {count} order from {begin} to {day} to keep {tier}.",
        "Place {count} orders from {begin} to {day} to keep {tier}.",
    ),
}
KEPT_ALREADY = Message("You have done all it takes to keep {tier}.")

PROJECTED: dict[Reason, Message] = {
    "kept": Message("If nothing else happens, you keep {tier} after {last}."),
    "falls": Message("If nothing else happens, you have {tier} from {first} on."),
    "begins_anew": Message("Counting begins anew: from {first} on, you have {tier}."),
    "grant_ended": Message("What we have given you ends: from {first} on, you have {tier}."),
    "moved": Message("New tiers apply from {first} on: you have {tier} then."),
    "never_ends": Message("{tier} stays yours."),
}

AN_INSTANT = timedelta(microseconds=1)


class Teller:
    """Tells of the tiers of one program to one member: `tag` is the member's language."""

    def __init__(self, tag: str, language: Language, *, zone: str, currency: str) -> None:
        self.tag, self.language, self.zone, self.currency = tag, language, zone, currency

    def name(self, tier: Tier) -> str:
        """The name of a tier."""
        return str(self._words(tier).get("name") or tier.name)

    def description(self, tier: Tier) -> str | None:
        """What a tier is."""
        found = self._words(tier).get("description")
        return str(found) if found else tier.description

    def perks(self, tier: Tier) -> list[str]:
        """What a tier gives, for people to read."""
        found = self._words(tier).get("perks")
        return [str(perk) for perk in found] if isinstance(found, list | tuple) and found else list(tier.benefits.perks)

    def summary(self, seen: Prospects, now: datetime) -> str:
        """How long the member has the tier, and what can be done about it."""
        return f"{self._status(seen)} {self._outlook(seen, now)}".strip()

    def projected(self, coming: Projection) -> str:
        """What will be if nothing else happens."""
        first, last = (self._first(coming.at), self._last(coming.at)) if coming.at else ("", "")
        return self.language.say(PROJECTED[coming.reason], tier=self.name(coming.tier), first=first, last=last)

    def _status(self, seen: Prospects) -> str:
        tier, until = self.name(seen.tier), seen.valid_until
        if seen.in_grace and until is not None and seen.grace_until is not None:
            return self.language.say(IN_GRACE, tier=tier, ended=self._last(until), day=self._last(seen.grace_until))
        if until is None:
            return self.language.say(GIVEN if seen.by_grant else HAVE, tier=tier)
        return self.language.say(GIVEN_UNTIL if seen.by_grant else HAVE_UNTIL, tier=tier, day=self._last(until))

    def _outlook(self, seen: Prospects, now: datetime) -> str:
        """What is most urgent: to keep what is running out, then to rise, then to stay."""
        if seen.in_grace and seen.keep is not None:
            return self._keeping(seen, seen.keep, now)
        if seen.next is None:
            top = self.language.say(HIGHEST)
            return self._keeping(seen, seen.keep, now) if seen.keep is not None else top
        # Who was given a higher tier than the next one to be bought is not told to reach for a lower one.
        is_higher = seen.next.tier.threshold > seen.tier.threshold
        return self._next(seen, seen.next) if is_higher else ""

    def _next(self, seen: Prospects, goal: Goal) -> str:
        if not goal.missing:
            return self.language.say(NEXT_AT_ONCE, tier=self.name(goal.tier))
        return self._missing(NEXT[seen.ladder.basis], goal)

    def _keeping(self, seen: Prospects, goal: Keeping, now: datetime) -> str:
        if not goal.missing:
            return self.language.say(KEPT_ALREADY, tier=self.name(goal.tier))
        basis, begin, day = seen.ladder.basis, goal.counts_from, self._last(goal.by)
        if begin is not None and begin > now:
            return self._missing(KEEP_LATER[basis], goal, begin=self._first(begin), day=day)
        return self._missing(KEEP[basis], goal, day=day)

    def _missing(self, message: Message | Counted, goal: Goal, **days: str) -> str:
        amount = self.language.money(goal.missing, self.currency)
        return self.language.say(message, goal.missing, amount=amount, tier=self.name(goal.tier), **days)

    def _first(self, instant: datetime) -> str:
        return self.language.day(calendar.local_date(instant, self.zone))

    def _last(self, instant: datetime) -> str:
        """The last day on which something that ends at an instant is so."""
        return self.language.day(calendar.local_date(instant - AN_INSTANT, self.zone))

    def _words(self, tier: Tier) -> dict[str, object]:
        return dict(in_words_of(self.tag, tier.translations) or {})
