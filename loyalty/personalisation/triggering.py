"""Offers that something brings about: a member who stays away, or one who has brought a friend.

Each is given one offer, that which fits best of those with the trigger, as often as caps and cooldowns allow.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from loyalty.core import calendar
from loyalty.db.session import Session
from loyalty.earning import reserving
from loyalty.events.following import by_turns, follow
from loyalty.members import locks
from loyalty.members.domain import LockedMember
from loyalty.offers.domain import Personalising, Scope, Trigger, rule_code
from loyalty.offers.queries import offer_sets, sets_of
from loyalty.personalisation import gathering, giving
from loyalty.personalisation.choosing import Chosen, Room, choose
from loyalty.personalisation.eligibility import Shelf, groups_of
from loyalty.personalisation.holdouts import holdout_of, is_withheld
from loyalty.personalisation.selecting import eligible, taste_of
from loyalty.programs import queries as programs
from loyalty.programs.domain import Program

NAME = "offers"

# So many facts in one transaction.
PAGE = 500

RECORDED, REFERRAL = "activity.recorded", "referral"

# Whoever brought a friend longer ago than that is not thanked out of nowhere.
FRESH = timedelta(days=7)


def follow_batch(session: Session, *, now: datetime, limit: int = PAGE) -> int:
    """Give offers to those who have brought a friend, each program by its own clock; 0 if nothing is new."""
    ahead = programs.moved_clocks(session)

    def turn(program_id: UUID, most: int) -> int:
        return follow_program(session, program_id, now=now + ahead.get(program_id, timedelta(0)), limit=most)

    return by_turns(session, NAME, turn, limit=limit)


def follow_program(session: Session, program_id: UUID, *, now: datetime, limit: int = PAGE) -> int:
    """`follow_batch` for one program; 0 if nothing is new, or somebody else is at it."""
    facts = follow(session, NAME, program_id, (RECORDED,), limit=limit)
    if facts is None:
        return 0
    brought = [fact.owner_id for fact in facts if fact.data["type"] == REFERRAL and fact.recorded_at >= now - FRESH]
    if brought:
        give_all(session, programs.load(session, program_id), brought, "referral", now=now)
    return len(facts) + 1


def give_all(session: Session, program: Program, member_ids: Sequence[UUID], trigger: Trigger, *, now: datetime) -> int:
    """Give each of these members the offer of a trigger that fits best, if there is one; answers how many got one."""
    on = gathering.shelf(session, program, offer_sets(session, program), now=now)
    offers = [] if on is None else [offer for offer in on.offers.offers if offer.trigger == trigger]
    if on is None or not offers:
        return 0
    members = locks.lock_by_ids(session, sorted(set(member_ids)))
    reserving.hold(session, program.program_id, [rule_code(offer.code) for offer in offers if offer.limit is not None])
    active = [member for member in members if member.status == "active"]
    return sum(_give(session, program, member, on, trigger, now=now) for member in active)


def _give(
    session: Session, program: Program, member: LockedMember, on: Shelf, trigger: Trigger, *, now: datetime
) -> int:
    who = gathering.locked_holder(session, member, now=now)
    sets = sets_of(session, program, who.held)
    withheld = is_withheld(program, who.member_id)
    taken = [each for each in who.held if each.holdout is None or (withheld and each.holdout == "program")]
    groups = groups_of(sets.offer(each.offer_code, each.offer_version) for each in taken)
    found = eligible(session, program, who, on, groups, trigger=trigger, now=now)
    if not found:
        return 0
    taste = taste_of(session, program, who, found, now=now)
    ranked = taste.rank(found, limit=1)
    day = calendar.local_date(now, program.time_zone)

    is_held_out = holdout_of(program, who.member_id)

    def choice(spent: frozenset[str]) -> list[Chosen]:
        fits = [each for each in ranked if each.offer.code not in spent]
        room = Room(places=1, groups=groups)
        chosen = choose(fits, Personalising(), room, member_id=who.member_id, day=day, is_held_out=is_held_out)
        return [taste.explained(each) for each in chosen if not (withheld and each.held_out)]

    if not choice(frozenset()):
        return 0
    scope: Scope | None = "program" if withheld else None
    giving.give(session, program, member, choice, scope=scope, trigger=trigger, now=now)
    return 1
