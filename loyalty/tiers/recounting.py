"""What changes about a member's tier beside an order or an activity: something came back, or was decided by hand."""

from datetime import datetime

from loyalty.db.session import Session
from loyalty.members.domain import LockedMember
from loyalty.programs import queries as programs
from loyalty.programs.domain import Program
from loyalty.tiers import queries, reading
from loyalty.tiers.domain import NOTHING, Ladders
from loyalty.tiers.reading import Asked
from loyalty.tiers.standing import News, Standing, count, settle


def take_back(
    session: Session, program: Program, member: LockedMember, news: News, *, now: datetime
) -> tuple[Standing, Standing, Ladders]:
    """The standing before and after something came back that had counted. One statement, where there is a ladder."""
    ladders, standing = opened(session, program, member, news.at, now=now)
    before = settle(standing, ladders, now=now)
    after = before if news.amounts == NOTHING else count(before, ladders, news, now=now)
    return before, after, ladders


def opened(
    session: Session, program: Program, member: LockedMember, news_at: datetime | None, *, now: datetime
) -> tuple[Ladders, Standing]:
    """Where a member stands, and the ladders: also one that was published while the lock was waited for."""
    ladders = queries.ladders(session, program)
    standing = standing_of(session, ladders, member, news_at, now=now)
    if standing.outdated:
        ladders = queries.ladders(session, programs.load(session, program.program_id))
        standing = standing_of(session, ladders, member, news_at, now=now)
    return ladders, standing


def standing_of(
    session: Session, ladders: Ladders, member: LockedMember, news_at: datetime | None, *, now: datetime
) -> Standing:
    """Where a member stands, as it is recorded; with all that ever counted, if there is no saying since when."""
    asked = Asked(member.member_id, member.enrolled_at, news_at)
    found = reading.standings(session, ladders, [asked], now=now)
    return found.get(member.member_id) or reading.standings_from({}, ladders, [asked], now=now)[member.member_id]
