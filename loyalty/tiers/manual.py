"""Tiers by hand, each with a reason and an actor: pinned, unpinned, brought along from another program."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.audit import service as audit
from loyalty.core.errors import DomainError, InvalidRequest
from loyalty.db.session import Session
from loyalty.db.writer import Changes, write
from loyalty.members import locks
from loyalty.members.domain import LockedMember
from loyalty.members.errors import MemberClosed, MemberNotFound
from loyalty.programs import queries as programs
from loyalty.tiers import granting, queries, reading
from loyalty.tiers.domain import Grant, Ladder, Ladders
from loyalty.tiers.errors import LadderNotFound, NotPinned, TierUnknown
from loyalty.tiers.granting import Granted
from loyalty.tiers.keeping import changes_of
from loyalty.tiers.models import TierGrantRow
from loyalty.tiers.reading import Asked
from loyalty.tiers.recounting import opened
from loyalty.tiers.standing import Standing, settle, tier_at

# One statement and one lock of as many members; more are sent in several requests.
BROUGHT_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPin:
    """A tier that a member has at least, until an instant (None: until it is unpinned)."""

    tier: str
    until: datetime | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BroughtTier:
    """A tier that a member had elsewhere, since when, and for how long it is valid (None: as the ladder says)."""

    customer_id: str
    tier: str
    since: datetime
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class _Case:
    """One member under the lock, and the ladder in force."""

    member: LockedMember
    ladders: Ladders
    ladder: Ladder
    standing: Standing


def pin(
    session: Session, program_id: UUID, customer_id: str, new: NewPin, *, actor: str, now: datetime
) -> dict[str, Any]:
    """Let a member have a tier at least until a date, instead of what was pinned before. Buying may lift it higher.

    Refuses: MemberNotFound, MemberClosed, LadderNotFound, TierUnknown, InvalidRequest.
    """
    case = _open(session, program_id, customer_id, now)
    _require_tier(case.ladder, new.tier)
    if new.until is not None and new.until <= now:
        raise InvalidRequest(
            [{"pointer": "/until", "detail": f"Must lie in the future; it is {now.isoformat()} here."}]
        )
    given = Grant(
        kind="pinned", tier=new.tier, since=now, until=new.until, reason=new.reason, granted_at=now, granted_by=actor
    )
    granted = granting.pin(case.standing, case.ladders, given, now=now)
    before = _pinned(case.standing, now)
    write(session, _changes(granted, case.ladders, program_id, customer_id, now))
    told = {"tier": _tier(granted.standing, case.ladders, now), "pinned": _pinned(granted.standing, now)}
    audit.record(
        session, program_id, actor=actor, action="tier.pinned", resource=f"members/{customer_id}/tier", before=before,
        after=told["pinned"], now=now,
    )  # fmt: skip
    return told


def unpin(
    session: Session, program_id: UUID, customer_id: str, reason: str, *, actor: str, now: datetime
) -> dict[str, Any]:
    """End what is pinned, now: the member has what was reached by buying.

    Refuses: MemberNotFound, MemberClosed, LadderNotFound, NotPinned.
    """
    case = _open(session, program_id, customer_id, now)
    before = _pinned(case.standing, now)
    if before is None:
        raise NotPinned(customer_id)
    granted = granting.unpin(case.standing, case.ladders, by=actor, now=now)
    write(session, _changes(granted, case.ladders, program_id, customer_id, now))
    audit.record(
        session, program_id, actor=actor, action="tier.unpinned", resource=f"members/{customer_id}/tier",
        before=before, after={"reason": reason}, now=now,
    )  # fmt: skip
    return {"tier": _tier(granted.standing, case.ladders, now), "pinned": None}


def bring_members(
    session: Session, program_id: UUID, brought: Sequence[BroughtTier], *, actor: str, now: datetime
) -> list[dict[str, Any]]:
    """Take over tiers that members had elsewhere, as if they had been reached here; each has an outcome of its own.

    Another one for the same member replaces the former; the very same changes nothing. Refuses: LadderNotFound.
    """
    members = locks.lock_members(session, program_id, [each.customer_id for each in brought])
    seen = max((member.config_version for member in members.values()), default=None)
    program = programs.current(session, program_id, config_version=seen) if seen else programs.load(session, program_id)
    ladders = queries.ladders(session, program)
    ladder = _in_force(ladders, now)
    refused = _refusals(brought, members, ladder, now)
    asked = [Asked(m.member_id, m.enrolled_at, None) for m in members.values() if m.status != "closed"]
    standings = reading.standings(session, ladders, asked, now=now)
    changes, told = Changes(), []
    for number, each in enumerate(brought):
        if (why := refused.get(number)) is not None:
            outcome: dict[str, Any] = {"outcome": "refused", "code": why.code, "detail": why.detail, "tier": None}
        else:
            before = standings[members[each.customer_id].member_id]
            granted = granting.bring(before, ladders, _imported(each, actor, now), now=now)
            if granted is not None:
                changes.add(_changes(granted, ladders, program_id, each.customer_id, now))
            after = granted.standing if granted else settle(before, ladders, now=now)
            outcome = {"outcome": "imported" if granted else "unchanged", "tier": _tier(after, ladders, now)}
        told.append({"customer_id": each.customer_id, **outcome})
    write(session, changes)
    counts = {name: sum(each["outcome"] == name for each in told) for name in ("imported", "unchanged", "refused")}
    audit.record(
        session, program_id, actor=actor, action="ladder.members-imported", resource="ladder/members", after=counts,
        now=now,
    )  # fmt: skip
    return told


def _open(session: Session, program_id: UUID, customer_id: str, now: datetime) -> _Case:
    member = locks.lock_member(session, program_id, customer_id)
    if member.status == "closed":
        raise MemberClosed(customer_id, merged_into=member.merged_into)
    program = programs.current(session, program_id, config_version=member.config_version)
    ladders, standing = opened(session, program, member, now, now=now)
    return _Case(member, ladders, _in_force(ladders, now), standing)


def _in_force(ladders: Ladders, now: datetime) -> Ladder:
    ladder = ladders.at(now)
    if ladder is None:
        raise LadderNotFound("No ladder is in force in this program.")
    return ladder


def _require_tier(ladder: Ladder, tier: str) -> None:
    if ladder.rank(tier) is None:
        raise TierUnknown(tier, [each.code for each in ladder.tiers])


def _refusals(
    brought: Sequence[BroughtTier], members: Mapping[str, LockedMember], ladder: Ladder, now: datetime
) -> dict[int, DomainError]:
    """What is refused, by its number."""
    refused: dict[int, DomainError] = {}
    named: set[str] = set()
    for number, each in enumerate(brought):
        try:
            _require_sound(each, members.get(each.customer_id), ladder, now)
            if each.customer_id in named:
                raise _wrong("customer_id", f"'{each.customer_id}' is named twice.")
        except DomainError as refusal:
            refused[number] = refusal
        named.add(each.customer_id)
    return refused


def _require_sound(each: BroughtTier, member: LockedMember | None, ladder: Ladder, now: datetime) -> None:
    if member is None:
        raise MemberNotFound(each.customer_id)
    if member.status == "closed":
        raise MemberClosed(each.customer_id, merged_into=member.merged_into)
    _require_tier(ladder, each.tier)
    if each.since > now:
        raise _wrong("since", f"Must not lie in the future; it is {now.isoformat()} here.")
    if each.valid_until is not None and each.valid_until <= each.since:
        raise _wrong("valid_until", "Must be after since.")


def _wrong(name: str, detail: str) -> InvalidRequest:
    return InvalidRequest([{"pointer": f"/{name}", "detail": detail}])


def _imported(each: BroughtTier, actor: str, now: datetime) -> Grant:
    return Grant(
        kind="imported", tier=each.tier, since=each.since, until=each.valid_until, reason="", granted_at=now,
        granted_by=actor,
    )  # fmt: skip


def _changes(granted: Granted, ladders: Ladders, program_id: UUID, customer_id: str, now: datetime) -> Changes:
    """The rows of a standing, of the grants that ended with it, and without those that were replaced."""
    changes = changes_of(granted.standing, ladders, program_id, customer_id, now=now)
    member_id = granted.standing.member_id
    for grant_id in granted.ended:
        changes.update(TierGrantRow, {"member_id": member_id, "grant_id": grant_id, "until": now})
    for grant_id in granted.gone:
        changes.delete_until(TierGrantRow, {"member_id": member_id, "grant_id": grant_id, "granted_at": now})
    return changes


def _tier(standing: Standing, ladders: Ladders, now: datetime) -> dict[str, str]:
    held = tier_at(standing, ladders, now)
    assert held is not None, "a ladder is in force"
    return {"code": held[0].code, "name": held[0].name}


def _pinned(standing: Standing, now: datetime) -> dict[str, Any] | None:
    """What is pinned, as callers see it."""
    held = granting.pins(standing, now)
    return {name: getattr(held[-1], name) for name in ("tier", "since", "until", "reason")} if held else None
