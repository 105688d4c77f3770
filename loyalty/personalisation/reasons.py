"""Saying why an offer fits, in a member's language. Pure, but for the catalogues of words.

The names of goods stand by themselves in each sentence, so that no language has to inflect them.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import orjson
from babel.numbers import format_decimal

from loyalty.core.i18n import Counted, Language, Message
from loyalty.personalisation.explaining import shown

# Of each a few hundred bytes.
SENTENCES_REMEMBERED_MAX = 50_000

BOUGHT_OFTEN = Counted(
    "You bought this in {count} of your purchases so far; there were {of}.",
    "You bought this in {count} of your purchases so far; there were {of}.",
)
USUAL_INTERVAL = Counted(
    "You usually buy this about once in {count} day.", "You usually buy this about once in {count} days."
)
BOUGHT_TODAY = Message("You last bought this today.")
DAYS_SINCE_LAST = Counted("You last bought this {count} day ago.", "You last bought this {count} days ago.")
BOUGHT_TOGETHER = Message("Whoever buys as you do buys this {times} times as often. What tells most: {goods}.")
POPULAR = Counted(
    "Popular: of 100 members who came in the last 28 days, {count} bought it.",
    "Popular: of 100 members who came in the last 28 days, {count} bought it.",
)
POPULAR_NEW = Counted(
    "You are new here, so this is what is popular: of 100 members who came in the last 28 days, {count} bought it.",
    "You are new here, so this is what is popular: of 100 members who came in the last 28 days, {count} bought it.",
)
TREND = Message("More members than usual are buying it: {percent} % more.")
UNTRIED = Message("Something new: hardly anybody has bought it yet.")
ANY_PURCHASE = Message("It is for whatever you buy.")


def sentence(reason: Mapping[str, Any], language: Language) -> str:
    """A reason as it was stored, in words. One that nobody knows any more says nothing."""
    return _said(orjson.dumps([reason["feature"], reason["value"], reason["said"]]), language)


# A page of offers has some forty of them, each of which takes as long as reading a member.
@lru_cache(maxsize=SENTENCES_REMEMBERED_MAX)
def _said(reason: bytes, language: Language) -> str:
    feature, value, said = orjson.loads(reason)
    sentences: dict[str, Callable[[], str]] = {
        "bought_often": lambda: language.say(BOUGHT_OFTEN, value, of=language.number(said["of"])),
        "usual_interval": lambda: language.say(USUAL_INTERVAL, value),
        "days_since_last": lambda: language.say(DAYS_SINCE_LAST, value) if value else language.say(BOUGHT_TODAY),
        "bought_together": lambda: language.say(
            BOUGHT_TOGETHER,
            times=format_decimal(value, format="0.0", locale=language.locale),
            goods=", ".join(shown(category) for category in said["because"]),
        ),
        "popular": lambda: language.say(POPULAR_NEW if said["new"] else POPULAR, value),
        "trend": lambda: language.say(TREND, percent=language.number(value)),
        "untried": lambda: language.say(UNTRIED),
        "any_purchase": lambda: language.say(ANY_PURCHASE),
    }
    say = sentences.get(feature)
    return say() if say is not None else ""
