"""The page behind a link for unsubscribing, in the member's language: what is switched off, and two buttons.

It loads nothing from anywhere and runs no script. It shows no more of the member than the message did: nothing.
"""

import base64
import hashlib
from collections.abc import Mapping
from html import escape
from typing import Final

from loyalty.core.i18n import Language, Message, language
from loyalty.notifications.unsubscribing import Asked

TITLE = Message("Unsubscribe")
QUESTION = Message("What do you no longer want to get?")
CHANNEL = Message("Channel", context="where messages are sent")
KIND = Message("Messages", context="which messages are sent")
STOP_THESE = Message("No more of these messages")
STOP_ALL = Message("Nothing more on this channel")
DONE_THESE = Message("Done. You will not get these messages on this channel any more.")
DONE_ALL = Message("Done. You will not get anything on this channel any more.")

CHANNELS: Final[Mapping[str, Message]] = {
    "email": Message("E-mail"),
    "apprise": Message("Text and push messages"),
    "webhook": Message("Messages of the shop"),
    "inbox": Message("Inbox"),
}
ABOUT: Final[Mapping[str, Message]] = {
    "transactional": Message("Your account"),
    "marketing": Message("Offers and news"),
    "points_earned": Message("Points you have earned"),
    "points_matured": Message("Points you can use now"),
    "points_expiring": Message("Points that will expire soon"),
    "points_expired": Message("Points that have expired"),
    "points_reversed": Message("Points that were taken back"),
    "balance_statement": Message("Monthly statements"),
    "tier_up": Message("A higher tier"),
    "tier_down": Message("A lower tier"),
    "tier_lapsing": Message("A tier that ends soon"),
    "reward_within_reach": Message("Rewards within reach"),
    "new_reward": Message("New rewards"),
    "offer_assigned": Message("Offers for you"),
    "offer_ending": Message("Offers that end soon"),
    "voucher_issued": Message("Vouchers"),
    "feedback_request": Message("Questions how you liked your purchase"),
}

_STYLE: Final = (
    "body{font:16px/1.5 sans-serif;max-width:32em;margin:3em auto;padding:0 1em}"
    "dt{font-weight:bold}button{font:inherit;padding:.5em 1em;margin:.5em .5em 0 0}"
)
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

# Nobody keeps it, nobody is told where it was opened from, nothing is loaded, nobody may show it inside a page.
HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}

_PAGE = """<!doctype html>
<html lang="{tag}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>{style}</style></head>
<body><h1>{program}</h1>
{body}
</body></html>
"""
_QUESTION = """<p>{question}</p>
<dl><dt>{kind}</dt><dd>{about}</dd><dt>{channel}</dt><dd>{where}</dd></dl>
<form method="post"><button name="stop" value="these">{stop_these}</button>
<button name="stop" value="all">{stop_all}</button></form>"""


def question(asked: Asked) -> str:
    """The page that asks. It changes nothing: programs that look for bad links open every link of a message."""
    told, subscription = language(asked.language), asked.subscription
    said = {
        "question": QUESTION, "kind": KIND, "about": ABOUT[subscription.about], "channel": CHANNEL,
        "where": CHANNELS[subscription.channel], "stop_these": STOP_THESE, "stop_all": STOP_ALL,
    }  # fmt: skip
    return _page(asked, told, _QUESTION.format(**{name: escape(told.say(each)) for name, each in said.items()}))


def done(asked: Asked, *, everything: bool) -> str:
    """The page that says what was switched off."""
    told = language(asked.language)
    return _page(asked, told, f"<p>{escape(told.say(DONE_ALL if everything else DONE_THESE))}</p>")


def _page(asked: Asked, told: Language, body: str) -> str:
    return _PAGE.format(
        tag=escape(str(told.locale).replace("_", "-")), title=escape(told.say(TITLE)), style=_STYLE,
        program=escape(asked.program), body=body,
    )  # fmt: skip
