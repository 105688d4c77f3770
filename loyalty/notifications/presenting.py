"""What a message is about, as its template is to say it: names for codes, days for instants.

A name that is known no more is said as its code: what was told once can be read for ever.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.rows import tuple_row

from loyalty.core import calendar
from loyalty.core.i18n import in_words_of
from loyalty.db.session import Session, array_of
from loyalty.ledger.balances import Balance, Moment, balance
from loyalty.notifications import surveying
from loyalty.notifications.domain import Message, Recipient, Settings
from loyalty.programs.domain import POINTS, Program
from loyalty.rewards import catalogue as catalogues
from loyalty.rewards.catalogue import Catalogue
from loyalty.templates.kinds import FactMissing
from loyalty.tiers import member_queries as member_tiers
from loyalty.tiers import queries as tiers
from loyalty.tiers import reading
from loyalty.tiers.domain import Ladders, Tier
from loyalty.tiers.errors import LadderNotFound

AN_INSTANT = timedelta(microseconds=1)

_VOUCHERS = """
SELECT v.member_id, v.redemption_id, v.code, v.expires_at FROM vouchers v
JOIN unnest(%s::uuid[], %s::text[]) AS w (member_id, redemption_id)
    ON v.member_id = w.member_id AND v.redemption_id = w.redemption_id
"""

Values = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """What messages are told before: their program, and what of their members' things the words may name."""

    program: Program
    settings: Settings
    now: datetime
    catalogue: Catalogue
    ladders: Ladders
    tiers: Mapping[UUID, Tier] = field(default_factory=dict)
    vouchers: Mapping[tuple[UUID, str], tuple[str, datetime | None]] = field(default_factory=dict)
    # What was read when it was first said: of a member it is the same in every message.
    balances: dict[UUID, Balance] = field(default_factory=dict)
    advice: dict[tuple[UUID, str], str] = field(default_factory=dict)


def background(
    session: Session, program: Program, settings: Settings, messages: Sequence[Message],
    members: Mapping[UUID, Recipient], *, now: datetime,
) -> Background:  # fmt: skip
    """Read what some messages may name: two statements at the most, however many they are."""
    ladders = tiers.ladders(session, program)
    enrolled = [(each.member_id, each.enrolled_at) for each in members.values()]
    redeemed = [(m.member_id, m.data["redemption_id"]) for m in messages if m.kind == "voucher_issued"]
    vouchers = {}
    if redeemed:
        owners, ids = zip(*redeemed, strict=True)
        rows = session.rows(_VOUCHERS, (array_of(owners), array_of(ids)), into=tuple_row)
        vouchers = {(owner, redemption): (code, expires_at) for owner, redemption, code, expires_at in rows}
    return Background(
        program=program, settings=settings, now=now, catalogue=catalogues.catalogue(session, program),
        ladders=ladders, tiers=reading.tiers_of(session, ladders, enrolled, now=now), vouchers=vouchers,
    )  # fmt: skip


def everywhere(
    session: Session, who: Recipient, before: Background, tag: str, *, unsubscribe_url: str | None, with_balance: bool
) -> Values:
    """What every template can say. The balance is read only where it is said."""
    if with_balance and who.member_id not in before.balances:
        moment = Moment(now=before.now)
        before.balances[who.member_id] = balance(session, before.program.program_id, who.customer_id, POINTS, moment)
    held = before.balances.get(who.member_id) if with_balance else None
    tier = before.tiers.get(who.member_id)
    member = {name: getattr(who, name) for name in ("customer_id", "first_name", "last_name")}
    return {
        "member": {**member, "tier": tier and _tier_name(tier, tag)},
        "balance": {name: getattr(held, name) if held else 0 for name in ("available", "pending", "held")},
        "program": {"name": before.program.name, "storefront_url": before.settings.storefront_url},
        "unsubscribe_url": unsubscribe_url,
    }


def values(session: Session, message: Message, who: Recipient, before: Background, tag: str) -> Values:
    """What the templates of the message's kind can say of it, in the language of `tag`. Raises FactMissing."""
    show = Show(before, tag)
    data = message.data
    made: dict[str, Callable[[], Values]] = {
        "points_earned": lambda: show.earned(data),
        "points_expiring": lambda: {**data, "expires_on": show.last_day(data["expires_at"])},
        "balance_statement": lambda: show.statement(data),
        "tier_up": lambda: {**show.tiers(data), "perks": show.perks(data)},
        "tier_down": lambda: show.tiers(data),
        "tier_lapsing": lambda: {
            "tier": show.tier(data["tier"]), "valid_until": show.last_day(data["valid_until"]), "days": data["days"],
            "advice": _advice(session, who, before, tag),
        },
        "reward_within_reach": lambda: {"reward": show.reward(data["reward"]), "missing": data["missing"]},
        "new_reward": lambda: {"reward": show.reward(data["reward"])},
        "offer_assigned": lambda: show.offer(data),
        "offer_ending": lambda: {**show.offer(data), "days": data["days"]},
        "voucher_issued": lambda: show.voucher(message.member_id, data),
        "feedback_request": lambda: {
            "order_id": data["order_id"], "feedback_url": surveying.url_of(before.settings, data),
            "occasion": data.get("occasion", "order"), "touchpoint": data.get("touchpoint"),
        },
    }  # fmt: skip
    try:
        return made.get(message.kind, lambda: dict(data))()
    except (KeyError, TypeError, ValueError) as odd:
        raise FactMissing(f"What the message is about cannot be shown: {odd}.") from None


