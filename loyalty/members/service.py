"""Enrolling members and changing what they told of themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from loyalty.core import codes
from loyalty.core.ids import new_id
from loyalty.db.session import Session
from loyalty.db.writer import Changes, write
from loyalty.events import service as facts
from loyalty.members import events, locks, referring
from loyalty.members.domain import PROFILE, LockedMember, NewMember
from loyalty.members.errors import EnrolmentFixed, MemberClosed
from loyalty.members.models import MemberRow, ReferralRow
from loyalty.members.referring import referrer_of, require_no_circle

# 50 bits: a program of ten million members has one chance in a hundred million to draw a taken code, and then
# draws again.
REFERRAL_CODE_CHARACTERS = 10


@dataclass(frozen=True, slots=True)
class Enrolment:
    """New members, not yet written: the rows, and who they are."""

    changes: Changes
    members: dict[str, UUID]


def enrol(session: Session, program_id: UUID, new: Sequence[NewMember], *, now: datetime) -> Enrolment:
    """Claim the customer ids that are free and prepare their members' rows and facts; the caller writes them.

    Who is enrolled already is absent from the answer. Who came through somebody waits to be thanked for it.
    Refuses: ReferrerNotFound, ReferrerClosed, SelfReferral, ReferralCircle.
    """
    ids = {member.customer_id: new_id() for member in new}
    free = locks.claim(session, program_id, "member", [(c, i, None) for c, i in ids.items()])
    enrolled = [member for member in new if member.customer_id in free]
    referral_codes = _draw_referral_codes(session, program_id, [ids[m.customer_id] for m in enrolled])
    referrers = {ids[m.customer_id]: referrer for m in enrolled if (referrer := referrer_of(session, program_id, m))}
    require_no_circle(referrers)
    changes = Changes()
    for member in enrolled:
        member_id = ids[member.customer_id]
        changes.insert(
            MemberRow,
            {
                "member_id": member_id,
                "program_id": program_id,
                "customer_id": member.customer_id,
                "status": "active",
                "enrolled_at": member.enrolled_at or now,
                **{name: getattr(member, name) for name in PROFILE},
                "referral_code": referral_codes[member_id],
                "referred_by": referrers.get(member_id),
                "version": 1,
                "updated_at": now,
            },
        )
        fact = events.enrolled(
            member_id, member.customer_id, referred=member_id in referrers, occurred_at=member.enrolled_at or now
        )
        facts.tell(changes, program_id, fact, now=now)
    for member_id, referrer_id in referrers.items():
        row = {"member_id": member_id, "program_id": program_id, "referrer_id": referrer_id, "status": "waiting"}
        changes.insert(ReferralRow, {**row, "order_id": None, "ordered_at": None})
    return Enrolment(changes, {m.customer_id: ids[m.customer_id] for m in enrolled})


def change_profile(session: Session, member: LockedMember, new: NewMember, *, now: datetime) -> None:
    """Change what the caller sent of a member's profile, leave the rest.

    Refuses: EnrolmentFixed, MemberClosed, ReferrerNotFound, SelfReferral, ReferralCircle.
    """
    if member.status == "closed":
        raise MemberClosed(member.customer_id, merged_into=member.merged_into)
    if new.enrolled_at is not None and new.enrolled_at != member.enrolled_at:
        raise EnrolmentFixed(f"'{member.customer_id}' enrolled at {member.enrolled_at.isoformat()}.")
    row = session.orm.get_one(MemberRow, member.member_id)
    referring.require_same(session, row, new)
    others = [name for name in PROFILE if name in new.given and getattr(row, name) != getattr(new, name)]
    for name in others:
        setattr(row, name, getattr(new, name))
    row.version += 1
    row.updated_at = now
    # Who sends the same again has changed nothing.
    if others:
        facts.tell_now(session, row.program_id, events.updated(member, others, occurred_at=now), now=now)


def set_status(session: Session, program_id: UUID, member: LockedMember, status: str, *, now: datetime) -> None:
    """Suspend, resume or close a membership; setting the same status again changes nothing. Refuses: MemberClosed."""
    if member.status == status:
        return
    if member.status == "closed":
        raise MemberClosed(member.customer_id, merged_into=member.merged_into)
    changes = Changes()
    changes.update(MemberRow, {"member_id": member.member_id, "status": status, "updated_at": now})
    facts.tell(changes, program_id, events.became(status, member, occurred_at=now), now=now)
    write(session, changes)


def _draw_referral_codes(session: Session, program_id: UUID, member_ids: list[UUID]) -> dict[UUID, str]:
    drawn: dict[UUID, str] = {}
    while missing := [m for m in member_ids if m not in drawn]:
        codes_by_member = {m: codes.new_code(characters=REFERRAL_CODE_CHARACTERS) for m in missing}
        wanted: list[tuple[str, UUID, bytes | None]] = [
            (codes.canonical(c), m, None) for m, c in codes_by_member.items()
        ]
        free = locks.claim(session, program_id, "referral", wanted)
        drawn |= {m: c for m, c in codes_by_member.items() if codes.canonical(c) in free}
    return drawn
