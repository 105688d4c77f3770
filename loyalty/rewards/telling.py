"""Telling members what they can have, and why not the rest, in their language. Pure, but for the catalogues of words.

The name of a tier stands by itself in each sentence, so that no language has to inflect it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from loyalty.core import calendar
from loyalty.core.i18n import Counted, Language, Message, in_words_of
from loyalty.rewards.availability import Availability, Reason, Why
from loyalty.rewards.domain import NewReward
from loyalty.tiers.domain import Tier

AVAILABLE = Message("You can have this now.")
MISSING = Counted("You need {count} more point.", "You need {count} more points.")
OUT_OF_STOCK = Message("There is none left.")
NOT_STARTED = Message("You can have this from {day} on.")
ENDED = Message("You could have this until {day}.")
TIER_TOO_LOW = Message("You can have this once you have {tier}.")
HAD = Message("You have had this as often as it can be had.")
HAD_UNTIL = Message("You have had this as often as it can be had for now. You can have it again from {day} on.")
CONDITION = Message("You do not meet the conditions of this reward.")

AN_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells of rewards to one member: `tag` is the member's language, `tiers` are those of the ladder in force."""

    tag: str
    language: Language
    zone: str
    tiers: Mapping[str, Tier]

    def words(self, reward: NewReward) -> dict[str, str | None]:
        """The name, the description and the terms of a reward."""
        found = in_words_of(self.tag, reward.translations) or {}
        own = {"name": reward.name, "description": reward.description, "terms": reward.terms}
        return {what: found.get(what) or said for what, said in own.items()}

    def summary(self, found: Availability) -> str:
        """Whether a reward can be had, and if not, the reason that matters most."""
        if found.available:
            return self.language.say(AVAILABLE)
        return self.reason(max(found.reasons, key=lambda reason: reason.distance))

    def reason(self, reason: Reason) -> str:
        """Why a reward cannot be had."""
        say, facts = self.language.say, reason.facts
        sentences: dict[Why, Callable[[], str]] = {
            "insufficient_points": lambda: say(MISSING, facts["missing"]),
            "out_of_stock": lambda: say(OUT_OF_STOCK),
            "not_started": lambda: say(NOT_STARTED, day=self._day(facts["valid_from"])),
            "ended": lambda: say(ENDED, day=self._day(facts["valid_to"] - AN_INSTANT)),
            "tier_too_low": lambda: say(TIER_TOO_LOW, tier=self._tier(facts["needed"])),
            "limit_reached": lambda: self._had(facts["available_from"]),
            "not_in_segment": lambda: say(CONDITION),
            "condition_not_met": lambda: say(CONDITION),
        }
        return sentences[reason.code]()

    def _had(self, again: datetime | None) -> str:
        return self.language.say(HAD) if again is None else self.language.say(HAD_UNTIL, day=self._day(again))

    def _tier(self, code: str) -> str:
        tier = self.tiers.get(code)
        if tier is None:
            return code
        words = in_words_of(self.tag, tier.translations) or {}
        return str(words.get("name") or tier.name)

    def _day(self, instant: datetime) -> str:
        return self.language.day(calendar.local_date(instant, self.zone))