class Show:
    """Shows what stands in the data of messages to people who read one language."""

    def __init__(self, before: Background, tag: str) -> None:
        self.before, self.tag = before, tag

    def day(self, at: str | None) -> date | None:
        """The day of an instant, in the program's zone."""
        return calendar.local_date(datetime.fromisoformat(at), self.before.program.time_zone) if at else None

    def last_day(self, at: str | None) -> date | None:
        """The last day before an instant: points and tiers that end at midnight are had to the end of the day."""
        zone = self.before.program.time_zone
        return calendar.local_date(datetime.fromisoformat(at) - AN_INSTANT, zone) if at else None

    def earned(self, data: Values) -> Values:
        """Points that were earned, and when they come and go."""
        shown = {name: data[name] for name in ("points", "pending", "order_id")}
        return {**shown, "matures_on": self.day(data["matures_at"]), "expires_on": self.last_day(data["expires_at"])}

    def statement(self, data: Values) -> Values:
        """A month in numbers, and what will be gone when."""
        expiring = [{"points": each["points"], "expires_on": self.last_day(each["at"])} for each in data["expiring"]]
        return {**data, "month": date.fromisoformat(f"{data['month']}-01"), "expiring": expiring}

    def tiers(self, data: Values) -> Values:
        """The tier that a member has, and the one before."""
        return {"tier": self.tier(data["tier"]), "from_tier": data["from"] and self.tier(data["from"])}

    def perks(self, data: Values) -> list[str]:
        """What a tier gives."""
        tier = self._tier(data["tier"])
        if tier is None:
            return []
        translated = _words(tier, self.tag).get("perks")
        return [str(perk) for perk in translated or tier.benefits.perks]

    def tier(self, code: str) -> str:
        """The name of a tier."""
        tier = self._tier(code)
        return code if tier is None else _tier_name(tier, self.tag)

    def reward(self, code: str) -> Values:
        """A reward: what it is called, and what it costs."""
        reward = self.before.catalogue.rewards.get(code)
        if reward is None:
            return {"code": code, "name": code, "points": 0, "description": None}
        words = in_words_of(self.tag, reward.translations) or {}
        described = words.get("description") or reward.description
        name = words.get("name") or reward.name
        return {"code": code, "name": name, "points": reward.points, "description": described}

    def offer(self, data: Values) -> Values:
        """An offer, and the last day on which it can be used."""
        offer = {"code": data["offer"], "title": data["title"]}
        return {"offer": offer, "valid_until": self.last_day(data["valid_to"])}

    def voucher(self, member_id: UUID, data: Values) -> Values:
        """A voucher. Its code is nowhere but with the voucher."""
        code, expires_at = self.before.vouchers.get((member_id, data["redemption_id"]), ("-", None))
        reward = data["reward"] and self.reward(data["reward"])["name"]
        ends = self.last_day(expires_at.isoformat()) if expires_at else None
        return {"reward": reward, "code": code, "expires_on": ends}

    def _tier(self, code: str) -> Tier | None:
        ladder = self.before.ladders.at(self.before.now)
        return None if ladder is None else next((tier for tier in ladder.tiers if tier.code == code), None)


def _words(tier: Tier, tag: str) -> Mapping[str, Any]:
    return in_words_of(tag, tier.translations) or {}


def _tier_name(tier: Tier, tag: str) -> str:
    return str(_words(tier, tag).get("name") or tier.name)


def _advice(session: Session, who: Recipient, before: Background, tag: str) -> str:
    """What the member can do to keep a tier, in a sentence."""
    key = (who.member_id, tag)
    if key not in before.advice:
        program_id = before.program.program_id
        try:
            seen = member_tiers.member_tier(session, program_id, who.customer_id, locale=tag, now=before.now)
            before.advice[key] = str(seen["text"])
        except LadderNotFound:
            before.advice[key] = ""
    return before.advice[key]
