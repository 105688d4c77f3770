"""The catalogue as people see it: everybody's, and that of one member, with what keeps each reward away."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

from loyalty.core.i18n import language
from loyalty.db.paging import Page, Window, page
from loyalty.db.session import Session
from loyalty.ledger import balances
from loyalty.members import queries as members
from loyalty.programs import queries as programs
from loyalty.programs.domain import POINTS, Program
from loyalty.rewards import catalogue as catalogues
from loyalty.rewards import stock
from loyalty.rewards.availability import Asking, Availability, Reason, availability, limits_left
from loyalty.rewards.domain import Reward
from loyalty.rewards.gathering import Who, asking
from loyalty.rewards.telling import Teller
from loyalty.tiers import queries as tiers

# A reward with what a member can have of it, after how near it is: (distance, points missing, sort, points, code).
Near = tuple[tuple[int, int, int, int, str], Reward, Availability]


def catalogue(
    session: Session, program_id: UUID, window: Window, *, category: str | None = None, type: str | None = None,  # noqa: A002
    locale: str | None = None, now: datetime,
) -> Page[dict[str, Any]]:  # fmt: skip
    """What is published now, by code; what has ended is left out."""
    program = programs.current(session, program_id)
    published = catalogues.catalogue(session, program)
    after = (window.position(str) or [""])[0]
    wanted = [
        reward for code, reward in sorted(published.rewards.items())
        if code > after and _is(reward, category, type) and not (reward.valid_to and reward.valid_to <= now)
    ]  # fmt: skip
    found = page(wanted[: window.limit + 1], window, lambda reward: [reward.code])
    limited = [reward.code for reward in found.data if reward.is_limited]
    left = stock.left(session, program_id, now=now, codes=limited) if limited else {}
    teller = _teller(session, program, locale or program.locale, now)
    shown = [_public(replace(reward, left=left.get(reward.code)), teller, program) for reward in found.data]
    return Page(shown, found.next)


def member_rewards(
    session: Session, program_id: UUID, customer_id: str, window: Window, *, category: str | None = None,
    type: str | None = None, available: bool | None = None, locale: str | None = None, now: datetime,  # noqa: A002
) -> dict[str, Any]:  # fmt: skip
    """Each reward with whether a member can have it, and every reason why not; the nearest first.

    Refuses: MemberNotFound.
    """
    program = programs.current(session, program_id)
    member = members.member(session, program_id, customer_id)
    holds = balances.balance(session, program_id, customer_id, POINTS, balances.Moment(now=now)).available
    published = catalogues.catalogue(session, program)
    who = Who(member.member_id, member.enrolled_at, holds)
    asked = asking(session, program, who, published, whole=True, now=now)
    # What a condition saw is the shop's to know, not the member's.
    asked = replace(asked, left=stock.left(session, program_id, now=now), in_full=False)
    wanted = (reward for reward in published.rewards.values() if _is(reward, category, type))
    near = sorted(_near(reward, asked) for reward in wanted)
    following = _following(near)
    if available is not None:
        near = [each for each in near if each[2].available is available]
    tag = locale or member.locale or program.locale
    teller = _teller(session, program, tag, now)
    found = _page(near, window)
    return {
        "customer_id": member.customer_id,
        "member_status": member.status,
        "as_of": now,
        "locale": tag,
        "unit": POINTS,
        "available_points": holds,
        "tier": asked.tier_code,
        "next_reward": following and _to_come(following, teller),
        "data": [_for_member(each, asked, teller, program) for each in found.data],
        "next": found.next,
    }


def _page(near: list[Near], window: Window) -> Page[Near]:
    position = window.position(int, int, int, int, str)
    begin = bisect_right(near, tuple(position), key=itemgetter(0)) if position is not None else 0
    return page(near[begin : begin + window.limit + 1], window, lambda each: list(each[0]))


def _near(reward: Reward, asked: Asking) -> Near:
    found = availability(reward, asked)
    return (found.distance, found.missing, reward.sort, found.points, reward.code), reward, found


def _following(near: Iterable[Near]) -> Near | None:
    """The reward that takes nothing but points, and the fewest of them."""
    return next((each for each in near if each[2].missing and len(each[2].reasons) == 1), None)


def _to_come(near: Near, teller: Teller) -> dict[str, Any]:
    _, reward, found = near
    return {"reward": reward.code, "name": teller.words(reward)["name"], "missing": found.missing}


def _is(reward: Reward, category: str | None, kind: str | None) -> bool:
    return (category is None or category in reward.categories) and (kind is None or reward.type == kind)


def _teller(session: Session, program: Program, tag: str, now: datetime) -> Teller:
    in_force = tiers.ladders(session, program).at(now)
    named = {tier.code: tier for tier in in_force.tiers} if in_force else {}
    return Teller(tag, language(tag), program.time_zone, named)


def _public(reward: Reward, teller: Teller, program: Program) -> dict[str, Any]:
    return {
        "code": reward.code,
        "version": reward.version,
        **teller.words(reward),
        "type": reward.type,
        "points": reward.points,
        "points_by_tier": dict(reward.points_by_tier),
        "value": reward.value,
        "currency": program.currency,
        "stock": reward.left,
        "limits": dict(reward.limits),
        "tiers": list(reward.tiers),
        "valid_from": reward.valid_from,
        "valid_to": reward.valid_to,
        "fulfilment": reward.fulfilment,
        "images": [dict(image) for image in reward.images],
        "categories": list(reward.categories),
    }


def _for_member(near: Near, asked: Asking, teller: Teller, program: Program) -> dict[str, Any]:
    _, reward, found = near
    return {
        "code": reward.code,
        **teller.words(reward),
        "type": reward.type,
        "points": found.points,
        "value": reward.value,
        "currency": program.currency,
        "available": found.available,
        "missing": found.missing,
        "summary": teller.summary(found),
        "reasons": [_reason(reason, teller) for reason in found.reasons],
        "limits_left": limits_left(reward, asked),
        "stock": asked.left.get(reward.code) if reward.is_limited else None,
        "valid_from": found.starts_at,
        "valid_to": reward.valid_to,
        "early_access": found.early,
        "fulfilment": reward.fulfilment,
        "images": [dict(image) for image in reward.images],
        "categories": list(reward.categories),
    }


def _reason(reason: Reason, teller: Teller) -> dict[str, Any]:
    return {"code": reason.code, "detail": teller.reason(reason), **reason.facts}
