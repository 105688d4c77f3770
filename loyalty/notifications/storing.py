"""What programs arrange and what members prefer, as JSON documents: kept in the database, sent and answered."""

from collections.abc import Mapping
from datetime import time
from typing import Any, Final

from loyalty.notifications.domain import CHANNELS, Caps, Digest, Feedback, Preferences, QuietHours, Settings, Survey
from loyalty.templates.kinds import KINDS

# What members can be told of. A digest is how they are told, whatever it is about.
TOLD: Final[tuple[str, ...]] = tuple(code for code in KINDS if code != "digest")

_OF_SURVEY = ("delay_days", "url", "touchpoint", "cooldown_days")
_PLAIN = ("offer_ending_days", "statement_day", "within_reach_percent", "storefront_url")


def settings_document(settings: Settings) -> dict[str, Any]:
    """Settings as a document, complete and always in the same order."""
    quiet, caps, digest, feedback = settings.quiet_hours, settings.caps, settings.digest, settings.feedback
    return {
        "channels": {channel: channel in settings.channels for channel in CHANNELS},
        "kinds": {kind: _in_order(settings.kinds[kind]) for kind in TOLD if kind in settings.kinds},
        "expiring_days": list(settings.expiring_days),
        "lapsing_days": list(settings.lapsing_days),
        "offer_ending_days": settings.offer_ending_days,
        "statement_day": settings.statement_day,
        "within_reach_percent": settings.within_reach_percent,
        "quiet_hours": quiet and _hours_document(quiet),
        "caps": {"day": caps.day, "week": caps.week},
        "digest": digest and {"minutes": digest.minutes, "least": digest.least},
        "feedback": feedback and {"url": feedback.url, "after_days": feedback.after_days},
        "surveys": [_survey_document(survey) for survey in settings.surveys],
        "email": None if settings.sender is None else {"from": settings.sender, "reply_to": settings.reply_to},
        "storefront_url": settings.storefront_url,
    }


def settings_from(document: Mapping[str, Any]) -> Settings:
    """Settings out of a document; what it does not say is as usual."""
    known: dict[str, Any] = {name: document[name] for name in _PLAIN if name in document}
    known |= {name: tuple(document[name]) for name in ("expiring_days", "lapsing_days") if name in document}
    if "channels" in document:
        usual = dict.fromkeys(Settings().channels, True)
        known["channels"] = frozenset(name for name, on in {**usual, **document["channels"]}.items() if on)
    if "kinds" in document:
        known["kinds"] = {kind: frozenset(channels) for kind, channels in document["kinds"].items()}
    if "quiet_hours" in document:
        known["quiet_hours"] = _hours_from(document["quiet_hours"])
    for name, make in (("caps", Caps), ("digest", Digest), ("feedback", Feedback)):
        if name in document:
            known[name] = None if document[name] is None else make(**document[name])
    if "surveys" in document:
        known["surveys"] = tuple(_survey_from(survey) for survey in document["surveys"])
    email = document.get("email") or {}
    return Settings(**known, sender=email.get("from"), reply_to=email.get("reply_to"))


def preferences_document(wants: Preferences) -> dict[str, Any]:
    """Preferences as a document."""
    return {
        "channels": {channel: wants.channels[channel] for channel in CHANNELS if channel in wants.channels},
        "kinds": {kind: _switches(wants.kinds[kind]) for kind in TOLD if wants.kinds.get(kind)},
        "quiet_hours": wants.quiet_hours and _hours_document(wants.quiet_hours),
        "time_zone": wants.time_zone,
        "digest": wants.digest,
    }


def preferences_from(document: Mapping[str, Any]) -> Preferences:
    """Preferences out of a document; what it does not say is as the program has it."""
    return Preferences(
        channels=document.get("channels") or {},
        kinds=document.get("kinds") or {},
        quiet_hours=_hours_from(document.get("quiet_hours")),
        time_zone=document.get("time_zone"),
        digest=document.get("digest", "off"),
    )


def _survey_document(survey: Survey) -> dict[str, Any]:
    if survey.occasion == "order":
        after: dict[str, Any] = {"orders": survey.orders} if survey.orders else {"every_orders": survey.every_orders}
    else:
        after = {"return": True} if survey.occasion == "return" else {"activity": survey.activity}
    return {"code": survey.code, "kind": survey.kind, "after": after} | {
        name: getattr(survey, name) for name in _OF_SURVEY
    }


def _survey_from(document: Mapping[str, Any]) -> Survey:
    after = document["after"]
    occasion: Any = "return" if "return" in after else "activity" if "activity" in after else "order"
    counted = {name: after[name] for name in ("orders", "every_orders", "activity") if name in after}
    given = {name: document[name] for name in _OF_SURVEY if name in document}
    return Survey(code=document["code"], kind=document["kind"], occasion=occasion, **counted, **given)


def _hours_document(hours: QuietHours) -> dict[str, str]:
    return {"from": _clock(hours.begin), "to": _clock(hours.end)}


def _hours_from(document: Mapping[str, str] | None) -> QuietHours | None:
    if document is None:
        return None
    return QuietHours(time.fromisoformat(document["from"]), time.fromisoformat(document["to"]))


def _clock(wall: time) -> str:
    return wall.strftime("%H:%M")


def _in_order(channels: frozenset[str]) -> list[str]:
    return [channel for channel in CHANNELS if channel in channels]


def _switches(of_kind: Mapping[str, bool]) -> dict[str, bool]:
    return {channel: of_kind[channel] for channel in CHANNELS if channel in of_kind}
